"""From labels of pictures without a scale to a model, what it says of one, and what is like it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from clips import MeanColor, described_by
from makers import he_image
from PIL import Image
from teaching import bag

from pathoview.core.progress import SilentProgress
from pathoview.methods.engine import bag_baselines
from pathoview.methods.model import read_card
from pathoview.study.results import RunFile
from pathoview.tasks import analyze_bag, train
from pathoview.tasks.case_retrieval import found_cases

N = 12
PARAMS = {"n_steps": 20, "n_trees": 20, "width": 8, "n_folds": 2, "patience": 0}


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> MeanColor:
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 3})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    return described_by(monkeypatch)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A table of pictures of six patients; those of a class are darker."""
    (tmp_path / "pictures").mkdir()
    lines = ["slide,label,patient"]
    for number in range(N):
        is_low = number % 2
        rgb = he_image(300 + 20 * number, 240, number) // (2 if is_low else 1)
        Image.fromarray(rgb).save(tmp_path / "pictures" / f"p{number}.png")
        lines.append(f"p{number},{('Normal', 'Low grade')[is_low]},P{number // 2}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path / "labels.csv"


def trained(labels: Path) -> Path:
    order: dict[str, Any] = {"method": "patch_sum", "params": PARAMS, "bags": {"n_folds": 3}}
    places = {"images": str(labels.parent / "pictures"), "labels": str(labels)}
    classes = ["Normal", "Low grade"]
    return Path(train.run({**order, **places, "classes": classes}, SilentProgress())["model"])


def test_pictures_are_learned_from_whatever_their_scale(labels: Path) -> None:
    card = read_card(trained(labels))
    assert (card.mpp, len(card.held_out)) == (0.0, N)
    encoder = card.settings["encoder"]
    assert (encoder["of_whole"], encoder["mpp"], encoder["n_hand"] > 0) == (True, [], True)
    assert card.metrics["auroc"] == 1
    assert card.metrics["precision_at_1"] == 1
    assert card.metrics["precision_chance"] == pytest.approx(0.5)
    low, high = card.intervals["precision_at_5"]
    assert low <= card.metrics["precision_at_5"] <= high


def test_a_picture_is_told_with_its_patches_as_cells(labels: Path) -> None:
    model, picture = trained(labels), labels.parent / "pictures" / "p3.png"
    found = analyze_bag.run({"slide": str(picture), "model": str(model)}, SilentProgress())
    assert (found["predicted"], found["n_tiles"], found["is_clip"]) == ("Low grade", 21, False)
    with RunFile.open(Path(found["run_file"])) as run:
        record, tiles = run.record, run.bag_rows().read()
    assert (record.is_of_whole, record.mpp, record.area_mm2) == (True, None, 0)
    assert (record.grid_px, record.cell_l0) == ((7, 3), (360 / 7, 80))
    assert tiles is not None
    np.testing.assert_allclose(tiles.evidence.sum(axis=1), 1, atol=1e-5)


def test_what_is_found_is_of_other_patients() -> None:
    bags = [
        bag(np.full((2, 3), n // 2, np.float32), n % 2, name=str(n), split="train")
        for n in range(6)
    ]
    groups = np.arange(6) // 2

    def vector(features: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        return features[0].astype(np.int32)

    found = found_cases(vector, (bags[:2], groups[:2]), (bags[1:], groups[1:]), SilentProgress())
    assert found["precision_chance"] == (0.5, 0.5), "the one of the same patient does not count"
    assert found["precision_at_1"] == (0.5, 0.5), "all that are left are equally unlike"

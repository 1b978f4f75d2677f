"""From clips with several labels to a model that tells each of them, and where they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_slides import described, pictures, table

from pathoview.core.errors import InputError
from pathoview.core.progress import SilentProgress
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.model import read_card
from pathoview.tasks import bag_data, evaluate, held_out, train

QUICK = {"n_steps": 30, "batch": 4, "width": 16, "n_layers": 1, "lr": 0.02, "dropout": 0.0}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_data, "described", described)
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 3})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=30)
    for module in ("train_bags", "evaluate_slides"):
        monkeypatch.setattr(f"pathoview.tasks.{module}.scores_with_intervals", few_draws)


def cohort(folder: Path, n: int = 16) -> tuple[Path, Path]:
    """Write pictures: those called ``Tumor`` have it, and every third is from the left."""
    names = [f"{'Tumor' if number % 2 else 'Normal'}-{number}" for number in range(n)]
    rows = [
        {"slide": f"{name}.png", "Tumor": int(name.startswith("Tumor")), "Left": int(not place % 3)}
        for place, name in enumerate(names)
    ]
    return pictures(folder / "slides", names), table(folder / "labels.csv", rows)


def order(folder: Path, labels: Path, **more: Any) -> dict[str, Any]:
    said = {"method": "frame_attention", "params": QUICK, "mpp": 0.5, "bags": {"n_folds": 2}}
    return {**said, "images": str(folder), "labels": str(labels), **more}


def test_every_label_is_cross_validated_with_a_threshold_of_its_own(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    result = train.run(order(folder, labels), SilentProgress())
    card = read_card(Path(result["model"]))
    assert [one.name for one in card.classes] == ["Left", "Tumor"]
    assert card.settings["ordering"] == "labels"
    assert len(card.settings["thresholds"]) == 2
    assert "threshold" not in card.settings
    assert card.labels == {"Left": 6, "Tumor": 8}
    assert {"auroc", "macro_f1", "exact_match", "mean.auroc", "over_max.auroc"} <= set(card.metrics)
    assert "auroc" in card.intervals
    one = card.held_out[0]
    assert one.label == -1
    assert len(one.labels) == 2
    assert set(one.said_labels) == {"frame_attention", "mean", "max"}
    told = np.array([each.probabilities["frame_attention"][1] for each in card.held_out])
    truth = np.array([each.labels[1] for each in card.held_out])
    assert told[truth == 1].mean() > told[truth == 0].mean() + 0.2
    page = held_out.page_of(card)
    assert page["confusion"]["columns"][0] == "found"
    assert [sum(row) for row in page["confusion"]["matrix"]] == [16, 16]
    assert [one["name"] for one in page["roc"]] == ["Left", "Tumor"]
    for slide in page["slides"]:
        assert slide["is_right"] == (slide["label"] == slide["said"])
        assert len(slide["cells"]) == 2
    assert "wrongly said" in held_out.html_of(page)


def test_it_is_scored_on_other_slides(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    result = train.run(order(folder, labels), SilentProgress())
    others, truth = cohort(tmp_path / "other", 8)
    request = {
        "method": "frame_attention",
        "model": result["model"],
        "images": str(others),
        "labels": str(truth),
        "mpp": 0.5,
        "report": str(tmp_path / "report.html"),
    }
    told = evaluate.run(request, SilentProgress())
    assert told["pooled"]["exact_match"]["value"] is not None
    assert told["classes"]["Tumor"]["n"] == 4
    assert 0 <= told["classes"]["Tumor"]["recall"] <= 1
    slide = told["per_image"]["Tumor-1"]
    assert slide["label"] == "Tumor"
    assert "p(Left)" in slide
    assert (tmp_path / "report.html").exists()


def test_a_label_that_all_have_parts_nothing(tmp_path: Path) -> None:
    folder, _labels = cohort(tmp_path, 6)
    rows = [{"slide": path.name, "A": 1, "B": n % 2} for n, path in enumerate(folder.iterdir())]
    labels = table(tmp_path / "all.csv", rows)
    with pytest.raises(InputError, match="All have the label “A”"):
        train.run(order(folder, labels), SilentProgress())

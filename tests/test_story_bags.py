"""From labels of slides to a map of one more slide: train, apply, and look where it comes from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from labelled_slides import table
from makers import make_svs

from pathoview.core.progress import SilentProgress
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.layers.attention_source import attention_layer
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.methods.engine import bag_baselines
from pathoview.study.results import RunFile
from pathoview.tasks import analyze_bag, train, train_bags

SIDE = 64
N_COLUMNS, N_ROWS = 4, 3
N_SLIDES = 8
QUICK = {
    "n_steps": 40,
    "batch": 4,
    "width": 16,
    "lr": 0.01,
    "dropout": 0.5,
    "tile_dropout": 0.0,
}


def tissue(seed: int, planted: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    """Return pink tissue; the tile at a column and row is full of dark dots."""
    rng = np.random.default_rng(seed)
    shape = N_ROWS * SIDE, N_COLUMNS * SIDE, 3
    rgb = np.clip(rng.normal((200, 130, 180), 12, shape), 0, 255).astype(np.uint8)
    if planted is not None:
        left, top = planted[0] * SIDE, planted[1] * SIDE
        dots = rng.random((SIDE // 4, SIDE // 4)).repeat(4, 0).repeat(4, 1) < 0.4
        rgb[top : top + SIDE, left : left + SIDE][dots] = (70, 40, 120)
    return rgb


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 3})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=100)
    monkeypatch.setattr(train_bags, "scores_with_intervals", few_draws)
    folder, rows = tmp_path / "slides", []
    folder.mkdir()
    for number in range(N_SLIDES):
        place = (number % N_COLUMNS, number % N_ROWS) if number % 2 else None
        make_svs(folder / f"{number}.svs", tissue(number, place))
        rows.append({"slide": f"{number}.svs", "label": "Tumor" if number % 2 else "Benign"})
    order = {
        "method": "attention_mil",
        "params": QUICK,
        "images": str(folder),
        "labels": str(table(tmp_path / "labels.csv", rows)),
        "bags": {"n_folds": 2, "features": {"source": "random", "tile_px": SIDE}},
    }
    return Path(train.run(order, SilentProgress())["model"])


def test_a_model_of_labelled_slides_points_at_what_they_have_in_common(
    model: Path, tmp_path: Path
) -> None:
    place = 2, 1
    slide = make_svs(tmp_path / "new.svs", tissue(99, place))
    plain = make_svs(tmp_path / "plain.svs", tissue(98, None))
    result = analyze_bag.run({"slide": str(slide), "model": str(model)}, SilentProgress())
    other = analyze_bag.run({"slide": str(plain), "model": str(model)}, SilentProgress())
    assert (result["predicted"], other["predicted"]) == ("Tumor", "Benign")
    assert result["n_tiles"] == N_COLUMNS * N_ROWS
    assert result["threshold"] is not None
    top = result["top_tiles"][0]
    assert (top["x_l0"], top["y_l0"]) == (place[0] * SIDE, place[1] * SIDE)
    with RunFile.open(Path(result["run_file"])) as run:
        source = attention_layer(run, N_COLUMNS * SIDE, N_ROWS * SIDE).source
        context = run.record.context
    assert isinstance(source, HeatmapSource)
    values = [
        source.value_at((column + 0.5) * SIDE, (row + 0.5) * SIDE) or 0.0
        for row in range(N_ROWS)
        for column in range(N_COLUMNS)
    ]
    assert int(np.argmax(values)) == place[1] * N_COLUMNS + place[0]
    assert max(values) > 2
    assert context["auroc_interval"][0] <= context["auroc"] <= context["auroc_interval"][1]

"""Maps of classes: the same map however the analysis is run, stopped and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pixel_methods import CLASSES, Colours, known_colours
from raster_runs import (
    PART_L0,
    Planes,
    analyzed,
    killed_at_its_third_tile,
    make_scene,
    part_of,
    planes_of,
    request,
    seen_at_once,
)
from test_analyze import Listener, cancel_after

from pathoview.core.errors import Cancelled, RunError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.study.raster_rows import quantised
from pathoview.study.results import RunFile
from pathoview.tasks import analyze


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return known_colours(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scene(tmp_path_factory)


def expected(path: Path) -> Planes:
    """What one look at the whole slide says."""
    patch, tissue = seen_at_once(path)
    return quantised(Colours(None, None).predict(patch, 1.0, {})) * tissue  # type: ignore[arg-type]


def test_tiles_together_are_the_map_of_the_whole_slide(slide: Path, model: Path) -> None:
    truth = expected(slide)
    assert 0.2 < truth.any(axis=0).mean() < 1
    for tile_px in (64, 128, 1024):
        np.testing.assert_array_equal(analyzed(slide, model, tile_px=tile_px), truth)


def test_areas_of_classes_are_in_the_record(slide: Path, model: Path) -> None:
    result = analyze.run(request(slide, model), SilentProgress())
    planes = planes_of(result)
    n = [np.count_nonzero((planes.argmax(axis=0) == k) & planes.any(axis=0)) for k in range(3)]
    with RunFile.open(Path(result["run_file"])) as run:
        record = run.record
    assert (record.gives, record.state, record.n_objects) == ("pixel", "done", 0)
    assert [one.name for one in record.classes] == [one.name for one in CLASSES]
    assert record.class_areas_mm2 == pytest.approx([one * (record.mpp / 1000) ** 2 for one in n])
    assert min(n[1:]) > 1000
    assert sum(record.class_areas_mm2) == pytest.approx(record.area_mm2, rel=0.02)


def test_order_and_threads_change_nothing(slide: Path, model: Path) -> None:
    listener = Listener()
    listener.control.focus_l0 = Rect(1000, 800, 100, 100)
    found = planes_of(analyze.run(request(slide, model, n_computers=3), listener))
    # It is begun first, and with three threads among the first to be done.
    first = listener.of_kind("tile")[: len(listener.of_kind("tile")) // 2]
    assert any(Rect(*one["rect_l0"]).intersects(Rect(1000, 800, 100, 100)) for one in first)
    np.testing.assert_array_equal(found, expected(slide))


def test_a_stopped_run_goes_on_from_its_finished_tiles(slide: Path, model: Path) -> None:
    first, second = cancel_after(3), Listener()
    with pytest.raises(Cancelled):
        analyze.run(request(slide, model), first)
    result = analyze.run(request(slide, model, resume=True), second)
    started = second.of_kind("started")[0]
    assert result["run_file"] == first.of_kind("started")[0]["run_file"]
    assert started["n_done"] == 3
    assert len(second.of_kind("tile")) == started["n_tiles"] - 3
    np.testing.assert_array_equal(planes_of(result), expected(slide))


def test_a_killed_process_loses_only_the_tile_it_was_at(slide: Path, model: Path) -> None:
    killed_at_its_third_tile("pixel_methods", request(slide, model))
    again = Listener()
    result = analyze.run(request(slide, model, resume=True), again)
    assert again.of_kind("started")[0]["n_done"] >= 3
    np.testing.assert_array_equal(planes_of(result), expected(slide))


def test_a_region_is_a_part_of_the_whole_map(slide: Path, model: Path) -> None:
    part = analyzed(slide, model, region_l0=PART_L0)
    np.testing.assert_array_equal(part, part_of(expected(slide)))


def test_a_model_that_gives_something_else_is_refused_in_a_sentence(
    slide: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Colours, patch: Any, mpp: float, context: Any) -> Any:
        return np.full((*patch.shape[:2], 3), np.nan, np.float32)

    monkeypatch.setattr(Colours, "predict", broken)
    with pytest.raises(RunError, match="probability"):
        analyze.run(request(slide, model), SilentProgress())


def test_a_method_without_a_model_is_refused(slide: Path, model: Path) -> None:
    with pytest.raises(UsageError, match="trained"):
        analyze.run({"slide": str(slide), "method": "colours"}, SilentProgress())

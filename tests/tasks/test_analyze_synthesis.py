"""Pseudo-healthy pictures: the same however the analysis is run, stopped and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
from synthesis_methods import Bleach, known_bleach
from test_analyze import Listener, cancel_after

from pathoview.core.errors import Cancelled, RunError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.methods.spec import Synthesised
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import (
    BRIGHTNESS,
    DIFFERENCE,
    PATHOLOGY,
    SynthesisCounts,
    synthesis_planes,
)
from pathoview.tasks import analyze


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return known_bleach(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scene(tmp_path_factory)


def made_of(patch: Any) -> Synthesised:
    return Bleach(None, None).predict(patch, 1.0, {})  # type: ignore[arg-type]


def expected(path: Path) -> Planes:
    """What one look at the whole slide makes of it."""
    patch, tissue = seen_at_once(path)
    made = made_of(patch)
    return synthesis_planes(patch, made.picture, made.pathology) * tissue


def test_planes_are_the_picture_itself_and_what_differs() -> None:
    slide = np.full((2, 2, 3), 100, np.uint8)
    picture = slide.copy()
    picture[0, 0] = (160, 100, 70)
    picture[0, 1] = (220, 220, 220)
    pathology = np.array([[0.5, 1.0], [0.0, 0.2]], np.float32)
    planes = synthesis_planes(slide, picture, pathology)
    np.testing.assert_array_equal(np.moveaxis(planes[1:4], 0, 2), picture)
    assert planes[PATHOLOGY].tolist() == [[128, 255], [0, 51]]
    assert planes[DIFFERENCE].tolist() == [[30, 120], [0, 0]]
    assert planes[BRIGHTNESS].tolist() == [[120, 68], [128, 128]]  # darker than its picture
    counts = SynthesisCounts.of(planes)
    assert (counts.n_px, counts.n_pathology(), counts.n_pathology(0.9)) == (4, 2, 1)
    assert counts.n_different(30) == 2
    assert counts.n_different(30.5) == 1
    assert (counts.mean_difference, counts.mean_inside, counts.mean_outside) == (37.5, 75, 0)
    chosen = np.array([[True, False], [False, True]])
    assert SynthesisCounts.of(planes, chosen).mean_difference == 15


def test_tiles_together_are_what_one_look_makes_of_the_slide(slide: Path, model: Path) -> None:
    truth = expected(slide)
    assert 0.2 < truth.any(axis=0).mean() < 1
    assert 0.01 < (truth[PATHOLOGY] > 128).mean() < 0.9
    for tile_px in (64, 128, 1024):
        np.testing.assert_array_equal(analyzed(slide, model, tile_px=tile_px), truth)


def test_the_area_of_pathology_is_in_the_record(slide: Path, model: Path) -> None:
    result = analyze.run(request(slide, model), SilentProgress())
    patch, tissue = seen_at_once(slide)
    with RunFile.open(Path(result["run_file"])) as run:
        record, counts = run.record, run.synthesis_rows().counts()
    assert (record.gives, record.state, record.n_objects) == ("synthesis", "done", 0)
    assert [one.name for one in record.classes] == ["Tumor"]
    n = np.count_nonzero((made_of(patch).pathology >= 0.5) & tissue)
    assert record.mpp is not None
    assert record.pathology_mm2 == pytest.approx(n * (record.mpp / 1000) ** 2, rel=0.01)
    assert result["pathology_mm2"] == record.pathology_mm2 > 0
    assert counts.n_px == np.count_nonzero(tissue)


def test_order_and_threads_change_nothing(slide: Path, model: Path) -> None:
    listener = Listener()
    listener.control.focus_l0 = Rect(1000, 800, 100, 100)
    found = planes_of(analyze.run(request(slide, model, n_computers=3), listener))
    assert Rect(*listener.of_kind("tile")[0]["rect_l0"]).intersects(Rect(1000, 800, 100, 100))
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
    killed_at_its_third_tile("synthesis_methods", request(slide, model))
    again = Listener()
    result = analyze.run(request(slide, model, resume=True), again)
    assert again.of_kind("started")[0]["n_done"] >= 3
    np.testing.assert_array_equal(planes_of(result), expected(slide))


def test_a_region_is_a_part_of_the_whole(slide: Path, model: Path) -> None:
    part = analyzed(slide, model, region_l0=PART_L0)
    np.testing.assert_array_equal(part, part_of(expected(slide)))


def test_a_model_that_gives_something_else_is_refused_in_a_sentence(
    slide: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Bleach, patch: Any, mpp: float, context: Any) -> Synthesised:
        return Synthesised(patch, np.full(patch.shape[:2], np.nan, np.float32))

    monkeypatch.setattr(Bleach, "predict", broken)
    with pytest.raises(RunError, match="probability"):
        analyze.run(request(slide, model), SilentProgress())

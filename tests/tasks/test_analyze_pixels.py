"""Maps of classes: the same map however the analysis is run, stopped and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from makers import he_image, make_pyramid_tiff
from pixel_methods import CLASSES, Colours, known_colours
from test_analyze import Listener, cancel_after

from pathoview.core.errors import Cancelled, RunError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.slides.reading import analysis_grid, read_patch
from pathoview.slides.tissue import tissue_mask
from pathoview.study.raster_rows import quantised
from pathoview.study.results import RunFile
from pathoview.tasks import analyze

_DIES = """
import json, os, signal, sys
from pixel_methods import SPEC
from test_analyze import Listener
from pathoview.methods.registry import METHODS
from pathoview.tasks import analyze

def die(listener, kind):
    if len(listener.of_kind("tile")) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

METHODS.add(SPEC)
analyze.run(json.loads(sys.argv[1]), Listener(die))
"""

Planes = npt.NDArray[np.uint8]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return known_colours(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "scene.tiff"
    return make_pyramid_tiff(path, he_image(1500, 1100, glass_px=200))


def request(slide: Path, model: Path, **changes: Any) -> dict[str, Any]:
    return {"slide": str(slide), "model": str(model), "tile_px": 128, "n_computers": 1} | changes


def map_of(result: Mapping[str, Any]) -> Planes:
    with RunFile.open(Path(result["run_file"])) as run:
        width, height = run.record.grid_px
        return run.map_rows().area(0, 0, 0, width, height)


def analyzed(slide: Path, model: Path, **changes: Any) -> Planes:
    return map_of(analyze.run(request(slide, model, **changes), SilentProgress()))


def expected(path: Path) -> Planes:
    """What one look at the whole slide says."""
    with open_slide(path) as slide:
        grid = analysis_grid(slide, 1.0)
        patch = read_patch(slide, grid, 0, 0, grid.width, grid.height)
        tissue, scale = tissue_mask(slide), grid.scale_l0
    planes = quantised(Colours(None, None).predict(patch, 1.0, {}))  # type: ignore[arg-type]
    y, x = (
        ((np.arange(n) + 0.5) * scale // tissue.downsample).astype(int) for n in planes.shape[1:]
    )
    return planes * tissue.mask[np.ix_(y, x)]


def test_tiles_together_are_the_map_of_the_whole_slide(slide: Path, model: Path) -> None:
    truth = expected(slide)
    assert 0.2 < truth.any(axis=0).mean() < 1
    for tile_px in (64, 128, 1024):
        np.testing.assert_array_equal(analyzed(slide, model, tile_px=tile_px), truth)


def test_areas_of_classes_are_in_the_record(slide: Path, model: Path) -> None:
    result = analyze.run(request(slide, model), SilentProgress())
    planes = map_of(result)
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
    found = map_of(analyze.run(request(slide, model, n_computers=3), listener))
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
    np.testing.assert_array_equal(map_of(result), expected(slide))


def test_a_killed_process_loses_only_the_tile_it_was_at(slide: Path, model: Path) -> None:
    folders = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parents[1])))
    order = json.dumps(request(slide, model))
    child = subprocess.run(
        [sys.executable, "-c", _DIES, order],
        env={**os.environ, "PYTHONPATH": folders},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    again = Listener()
    result = analyze.run(request(slide, model, resume=True), again)
    assert again.of_kind("started")[0]["n_done"] >= 3
    np.testing.assert_array_equal(map_of(result), expected(slide))


def test_a_region_is_a_part_of_the_whole_map(slide: Path, model: Path) -> None:
    part = analyzed(slide, model, region_l0=[500, 402, 300, 250])
    truth = expected(slide)
    inside = np.zeros(truth.shape[1:], bool)
    inside[201:326, 250:400] = True
    np.testing.assert_array_equal(part, truth * inside)


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

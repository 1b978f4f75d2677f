from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from annotations.geojson_helpers import write
from annotations.outline_tables import random_table
from fakes import ArraySlide

from pathoview.annotations import geojson_elements
from pathoview.annotations.feature import Feature
from pathoview.core.errors import (
    AnnotationFileError,
    Cancelled,
    InputError,
    SlideError,
    StorageError,
    UsageError,
)
from pathoview.core.progress import Control, SilentProgress
from pathoview.slides.slide import Slide
from pathoview.study import results
from pathoview.study.results import RunFile, find_runs, runs_folder
from pathoview.tasks import export_file, import_file

TABLE = random_table(400, side_px=2000)


class _Listening(SilentProgress):
    def __init__(self, control: Control | None = None) -> None:
        super().__init__(control)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.fractions: list[float] = []

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.fractions.append(fraction)

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        self.events.append((kind, dict(data)))


@pytest.fixture
def slide(monkeypatch: pytest.MonkeyPatch) -> Slide:
    slide = ArraySlide(np.zeros((2000, 2000, 3), np.uint8))
    monkeypatch.setattr(import_file, "open_scaled", lambda _path, _mpp: slide)
    return slide


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "given.geojson"
    cell = Feature(shapely.box(1, 2, 3, 4), name="cell", object_type="cell")
    write(path, [TABLE], [cell, Feature(shapely.box(5, 6, 7, 8), name="drawn")])
    return path


def _import(file: Path, progress: SilentProgress | None = None) -> dict[str, Any]:
    request = {"file": str(file), "slide": "any.svs", "mpp": None}
    return import_file.run(request, progress or SilentProgress())


def test_a_file_becomes_a_result_of_the_slide(slide: Slide, file: Path) -> None:
    result = _import(file)
    assert (result["n_objects"], result["n_features"], result["warnings"]) == (400, 1, [])
    assert (result["n_annotations"], result["format"]) == (1, "geojson")
    json.dumps(result)
    ((path, record),) = find_runs(slide.content_hash)
    assert str(path) == result["run_file"]
    assert (record.kind, record.state, record.n_objects) == ("import", "done", 402)
    assert (record.mpp, record.slide_mpp) == (0.5, (0.5, 0.5))
    with RunFile.open(path) as run_file:
        assert np.array_equal(run_file.all().points, TABLE.points)
        assert np.array_equal(run_file.all().ids, TABLE.ids)
        assert [one.name for one in run_file.features()] == ["cell"]


def test_annotations_wait_in_the_result_until_a_study_has_them(slide: Slide, file: Path) -> None:
    with RunFile.open(Path(_import(file)["run_file"]), writable=True) as run_file:
        assert run_file.record.n_annotations == 1
        (drawn,) = run_file.annotations()
        assert (drawn.name, drawn.origin) == ("drawn", "geojson")
        assert run_file.remove_annotations().n_objects == 401
        assert run_file.annotations() == []
        assert [one.name for one in run_file.features()] == ["cell"]


def test_annotations_that_no_study_takes_become_features(slide: Slide, file: Path) -> None:
    with RunFile.open(Path(_import(file)["run_file"]), writable=True) as run_file:
        assert run_file.keep_annotations().n_annotations == 0
        assert [one.name for one in run_file.features()] == ["cell", "drawn"]


def test_annotations_become_features_whole_or_not_at_all(
    slide: Slide, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_said: object) -> None:
        raise StorageError("The disk is full.")

    with RunFile.open(Path(_import(file)["run_file"]), writable=True) as run_file:
        with monkeypatch.context() as patched:
            patched.setattr(results, "_without_annotations", fails)
            with pytest.raises(StorageError):
                run_file.keep_annotations()
        assert [one.name for one in run_file.features()] == ["cell"]
        assert run_file.keep_annotations().n_annotations == 0
        assert run_file.keep_annotations().n_annotations == 0
        assert [one.name for one in run_file.features()] == ["cell", "drawn"]


def test_a_file_of_nothing_but_annotations_is_not_shown_as_a_result(
    slide: Slide, tmp_path: Path
) -> None:
    path = tmp_path / "points.csv"
    path.write_text("x,y,class\n10,20,Tumor\n30,40,Stroma\n")
    progress = _Listening()
    result = _import(path, progress)
    assert (result["n_annotations"], result["format"]) == (2, "points")
    assert progress.events == []
    with RunFile.open(Path(result["run_file"])) as run_file:
        assert run_file.record.is_only_annotations
        places = [(one.geometry.x, one.geometry.y) for one in run_file.annotations()]
        assert places == [(10, 20), (30, 40)]


def test_what_a_file_does_not_say_can_be_said(slide: Slide, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("x,y\n10,20\n")
    request = {"file": str(path), "slide": "any.svs", "options": {"unit": "um"}}
    result = import_file.run(request, SilentProgress())
    with RunFile.open(Path(result["run_file"])) as run_file:
        assert run_file.annotations()[0].geometry.coords[0] == (20, 40)
    with pytest.raises(UsageError, match="unit"):
        import_file.run({**request, "options": {"unit": "feet"}}, SilentProgress())


def test_shapes_that_cross_themselves_are_made_valid(slide: Slide, tmp_path: Path) -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}
    path = tmp_path / "given.geojson"
    path.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": bow}))
    result = _import(path)
    assert "made valid" in result["warnings"][0]
    with RunFile.open(Path(result["run_file"])) as run_file:
        assert shapely.is_valid(run_file.annotations()[0].geometry)


def test_annotations_beyond_the_slide_are_told_too(slide: Slide, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("x,y\n10,20\n5000,20\n")
    assert "outside of the slide" in _import(path)["warnings"][0]


def test_the_window_sees_it_grow(slide: Slide, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson_elements, "CHUNK_BYTES", 50_000)
    progress = _Listening()
    result = _import(file, progress)
    kinds = [kind for kind, _data in progress.events]
    assert kinds[0] == "started"
    assert progress.events[0][1] == {"run_file": result["run_file"]}
    tiles = [data for kind, data in progress.events if kind == "tile"]
    assert len(tiles) == len({(data["col"], data["row"]) for data in tiles}) > 2
    assert sum(data["n"] for data in tiles) == 400
    assert sum(data["n"] for kind, data in progress.events if kind == "features") == 1
    assert progress.fractions == sorted(progress.fractions)


def test_the_bounds_offset_is_added_back(slide: Slide, file: Path, tmp_path: Path) -> None:
    slide.info = replace(slide.info, bounds_offset_l0=(300, 70))
    result = _import(file)
    with RunFile.open(Path(result["run_file"])) as run_file:
        assert np.array_equal(run_file.all().points, TABLE.moved(300, 70).points)
        assert next(run_file.features()).geometry.bounds == (301, 72, 303, 74)
        assert run_file.annotations()[0].geometry.bounds == (305, 76, 307, 78)
    output = tmp_path / "again.geojson"
    export_file.run({"run_file": result["run_file"], "output": str(output)}, SilentProgress())
    first, second = (json.loads(path.read_bytes())["features"] for path in (file, output))
    assert second == first[:-1]


def test_a_slide_without_a_scale_can_be_given_objects(slide: Slide, file: Path) -> None:
    slide.info = replace(slide.info, mpp=None)
    with RunFile.open(Path(_import(file)["run_file"])) as run_file:
        assert run_file.record.mpp is None


def test_objects_beyond_the_slide_are_kept_with_a_warning(slide: Slide, tmp_path: Path) -> None:
    path = tmp_path / "given.geojson"
    write(path, [random_table(50, side_px=2000), random_table(50, side_px=90_000, seed=1)])
    result = _import(path)
    assert result["n_objects"] == 100
    (warning,) = result["warnings"]
    assert "outside of the slide" in warning


def test_what_was_left_out_is_counted(slide: Slide, tmp_path: Path) -> None:
    path = tmp_path / "given.geojson"
    good = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}
    bad = {"type": "Feature", "geometry": {"type": "Circle", "coordinates": [1, 2]}}
    path.write_text(json.dumps([good, bad, bad]))
    result = _import(path)
    assert (result["n_objects"], result["n_annotations"]) == (0, 1)
    assert result["warnings"] == [
        "2 objects: each has a geometry of the type “Circle” and was left out."
    ]


@pytest.mark.parametrize("text", ["", "hello", "[1]", '[{"type":"Feature"'])
def test_a_file_that_cannot_be_read_leaves_no_result(
    slide: Slide, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "given.geojson"
    path.write_text(text)
    with pytest.raises(InputError):
        _import(path)
    assert list(runs_folder(slide.content_hash).iterdir()) == []


def test_a_cancelled_import_leaves_no_result(slide: Slide, file: Path) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        _import(file, SilentProgress(control))
    assert list(runs_folder(slide.content_hash).iterdir()) == []


def test_missing_files_are_named(slide: Slide, tmp_path: Path, file: Path) -> None:
    with pytest.raises(AnnotationFileError, match="no file"):
        _import(tmp_path / "none.geojson")


def test_a_missing_slide_is_named(file: Path, tmp_path: Path) -> None:
    request = {"file": str(file), "slide": str(tmp_path / "none.svs")}
    with pytest.raises(SlideError):
        import_file.run(request, SilentProgress())

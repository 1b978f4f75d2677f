from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from annotations.outline_tables import random_table
from annotations.qupath_checker import features, violations
from studies import STROMA, draw

from pathoview import __version__
from pathoview.annotations.change import Change
from pathoview.annotations.detections import Detections
from pathoview.annotations.feature import Feature
from pathoview.annotations.origin import origin_of
from pathoview.core.errors import Cancelled, StorageError, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.study.step import RecordChange
from pathoview.tasks.export_file import run


def _run_file(folder: Path, **changes: Any) -> tuple[Path, Detections]:
    record = RunRecord(
        key="k",
        method="nuclei_watershed",
        title="Nuclei of Jane Doe.svs",
        params={"min_area_um2": 12.0},
        slide_hash="abc",
        pseudonym="slide-abc",
        mpp=0.5,
        **changes,
    )
    table = random_table(300)
    with RunFile.create(folder / "a.run", record) as run_file:
        for tile in range(3):
            run_file.add_tile(tile, 0, table.take(np.arange(tile * 100, tile * 100 + 100)))
        run_file.add_features([Feature(shapely.Point(50, 60), name="here")])
        run_file.drop(table.ids[:10])
        run_file.update_record(n_objects=291, state="done")
    return run_file.path, table.take(np.arange(10, 300))


def _export(run_file: Path, output: Path, **more: Any) -> dict[str, Any]:
    return run({"run_file": str(run_file), "output": str(output), **more}, SilentProgress())


def test_a_run_is_exported_without_what_was_dropped(tmp_path: Path) -> None:
    run_file, table = _run_file(tmp_path)
    output = tmp_path / "out.geojson"
    result = _export(run_file, output)
    assert violations(output) == []
    written = features(output)
    assert [one["id"] for one in written[:-1]] == [str(table.uuid(row)) for row in range(290)]
    assert written[-1]["properties"]["name"] == "here"
    assert (result["n_objects"], result["n_left_out"]) == (291, 0)
    assert result["bytes"] == output.stat().st_size
    assert result["mb_per_s"] > 0
    json.dumps(result)


def _corrected(folder: Path, run_file: Path, table: Detections, *rows: int) -> Path:
    """Return a study in which rows of a run were made one annotation of a class."""
    ids = [table.uuid(row) for row in rows]
    with RunFile.open(run_file) as run_of:
        origin = origin_of(run_of.record.id, ids)
    drawn = Feature(
        shapely.box(0, 0, 9, 9), name="corrected", classification=STROMA.drawn, origin=origin
    )
    study = folder / "s.pathoview"
    change = Change.adding([drawn, Feature(shapely.Point(5, 5), name="drawn")])
    draw(study, change, slide="abc", records=[RecordChange.of(None, STROMA)])
    return study


def test_what_was_corrected_is_written_once(tmp_path: Path) -> None:
    run_file, table = _run_file(tmp_path)
    study = _corrected(tmp_path, run_file, table, 0, 150, 151)
    output = tmp_path / "both.geojson"
    result = _export(run_file, output, study=str(study))
    assert violations(output) == []
    written = features(output)
    left = [str(table.uuid(row)) for row in range(290) if row not in (0, 150, 151)]
    assert [one["id"] for one in written[: len(left)]] == left
    others = [one["properties"].get("name") for one in written[len(left) :]]
    assert sorted(others) == ["corrected", "drawn", "here"]
    assert result["n_objects"] == 290
    _export(run_file, output)
    assert len(features(output)) == 291, "without annotations nothing is left out"


def test_what_was_corrected_is_gone_from_its_old_class_too(tmp_path: Path) -> None:
    run_file, table = _run_file(tmp_path)
    row = int(np.flatnonzero(table.class_index == 0)[0])
    study = _corrected(tmp_path, run_file, table, row)
    output = tmp_path / "one.geojson"
    _export(run_file, output, study=str(study), classes=[table.classes[0].name])
    ids = [one["id"] for one in features(output)]
    assert len(ids) == np.count_nonzero(table.class_index == 0) - 1
    assert str(table.uuid(row)) not in ids


def test_the_stamp_names_the_slide_by_its_pseudonym_only(tmp_path: Path) -> None:
    run_file, _table = _run_file(tmp_path)
    output = tmp_path / "out.geojson"
    _export(run_file, output)
    text = output.read_text(encoding="utf-8")
    stamp = json.loads(text)["provenance"]
    assert "research use only" in stamp["notice"]
    assert stamp["software"] == f"PathoView {__version__}"
    assert stamp["slide"] == "slide-abc"
    assert stamp["params"] == {"min_area_um2": 12.0}
    assert "Jane" not in text


def test_a_bare_array_without_measurements_packed(tmp_path: Path) -> None:
    run_file, _table = _run_file(tmp_path)
    output = tmp_path / "out.geojson.gz"
    _export(run_file, output, collection=False, measurements=False)
    assert violations(output) == []
    assert not any("measurements" in one["properties"] for one in features(output))


@pytest.mark.parametrize(("crop", "offset"), [(True, [1000, 500]), (False, [0, 0])])
def test_the_bounds_offset_is_subtracted_unless_told_otherwise(
    tmp_path: Path, crop: bool, offset: list[int]
) -> None:
    run_file, table = _run_file(tmp_path, bounds_offset_l0=(1000, 500))
    output = tmp_path / "out.geojson"
    _export(run_file, output, crop_to_bounds=crop)
    first = features(output)[0]["geometry"]["coordinates"][0]
    assert np.allclose(first[:-1], table.ring_l0(0) - offset, atol=1e-9)
    assert json.loads(output.read_bytes())["provenance"]["origin_l0"] == offset


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    run_file, _table = _run_file(tmp_path)
    with pytest.raises(StorageError, match="There is no file"):
        _export(tmp_path / "none.run", tmp_path / "out.geojson")
    with pytest.raises(UsageError):
        _export(run_file, tmp_path / "out.svg")
    with pytest.raises(StorageError, match="folder does not exist"):
        _export(run_file, tmp_path / "none" / "out.geojson")


def test_a_cancelled_export_leaves_nothing(tmp_path: Path) -> None:
    run_file, _table = _run_file(tmp_path)
    control = Control()
    control.cancel()
    request = {"run_file": str(run_file), "output": str(tmp_path / "out.geojson")}
    with pytest.raises(Cancelled):
        run(request, SilentProgress(control))
    assert not list(tmp_path.glob("*geojson*"))

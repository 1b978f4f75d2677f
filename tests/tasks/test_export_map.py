"""The map of a run in files: regions that QuPath opens, a picture of classes, probabilities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from annotations.qupath_checker import features, violations
from PIL import Image

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.layers.raster_file import open_raster
from pathoview.slides.opening import open_slide
from pathoview.study.raster_rows import Planes
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks import export_map
from pathoview.tasks.export_file import run

CLASSES = (
    DetectionClass("Background", (200, 200, 200)),
    DetectionClass("Tumor", (200, 0, 0)),
    DetectionClass("Stroma", (150, 200, 150)),
)
WIDTH, HEIGHT, SIDE = 1300, 900, 256


@pytest.fixture(scope="module")
def planes() -> Planes:
    out = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    out[0, 50:800, 50:1200] = 255
    out[:, 100:500, 100:600] = np.array([15, 200, 40])[:, None, None]
    out[:, 200:300, 200:300] = np.array([0, 100, 155])[:, None, None]
    return out


@pytest.fixture
def run_file(tmp_path: Path, planes: Planes) -> Path:
    record = RunRecord(
        key="k",
        method="m",
        title="Map",
        slide_hash="0",
        pseudonym="slide-0",
        gives="pixel",
        classes=CLASSES,
        class_areas_mm2=(0.6, 0.19, 0.01),
        tile_px=SIDE,
        grid_px=(WIDTH, HEIGHT),
        scale_l0=2.0,
        mpp=1.0,
        state="done",
        bounds_offset_l0=(100, 0),
    )
    with RunFile.create(tmp_path / "map.run", record) as file:
        rows = file.map_rows()
        padded = np.pad(planes, ((0, 0), (0, -HEIGHT % SIDE), (0, -WIDTH % SIDE)))
        for row in range(padded.shape[1] // SIDE):
            for col in range(padded.shape[2] // SIDE):
                part = padded[:, row * SIDE : (row + 1) * SIDE, col * SIDE : (col + 1) * SIDE]
                rows.add(col, row, part, rows.n_levels(WIDTH, HEIGHT))
    return tmp_path / "map.run"


def export(run_file: Path, output: Path, **more: Any) -> dict[str, Any]:
    return run({"run_file": str(run_file), "output": str(output), **more}, SilentProgress())


def test_regions_are_geojson_that_qupath_opens(run_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "map.geojson"
    assert export(run_file, output)["n_objects"] == 2
    assert violations(output) == []
    found = {one["properties"]["classification"]["name"]: one for one in features(output)}
    assert found.keys() == {"Tumor", "Stroma"}
    tumor = found["Tumor"]
    assert tumor["properties"]["objectType"] == "annotation"
    assert tumor["properties"]["classification"]["color"] == [200, 0, 0]
    assert len(tumor["geometry"]["coordinates"]) == 2
    assert min(tumor["geometry"]["coordinates"][0]) == [2 * 100 - 100, 200]
    assert tumor["properties"]["measurements"]["Area µm²"] == 400 * 500 - 100 * 100
    stamp = json.loads(output.read_text(encoding="utf-8"))["provenance"]
    assert stamp["class_areas_mm2"] == {"Background": 0.6, "Tumor": 0.19, "Stroma": 0.01}


def test_only_wanted_classes_and_large_enough_regions_are_written(
    run_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "map.geojson"
    assert export(run_file, output, classes=["Background", "Stroma"])["n_objects"] == 2
    small = {"smallest_um2": 20_000}
    assert export(run_file, output, map=small)["n_objects"] == 1
    assert len(features(output)[0]["geometry"]["coordinates"]) == 1


def test_the_picture_of_classes_has_their_numbers_and_colours(
    run_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "map.png"
    assert export(run_file, output, format="class-map")["mpp"] == 1.0
    with Image.open(output) as picture:
        numbers = np.asarray(picture)
        assert picture.convert("RGB").getpixel((150, 150)) == (200, 0, 0)
        assert "research use only" in picture.info["Notice"]
    assert numbers.shape == (HEIGHT, WIDTH)
    assert [numbers[y, x] for y, x in ((0, 0), (60, 60), (150, 150), (250, 250))] == [255, 0, 1, 2]
    assert open_raster(output).dtype == np.uint8


def test_a_large_map_becomes_a_smaller_picture(
    run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_map, "LARGEST_PX", 400_000)
    output = tmp_path / "map.png"
    assert export(run_file, output, format="class-map")["mpp"] == 2.0
    with Image.open(output) as picture:
        assert picture.size == (650, 450)
        assert np.asarray(picture)[75, 75] == 1


def test_probabilities_are_a_pyramid_with_scale_and_names(
    run_file: Path, tmp_path: Path, planes: Planes
) -> None:
    output = tmp_path / "map.ome.tif"
    export(run_file, output, format="probabilities")
    with tifffile.TiffFile(output) as file:
        series = file.series[0]
        np.testing.assert_array_equal(series.asarray(), planes)
        assert [level.shape for level in series.levels] == [
            (3, 900, 1300),
            (3, 450, 650),
            (3, 225, 325),
        ]
        assert series.levels[1].asarray()[1, 75, 75] == 200
        assert file.ome_metadata is not None
        assert "research use only" in file.ome_metadata
    with open_slide(output) as slide:
        assert [channel.name for channel in slide.info.channels] == [one.name for one in CLASSES]
        assert slide.info.mpp == pytest.approx((1.0, 1.0))


def test_probabilities_may_be_numbers_from_0_to_1(
    run_file: Path, tmp_path: Path, planes: Planes
) -> None:
    output = tmp_path / "map.ome.tif"
    export(run_file, output, format="probabilities", map={"as_float": True})
    np.testing.assert_allclose(tifffile.imread(output), planes / 255, atol=1e-6)


def test_an_export_that_is_stopped_leaves_the_old_file(run_file: Path, tmp_path: Path) -> None:
    control = Control()
    control.cancel()
    for name, form in (("map.png", "class-map"), ("map.ome.tif", "probabilities")):
        output = tmp_path / name
        output.write_bytes(b"old")
        with pytest.raises(Cancelled):
            run(
                {"run_file": str(run_file), "output": str(output), "format": form},
                SilentProgress(control),
            )
        assert output.read_bytes() == b"old"


def test_what_cannot_be_is_said(run_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.ome\.tif"):
        export(run_file, tmp_path / "map.tif", format="probabilities")
    with pytest.raises(UsageError, match="tolerance"):
        export(run_file, tmp_path / "map.geojson", map={"tolerance_um": -1})
    record = RunRecord(key="k", method="m", title="Nuclei", slide_hash="0", pseudonym="p")
    with RunFile.create(tmp_path / "nuclei.run", record) as other:
        pass
    with pytest.raises(UsageError, match="no map"):
        export(other.path, tmp_path / "map.png", format="class-map")

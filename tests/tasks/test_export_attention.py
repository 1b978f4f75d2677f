"""The tiles of a whole slide in files: squares and outlines, a picture, numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import tifffile
from annotations.qupath_checker import features, violations
from PIL import Image

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.layers.raster_file import open_raster
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks import export_file, take_regions

CLASSES = (DetectionClass("Benign", (0, 200, 0)), DetectionClass("Tumor", (200, 0, 0)))
SIDE = 224.5
GRID = 6, 4
HIGH = ((1, 1), (2, 1), (2, 2))
"""Columns and rows of tiles that counted much: an L."""


@pytest.fixture
def tiles() -> BagTiles:
    places = [(column, row) for row in range(GRID[1]) for column in range(5)]
    columns, rows = np.array(places, np.int32).T
    attention = np.array([5.0 if place in HIGH else 0.3 for place in places], np.float32)
    attention /= attention.sum()
    tumor = np.linspace(0, 1, len(places), dtype=np.float32)
    return BagTiles(columns, rows, attention, np.stack([1 - tumor, tumor], axis=1))


@pytest.fixture
def run_file(tmp_path: Path, tiles: BagTiles) -> Path:
    record = RunRecord(
        key="k",
        method="m",
        title="Bright or not",
        model_title="Bright or not",
        slide_hash="0",
        pseudonym="slide-0",
        gives="bag",
        classes=CLASSES,
        probabilities=(0.2, 0.8),
        context={"threshold": 0.3},
        tile_px=112,
        grid_px=GRID,
        scale_l0=SIDE,
        mpp=1.0,
        slide_mpp=(112 / SIDE, 112 / SIDE),
        state="done",
        bounds_offset_l0=(100, 0),
    )
    with RunFile.create(tmp_path / "one.run", record) as run:
        run.bag_rows().store(tiles)
    return tmp_path / "one.run"


def export(run_file: Path, output: Path, **more: Any) -> dict[str, Any]:
    order = {"run_file": str(run_file), "output": str(output), **more}
    return export_file.run(order, SilentProgress())


def test_tiles_are_squares_with_their_numbers_and_outlines_are_annotations(
    run_file: Path, tmp_path: Path, tiles: BagTiles
) -> None:
    output = tmp_path / "tiles.geojson"
    assert export(run_file, output)["n_objects"] == len(tiles) + 1
    assert violations(output) == []
    *squares, outline = features(output)
    square = squares[6]["geometry"]["coordinates"][0]
    assert min(square) == [SIDE - 100, SIDE]
    assert max(square) == [2 * SIDE - 100, 2 * SIDE]
    said = squares[6]["properties"]
    assert said["objectType"] == "detection"
    assert said["measurements"] == pytest.approx(
        {
            "attention": tiles.relative_attention[6],
            "attention rank": 1.0,
            "evidence Benign": 1 - 6 / 19,
            "evidence Tumor": 6 / 19,
        },
        rel=1e-4,
    )
    assert outline["properties"]["objectType"] == "annotation"
    assert outline["properties"]["name"] == "attention ≥ 2"
    shape = shapely.geometry.shape(outline["geometry"])
    assert shape.area == pytest.approx(3 * SIDE**2, rel=1e-3)
    assert len(outline["geometry"]["coordinates"][0]) == 7  # an L and nothing in between
    assert outline["properties"]["measurements"]["Area µm²"] == pytest.approx(3 * 112**2)


def test_the_file_says_what_was_predicted_and_that_attention_is_no_probability(
    run_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "tiles.geojson"
    export(run_file, output)
    stamp = json.loads(output.read_text(encoding="utf-8"))["provenance"]
    assert stamp["probabilities"] == {"Benign": 0.2, "Tumor": 0.8}
    assert (stamp["predicted"], stamp["threshold"]) == ("Tumor", 0.3)
    assert "not probability" in stamp["attention"]
    assert "esearch use only" in stamp["notice"]


def test_outlines_are_of_what_was_asked_for(run_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "tiles.geojson"
    said = {"squares": False, "contours": "0.5, 0.9", "contours_of": "Tumor"}
    export(run_file, output, map=said)
    found = features(output)
    names = [one["properties"]["name"] for one in found]
    assert names == ["evidence Tumor ≥ 0.5", "evidence Tumor ≥ 0.9"]
    assert {one["properties"]["classification"]["name"] for one in found} == {"Tumor"}
    areas = [shapely.geometry.shape(one["geometry"]).area / SIDE**2 for one in found]
    assert areas == pytest.approx([10, 2], rel=1e-3)
    assert export(run_file, output, map={"squares": True, "contours": ""})["n_objects"] == 20
    for wrong in ({"contours": "many"}, {"contours": "-1"}, {"contours_of": "Cat"}):
        with pytest.raises(UsageError):
            export(run_file, output, map=wrong)


def test_numbers_of_tiles_are_a_float_tiff_with_names_and_scale(
    run_file: Path, tmp_path: Path, tiles: BagTiles
) -> None:
    output = tmp_path / "tiles.ome.tif"
    assert export(run_file, output, format="tile-values")["mpp"] == 112
    planes = tifffile.imread(output)
    assert planes.shape == (4, 4, 6)
    assert planes.dtype == np.float32
    np.testing.assert_allclose(planes[0, 1, 1], tiles.relative_attention[6], rtol=1e-6)
    assert np.isnan(planes[:, :, 5]).all()
    assert not np.isnan(planes[:, :, :5]).any()
    raster = open_raster(output)
    assert raster.channels == ("attention", "attention rank", "evidence Benign", "evidence Tumor")
    with tifffile.TiffFile(output) as file:
        said = file.ome_metadata or ""
    assert "not probability" in said
    assert 'PhysicalSizeX="112.0"' in said
    assert "224.5 level-0 pixels" in said


def test_the_picture_has_a_square_of_whole_pixels_a_tile(run_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "tiles.png"
    assert export(run_file, output, format="attention")["mpp"] == 1.0
    with Image.open(output) as picture:
        pixels = np.asarray(picture)
        assert "not probability" in picture.info["Meaning"]
        assert picture.info["Values"].startswith("viridis: 0 – ")
    assert pixels.shape == (4 * 112, 6 * 112, 4)
    blocks = pixels.reshape(4, 112, 6, 112, 4)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert (blocks[0, 0, :5, 0, 3] == 255).all()
    assert blocks[0, 0, 5, 0, 3] == 0
    assert tuple(blocks[1, 0, 1, 0]) == tuple(blocks[2, 0, 2, 0]) != tuple(blocks[0, 0, 0, 0])


def test_what_cannot_be_is_said_and_a_stopped_export_leaves_the_old_file(
    run_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="class-map") as refused:
        export(run_file, tmp_path / "one.png", format="class-map")
    assert "attention, tile-values" in refused.value.hint
    control = Control()
    control.cancel()
    output = tmp_path / "one.png"
    output.write_bytes(b"old")
    order = {"run_file": str(run_file), "output": str(output), "format": "attention"}
    with pytest.raises(Cancelled):
        export_file.run(order, SilentProgress(control))
    assert output.read_bytes() == b"old"


def test_a_slide_without_tiles_is_written_as_one(tmp_path: Path, run_file: Path) -> None:
    with RunFile.open(run_file, writable=True) as run:
        places = np.zeros(0, np.int32)
        nothing = np.zeros((0, 2), np.float32)
        run.bag_rows().store(BagTiles(places, places, nothing[:, 0], nothing))
    assert export(run_file, tmp_path / "one.geojson")["n_objects"] == 0
    export(run_file, tmp_path / "one.ome.tif", format="tile-values")
    assert np.isnan(tifffile.imread(tmp_path / "one.ome.tif")).all()
    export(run_file, tmp_path / "one.png", format="attention")
    with Image.open(tmp_path / "one.png") as picture:
        assert not np.asarray(picture)[..., 3].any()


def test_outlines_go_into_a_study_as_annotations(run_file: Path) -> None:
    order = {"run_file": str(run_file), "map": {"contours": "2,30"}}
    result = take_regions.run(order, SilentProgress())
    assert result["n_annotations"] == 1
    with RunFile.open(Path(result["run_file"])) as run:
        (outline,) = run.annotations()
    assert outline.classification is not None
    assert outline.classification.name == "Attention ≥ 2"

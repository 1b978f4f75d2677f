"""Pseudo-healthy runs go out: areas, the picture with its badge, what differs as numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
import tifffile
from makers import he_image, make_svs
from PIL import Image
from run_files import new_run

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.layers.synthetic_source import BADGE_EVERY_PX, badge_pixels
from pathoview.slides.opening import open_slide
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import synthesis_planes
from pathoview.tasks import export_file, take_regions
from pathoview.tasks.overview import overview_picture
from pathoview.tasks.picture import PictureRequest, write_picture

TILE_PX = 256
SIDE_PX = 3 * TILE_PX
SCALE = 2.0
HEALTHY = 230


@pytest.fixture(scope="module")
def slide_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    side = int(SIDE_PX * SCALE)
    return make_svs(tmp_path_factory.mktemp("slides") / "one.svs", he_image(side, side))


def planted() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """A grey slide, a lighter picture, and a probability that falls off by steps in a square."""
    slide = np.full((SIDE_PX, SIDE_PX, 3), 100, np.uint8)
    pathology = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    pathology[200:300, 200:340] = 0.6
    pathology[220:280, 240:320] = 0.9
    picture = slide.copy()
    picture[pathology > 0] = HEALTHY
    return slide, picture, pathology


@pytest.fixture
def run(slide_path: Path) -> Iterator[RunFile]:
    """A finished run of 3 × 3 tiles, without the last one."""
    with open_slide(slide_path) as slide:
        made = new_run(
            slide,
            gives="synthesis",
            classes=(DetectionClass("Tumor", (200, 30, 60)),),
            grid_px=(SIDE_PX, SIDE_PX),
            scale_l0=SCALE,
            mpp=1.0,
            tile_px=TILE_PX,
            title="As if healthy",
            state="done",
            area_mm2=0.5,
            pathology_mm2=0.014,
        )
    rows = made.synthesis_rows()
    planes = synthesis_planes(*planted())
    for row, col in np.ndindex(3, 3):
        if (row, col) != (2, 2):
            y, x = row * TILE_PX, col * TILE_PX
            rows.add(col, row, planes[:, y : y + TILE_PX, x : x + TILE_PX], 2)
    yield made
    made.close()


def exported(run: RunFile, output: Path, form: str = "", **said: Any) -> dict[str, Any]:
    order = {"run_file": str(run.path), "output": str(output), "format": form, "map": said}
    return export_file.run(order, SilentProgress())


def areas(path: Path) -> list[tuple[str, shapely.Geometry, dict[str, float]]]:
    found = json.loads(path.read_text())["features"]
    return [
        (
            one["properties"]["classification"]["name"],
            shapely.geometry.shape(one["geometry"]),
            one["properties"]["measurements"],
        )
        for one in found
    ]


@pytest.mark.parametrize(
    ("said", "name", "bounds"),
    [
        ({}, "Tumor", (400, 400, 680, 600)),
        ({"probability": 0.8}, "Tumor", (480, 440, 640, 560)),
        ({"of": "difference", "difference": 100}, "Difference ≥ 100", (400, 400, 680, 600)),
    ],
)
def test_areas_are_outlined_from_a_threshold_on(
    run: RunFile, tmp_path: Path, said: dict[str, Any], name: str, bounds: tuple[int, ...]
) -> None:
    exported(run, tmp_path / "areas.geojson", **said)
    ((found, shape, measurements),) = areas(tmp_path / "areas.geojson")
    assert found == name
    assert shape.bounds == bounds
    assert measurements["Area µm²"] == shape.area / SCALE**2
    exported(run, tmp_path / "none.geojson", of="difference", difference=200)
    assert not areas(tmp_path / "none.geojson")
    assert json.loads((tmp_path / "areas.geojson").read_text())["provenance"]["pathology_mm2"] > 0


def test_areas_wait_to_be_taken_as_annotations(run: RunFile) -> None:
    result = take_regions.run({"run_file": str(run.path), "map": {}}, SilentProgress())
    with RunFile.open(Path(result["run_file"])) as taken:
        (feature,) = taken.annotations()
    assert feature.classification == DetectionClass("Tumor", (200, 30, 60))


def n_badges(picture: npt.NDArray[np.uint8]) -> int:
    """Return how many squares between badges have one in their pixels."""
    badge = badge_pixels()
    # its upper edge: two rows of dark ground that no tissue has
    window = 2, badge.shape[1]
    is_dark = (picture == badge[0, 0]).all(axis=2)
    is_badge = np.lib.stride_tricks.sliding_window_view(is_dark, window).all(axis=(2, 3))
    return len({tuple(one) for one in np.argwhere(is_badge) // BADGE_EVERY_PX})


def test_the_picture_never_leaves_without_its_badge(run: RunFile, tmp_path: Path) -> None:
    assert exported(run, tmp_path / "made.png", "pseudo-healthy")["mpp"] == 1.0
    with Image.open(tmp_path / "made.png") as png:
        picture, said = np.asarray(png), png.text  # type: ignore[attr-defined]
    assert picture.shape == (SIDE_PX, SIDE_PX, 3)
    assert n_badges(picture) == 9
    assert "synthetic" in said["Notice"]
    assert "never measured" in said["Notice"]
    exported(run, tmp_path / "made.ome.tif", "pseudo-healthy-tiff")
    with tifffile.TiffFile(tmp_path / "made.ome.tif") as tiff:
        levels = [level.asarray() for level in tiff.series[0].levels]
        assert "synthetic" in (tiff.ome_metadata or "")
    assert [level.shape for level in levels] == [(SIDE_PX, SIDE_PX, 3), (384, 384, 3)]
    assert [n_badges(level) for level in levels] == [9, 2]
    np.testing.assert_array_equal(levels[0], picture)
    _slide, made, pathology = planted()
    is_badge = (picture != made).any(axis=2) & (np.indices(pathology.shape).min(axis=0) < 512)
    assert 0 < is_badge.mean() < 0.1  # all but the badges is as it was made, without loss
    assert picture[700, 760].tolist() == [255, 255, 255]  # nothing is known there


def test_what_differs_goes_out_as_numbers(run: RunFile, tmp_path: Path) -> None:
    exported(run, tmp_path / "apart.ome.tif", "difference")
    with tifffile.TiffFile(tmp_path / "apart.ome.tif") as tiff:
        difference, brightness, pathology = tiff.series[0].levels[0].asarray()
    assert difference.dtype == np.float32
    assert difference[250, 250] == HEALTHY - 100
    assert difference[10, 10] == 0
    assert brightness[250, 250] == 100 - HEALTHY
    assert pathology[250, 250] == pytest.approx(0.9, abs=0.002)
    assert np.isnan(difference[600, 600])
    assert np.isnan(pathology[600, 600])


def test_formats_of_other_runs_are_refused(run: RunFile, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="class-map") as refused:
        exported(run, tmp_path / "map.png", "class-map")
    assert "pseudo-healthy, pseudo-healthy-tiff, difference" in refused.value.hint
    with pytest.raises(UsageError, match=r"\.png"):
        exported(run, tmp_path / "made.tif", "pseudo-healthy")


def test_pictures_of_a_place_show_what_is_asked_for(
    run: RunFile, slide_path: Path, tmp_path: Path
) -> None:
    shown = {}
    with open_slide(slide_path) as slide:
        for name in (None, "pseudo-healthy", "difference", "brightness"):
            path = tmp_path / f"{name}.png"
            request = PictureRequest(size=(SIDE_PX, SIDE_PX), shown=name, scale_bar=False)
            write_picture(slide, request, path, SilentProgress())
            shown[name] = np.asarray(Image.open(path))
        overview = overview_picture(slide, run, SIDE_PX)
    # where the last tile is missing, the slide itself is seen
    assert [n_badges(picture) for picture in shown.values()] == [0, 8, 0, 0]
    pictures = list(shown.values())
    assert all((one != other).any() for one in pictures for other in pictures if one is not other)
    assert overview.shape[:2] == (SIDE_PX, SIDE_PX)
    np.testing.assert_array_equal(overview[250, 270, :3], shown[None][250, 270])

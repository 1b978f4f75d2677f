"""Regions of a map as areas: exact to the pixel, wherever the seams of tiles lie."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import shapely

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.shape_sources import mask_outline
from pathoview.core.errors import Cancelled
from pathoview.study.map_params import MapParams
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.vectorise import canonical, class_regions, map_areas

Numbers = npt.NDArray[np.uint8]
CLASSES = tuple(
    DetectionClass(name, color)
    for name, color in (("Background", (9, 9, 9)), ("A", (255, 0, 0)), ("B", (0, 0, 255)))
)
SIDE = 192
EXACT = MapParams(tolerance_um=0, smallest_um2=0)


def run_of(folder: Path, numbers: Numbers, tile_px: int, mpp: float = 1.0) -> RunFile:
    """Return a run whose likeliest classes are these; 255: not analysed."""
    height, width = numbers.shape
    record = RunRecord(
        key="k",
        method="m",
        title="Map",
        slide_hash="0",
        pseudonym="p",
        gives="pixel",
        classes=CLASSES,
        tile_px=tile_px,
        grid_px=(width, height),
        scale_l0=2.0,
        mpp=mpp,
    )
    run = RunFile.create(folder / f"{tile_px}.run", record)
    planes = np.stack([numbers == number for number in range(3)]).astype(np.uint8) * 200
    for top in range(0, height, tile_px):
        for left in range(0, width, tile_px):
            tile = np.zeros((3, tile_px, tile_px), np.uint8)
            part = planes[:, top : top + tile_px, left : left + tile_px]
            tile[:, : part.shape[1], : part.shape[2]] = part
            if tile.any():
                run.map_rows().add(left // tile_px, top // tile_px, tile, 1)
    return run


def scene(blur: float, seed: int = 0) -> Numbers:
    """Return blots of three classes and of nothing; without blur, noise."""
    planes = np.random.default_rng(seed).random((4, SIDE - 7, SIDE)).astype(np.float32)
    if blur:
        planes = np.stack([cv2.GaussianBlur(plane, (0, 0), blur) for plane in planes])
    numbers = planes.argmax(axis=0).astype(np.uint8)
    return np.where(numbers == 3, 255, numbers).astype(np.uint8)


def normal(polygons: object) -> shapely.MultiPolygon:
    parts = [canonical(one) for one in shapely.get_parts(polygons)]
    return shapely.normalize(shapely.MultiPolygon(parts))


@pytest.mark.parametrize("blur", [0.0, 2.0, 6.0])
@pytest.mark.parametrize("tile_px", [16, 64, 256])
def test_regions_are_those_of_the_whole_map_wherever_the_seams_lie(
    tmp_path: Path, blur: float, tile_px: int
) -> None:
    numbers = scene(blur)
    with run_of(tmp_path, numbers, tile_px) as run:
        found = list(map_areas(run.map_rows(), {1, 2}))
    for number in (1, 2):
        areas = [area for one, area in found if one == number]
        truth = mask_outline(numbers == number)
        assert all(shapely.is_valid(areas))
        assert shapely.equals_exact(normal(areas), normal(truth), 0)
        assert shapely.area(areas).sum() == np.count_nonzero(numbers == number)


def test_what_is_exported_lies_on_the_slide_with_class_and_area(tmp_path: Path) -> None:
    numbers = np.full((64, 64), 0, np.uint8)
    numbers[10:40, 20:50] = 1
    numbers[20:30, 30:40] = 2
    with run_of(tmp_path, numbers, 32, mpp=0.5) as run:
        a, b = sorted(class_regions(run, EXACT), key=lambda one: one.classification.name)
        again = [one.id for one in class_regions(run, EXACT)]
    outer = shapely.box(40, 20, 100, 80)
    assert a.geometry.equals(outer.difference(shapely.box(60, 40, 80, 60)))
    assert len(a.geometry.interiors) == 1
    assert a.classification == CLASSES[1]
    assert a.measurements == {"Area µm²": 800 * 0.25}
    assert b.geometry.equals(shapely.box(60, 40, 80, 60))
    assert {a.id, b.id} == set(again)


def test_ids_do_not_depend_on_the_tiles(tmp_path: Path) -> None:
    numbers, params = scene(4.0), MapParams()
    shapes = []
    for tile_px in (16, 256):
        with run_of(tmp_path, numbers, tile_px) as run:
            shapes.append({one.id: one.geometry for one in class_regions(run, params)})
    assert len(shapes[0]) > 5
    assert shapes[0].keys() == shapes[1].keys()
    assert all(shapes[0][one].equals_exact(shapes[1][one], 0) for one in shapes[0])


def test_small_regions_go_and_small_holes_are_filled(tmp_path: Path) -> None:
    numbers = np.full((64, 64), 255, np.uint8)
    numbers[5:45, 5:45] = 1
    numbers[10:13, 10:13] = 2
    numbers[20:34, 20:34] = 255
    numbers[50:53, 50:53] = 1
    with run_of(tmp_path, numbers, 16) as run:
        (found,) = class_regions(run, MapParams(tolerance_um=0, smallest_um2=10))
    assert found.geometry.area == 4 * (40 * 40 - 14 * 14)
    assert len(found.geometry.interiors) == 1


def test_outlines_stay_within_the_tolerance(tmp_path: Path) -> None:
    numbers = np.full((96, 96), 255, np.uint8)
    cv2.circle(numbers, (48, 48), 40, 1, -1)
    with run_of(tmp_path, numbers, 32) as run:
        (exact,) = class_regions(run, EXACT)
        (plain,) = class_regions(run, MapParams(tolerance_um=2, smallest_um2=0))
    n = [shapely.get_num_coordinates(one.geometry) for one in (exact, plain)]
    assert n[1] < n[0] / 4
    assert shapely.hausdorff_distance(exact.geometry, plain.geometry) <= 2 * 2.0 + 1e-6


def test_background_is_only_outlined_when_it_is_named(tmp_path: Path) -> None:
    numbers = np.zeros((16, 16), np.uint8)
    numbers[:8] = 1
    with run_of(tmp_path, numbers, 16) as run:
        names = [
            [one.classification.name for one in class_regions(run, EXACT, wanted)]
            for wanted in (None, ["Background"], [])
        ]
    assert names == [["A"], ["Background"], []]


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled

    with run_of(tmp_path, scene(3.0), 64) as run, pytest.raises(Cancelled):
        list(class_regions(run, EXACT, None, stop))

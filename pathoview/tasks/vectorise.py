"""The regions of a map's classes as areas with holes, exact to the pixel across tiles.

Each tile is outlined by itself. Four tiles are put together, then four of those, and so on; only
what touches a seam is joined, and what touches no outer edge any more is given out. So no more is
in memory than the outlines that are still open. Neighbours are simplified one by one: their common
border may come apart by the tolerance.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations import shapes
from pathoview.annotations.classes import is_background
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.methods.rings import pixel_rings
from pathoview.study.map_params import MapParams
from pathoview.study.raster_rows import MapRows, Planes
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.object_ids import id_namespace

Areas = npt.NDArray[np.object_]
"""Polygons, px of the map."""
Numbers = npt.NDArray[np.integer]
Found = tuple[int, BaseGeometry]
"""The number of a class, and a region that is complete."""
Open = dict[int, Areas]
"""By class: regions that may go on beyond the edge."""


def class_regions(
    run_file: RunFile,
    params: MapParams,
    classes: Collection[str] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Feature]:
    """Yield the regions of a run's map, level-0 px, as annotations of their classes.

    ``classes``: names of those wanted; None: all but the background. The measurement is the area
    before it is simplified. Raises `StorageError`, and what ``check`` raises.
    """
    record, rows = run_file.record, run_file.map_rows()
    wanted = frozenset(
        number
        for number, one in enumerate(record.classes)
        if (one.name in classes if classes is not None else not is_background(one.name))
    )
    found = map_areas(rows, wanted, check)
    yield from features_of(record, found, record.classes, params.tolerance_um, params.smallest_um2)


def features_of(
    record: RunRecord,
    found: Iterable[Found],
    classes: Sequence[DetectionClass],
    tolerance_um: float,
    smallest_um2: float,
) -> Iterator[Feature]:
    """Yield regions as annotations of ``classes``, by number, but for those that are too small."""
    namer = _Namer(record, classes, tolerance_um, smallest_um2)
    for number, area in found:
        feature = namer.feature(number, area)
        if feature is not None:
            yield feature


def likeliest(planes: Planes) -> Numbers:
    """Return the likeliest class of each px, (height, width); -1 where nothing was analysed."""
    numbers = np.asarray(planes.argmax(axis=0))
    numbers[~planes.any(axis=0)] = -1
    return numbers


def map_areas(
    rows: MapRows,
    wanted: Collection[int],
    check: Callable[[], None] = lambda: None,
    numbers_of: Callable[[Planes], Numbers] = likeliest,
) -> Iterator[Found]:
    """Yield (class, polygon in px of the map) of every region, one after another, in no order.

    ``numbers_of`` says the class of each px of a tile's planes, -1 for none.
    """
    places = [rows.finished()]
    while places[-1] and places[-1] != {(0, 0)}:
        places.append({(col // 2, row // 2) for col, row in places[-1]})
    joiner = _Joiner(rows, tuple(places), wanted, check, numbers_of)
    left = yield from joiner.block(len(places) - 1, 0, 0)
    for number, areas in left.items():
        yield from ((number, area) for area in areas)


@dataclass(frozen=True, slots=True)
class _Joiner:
    rows: MapRows
    places: tuple[set[tuple[int, int]], ...]
    """By depth: the blocks that have a tile, (column, row)."""
    wanted: Collection[int]
    check: Callable[[], None]
    numbers_of: Callable[[Planes], Numbers]

    def block(self, depth: int, col: int, row: int) -> Generator[Found, None, Open]:
        """Yield what is complete in a square of 2^depth tiles a side; return what is open."""
        if (col, row) not in self.places[depth]:
            return {}
        if not depth:
            self.check()
            found = self._tile(col, row)
        else:
            quarters = []
            for down in (0, 1):
                for right in (0, 1):
                    quarter = self.block(depth - 1, 2 * col + right, 2 * row + down)
                    quarters.append((yield from quarter))
            side = self.rows.tile_px << (depth - 1)
            seams = (2 * col + 1) * side, (2 * row + 1) * side
            found = {number: _joined(quarters, number, seams) for number in self.wanted}
        side = self.rows.tile_px << depth
        edges = np.array([col, row, col + 1, row + 1]) * side
        open_ones: Open = {}
        for number, areas in found.items():
            is_open = (shapely.bounds(areas) == edges).any(axis=1)
            yield from ((number, area) for area in areas[~is_open])
            open_ones[number] = areas[is_open]
        return open_ones

    def _tile(self, col: int, row: int) -> Open:
        planes = self.rows.block(0, col, row)
        if planes is None:
            return {}
        numbers = self.numbers_of(planes)
        corner = np.array([col, row]) * self.rows.tile_px
        return {number: tile_areas(numbers == number, corner) for number in self.wanted}


def _joined(quarters: list[Open], number: int, seams: tuple[int, int]) -> Areas:
    areas = np.concatenate([one.get(number, _NONE) for one in quarters])
    left, top, right, bottom = shapely.bounds(areas).T
    at_seam = (left <= seams[0]) & (right >= seams[0]) | (top <= seams[1]) & (bottom >= seams[1])
    if not at_seam.any():
        return areas
    union = shapely.coverage_union_all(areas[at_seam])
    return np.concatenate([areas[~at_seam], shapely.get_parts(union)])


_NONE: Areas = np.empty(0, object)


def tile_areas(mask: npt.NDArray[np.bool_], corner: npt.NDArray[np.int64]) -> Areas:
    """Return the parts of a mask (row, column) as polygons, ``corner`` (x, y) being its corner.

    Pixels that touch by a corner only are two parts. On the mask's own edge every pixel's corner is
    a point, so that neighbours meet point by point.
    """
    _n, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    rings = pixel_rings(np.asarray(parts, np.int32))
    if not len(rings.labels):
        return _NONE
    points, offsets = rings.points, rings.offsets
    ring = np.repeat(np.arange(len(rings.labels)), np.diff(offsets))
    before, after = np.arange(len(points)) - 1, np.arange(len(points)) + 1
    before[offsets[:-1]], after[offsets[1:] - 1] = offsets[1:] - 1, offsets[:-1]
    is_turn = (points[before] != points[after]).all(axis=1)
    height, width = mask.shape
    is_edge = (points == 0).any(axis=1) | (points == (width, height)).any(axis=1)
    kept = is_turn | is_edge
    lines = shapely.linearrings((points[kept] + corner).astype(np.float64), indices=ring[kept])
    owner = np.unique(rings.labels, return_inverse=True)[1]
    return np.asarray(shapely.polygons(lines, indices=owner))


class _Namer:
    """Makes annotations of polygons; the same region has the same id in every export."""

    def __init__(
        self,
        record: RunRecord,
        classes: Sequence[DetectionClass],
        tolerance_um: float,
        smallest_um2: float,
    ) -> None:
        mpp = record.mpp or 1.0
        self._classes = classes
        self._scale_l0 = record.scale_l0
        self._pixel_um2 = mpp**2
        self._smallest_px2 = smallest_um2 / self._pixel_um2
        self._tolerance_l0 = tolerance_um / mpp * record.scale_l0
        self._namespace = id_namespace(record.slide_hash, record.key)
        self._origin = f"run/{record.id}"

    def feature(self, number: int, area: BaseGeometry) -> Feature | None:
        """Return a region as an annotation; None: it is too small, or nothing is left of it."""
        exact = without_small_holes(canonical(area), self._smallest_px2)
        if exact.area < self._smallest_px2:
            return None
        in_l0 = shapely.transform(exact, lambda xy: xy * self._scale_l0)
        shape = shapes.simplify(in_l0, self._tolerance_l0) if self._tolerance_l0 else in_l0
        if shape is None:
            return None
        entry = self._classes[number]
        x, y = shapely.get_coordinates(exact)[0].astype(int)
        return Feature(
            shape,
            id=uuid.uuid5(self._namespace, f"{entry.name}/{x},{y}"),
            classification=entry,
            measurements={"Area µm²": round(float(area.area) * self._pixel_um2, 2)},
            origin=self._origin,
        )


def canonical(area: BaseGeometry) -> BaseGeometry:
    """Return the polygon without points on straight sides, begun at its leftmost, topmost point."""
    return shapely.simplify(shapely.normalize(area), 0, preserve_topology=True)


def without_small_holes(area: BaseGeometry, smallest_px2: float) -> BaseGeometry:
    holes = [ring for ring in area.interiors if shapely.Polygon(ring).area >= smallest_px2]
    return area if len(holes) == len(area.interiors) else shapely.Polygon(area.exterior, holes)

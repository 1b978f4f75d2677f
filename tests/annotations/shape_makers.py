"""Shapes as bad as people and files make them, for property tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

_near = st.one_of(st.integers(0, 500).map(float), st.floats(0, 500, allow_nan=False))
_place = st.tuples(_near, _near)
_far = st.sampled_from([(0.0, 0.0), (200_000.0, 150_000.0), (-300.0, 7.13)])


def _moved(shape: BaseGeometry, by: tuple[float, float]) -> BaseGeometry:
    return shapely.transform(shape, lambda xy: xy + np.array(by))


def _with_spike(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    x, y = ring[0]
    return [*ring, (x, y), (x + 70, y + 3), (x, y)]


_rings = st.lists(_place, min_size=3, max_size=12)
_spiky_rings = st.one_of(_rings, _rings.map(_with_spike))
_boxes = st.tuples(_near, _near, _near, _near).map(
    lambda box: [(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])]
)
_polygons = st.builds(
    lambda outer, holes: shapely.Polygon(outer, holes),
    st.one_of(_spiky_rings, _boxes),
    st.lists(st.one_of(_rings, _boxes), max_size=3),
)


@st.composite
def areas(draw: st.DrawFn) -> BaseGeometry:
    """Polygons, valid or not: bowties, spikes, no area, holes outside and in holes; or several."""
    parts = draw(st.lists(_polygons, min_size=1, max_size=3))
    shape = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return _moved(shape, draw(_far))


@st.composite
def any_shapes(draw: st.DrawFn) -> BaseGeometry:
    """Areas, lines and points, one or several."""
    points = st.lists(_place, min_size=2, max_size=8)
    lines = st.one_of(
        points.map(shapely.LineString),
        st.lists(points, min_size=1, max_size=3).map(shapely.MultiLineString),
    )
    dots = st.one_of(_place.map(shapely.Point), points.map(shapely.MultiPoint))
    return _moved(draw(st.one_of(areas(), lines, dots)), draw(_far))


def wavy_ring(n: int, radius: float = 1_000.0, center: float = 5_000.0) -> npt.NDArray[np.float64]:
    """Return a ring of n vertices around a centre, (n, 2), on the grid of 0.01 px."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    out = radius * (1 + 0.15 * np.sin(17 * turn) + 0.01 * np.sin(300 * turn))
    return np.round(center + out[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1), 2)

"""What the tests of all dialects use: shapes that do not meet, and a way there and back."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from hypothesis import settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.formats import (
    DialectOptions,
    SlideFrame,
    dialect_named,
    read,
    recognise,
    write,
)
from pathoview.annotations.feature import Feature

FRAME = SlideFrame(
    40_000, 30_000, (0.25, 0.25), slide_offset_nm=(1_234_567, -7_654_321), name="one.svs"
)
FEW = settings(max_examples=40, deadline=None)
"""Each example writes a file and reads it: on a busy machine that has no deadline."""
_CELL = 900
"""Every shape has a square of its own, so that no hole lies in somebody else's area."""


def features_in(
    path: Path, options: DialectOptions | None = None, frame: SlideFrame = FRAME
) -> tuple[list[Feature], Counter[str]]:
    """Return the objects of a file, and what was said of others."""
    notes: Counter[str] = Counter()

    def note(text: str) -> None:
        notes[text] += 1

    found = list(read(path, frame, options=options or DialectOptions(), note=note))
    assert all(shapely.is_valid(one.geometry) for one in found)
    assert len({one.id for one in found}) == len(found)
    return found, notes


def there_and_back(
    name: str, features: list[Feature], options: DialectOptions | None = None
) -> tuple[list[Feature], Counter[str]]:
    """Write and read; the file is recognised whatever its name; notes are those of writing."""
    notes: Counter[str] = Counter()

    def note(text: str) -> None:
        notes[text] += 1

    options = options or DialectOptions()
    dialect = dialect_named(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.dat"
        write(path, dialect, features, FRAME, options=options, note=note)
        assert recognise(path) is dialect
        found, _read_notes = features_in(path, options)
    assert all(one.origin for one in found)
    return found, notes


def same_shape(one: BaseGeometry, other: BaseGeometry, tolerance: float = 1e-6) -> bool:
    return bool(one.normalize().equals_exact(other.normalize(), tolerance))


def said(feature: Feature, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(feature, name) for name in names)


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
_LEVEL = st.text("abcdefgÄ核*+<&\"'", min_size=1, max_size=5)
CLASSES = st.builds(
    DetectionClass,
    st.lists(_LEVEL, min_size=1, max_size=2).map(": ".join),
    st.tuples(*[st.integers(0, 255)] * 3),
)
_HUNDREDTHS = st.integers(0, 10_000).map(lambda n: n / 100)


@st.composite
def polygons(draw: st.DrawFn, *, holes: bool) -> BaseGeometry:
    """A valid polygon of some hundred px with uneven corners, maybe with a hole or two."""
    a, b, c, d = (draw(_HUNDREDTHS) for _corner in range(4))
    outer = [(a, b), (500 + c, d), (500 + a, 500 + d), (c, 500 + b)]
    cut = []
    for left in (200, 320)[: draw(st.integers(0, 2)) if holes else 0]:
        e = draw(_HUNDREDTHS)
        cut.append([(left, 200), (left + 100, 200 + e), (left + 50 + e / 4, 330)])
    return shapely.Polygon(outer, cut)


def points() -> st.SearchStrategy[BaseGeometry]:
    return st.builds(shapely.Point, _HUNDREDTHS, _HUNDREDTHS)


def lines(least: int = 2, most: int = 5) -> st.SearchStrategy[BaseGeometry]:
    places = st.lists(
        st.tuples(_HUNDREDTHS, _HUNDREDTHS), min_size=least, max_size=most, unique=True
    )
    return places.map(shapely.LineString)


@st.composite
def apart(
    draw: st.DrawFn, shapes: st.SearchStrategy[BaseGeometry], **members: st.SearchStrategy[Any]
) -> list[Feature]:
    """Some objects, each in a square of its own; classes of one name have one colour."""
    geometries = draw(st.lists(shapes, min_size=1, max_size=5))
    colors: dict[str, DetectionClass] = {}
    found = []
    for number, geometry in enumerate(geometries):
        drawn = {name: draw(strategy) for name, strategy in members.items()}
        named = drawn.get("classification")
        if named is not None:
            drawn["classification"] = colors.setdefault(named.name, named)
        x, y = number % 3 * _CELL, number // 3 * _CELL
        moved = shapely.transform(geometry, lambda xy, by=(x, y): np.round(xy + np.array(by), 2))
        found.append(Feature(geometry=moved, **drawn))
    return found

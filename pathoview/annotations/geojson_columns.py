"""A table of detections as GeoJSON text, column by column rather than object by object.

All coordinates of a table become text in one call and are cut where the rings begin, so that the
work for one object is the joining of ready pieces.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt
import orjson
import shapely

from pathoview.annotations.classes import class_object
from pathoview.annotations.detections import SUBPIXEL, Detections, Floats
from pathoview.annotations.geojson_object import non_finite_text

SEPARATOR = b",\n"

_HEAD = b'{"type":"Feature","id":"'
_GEOMETRY = b'","geometry":{"type":"Polygon","coordinates":[['
_PROPERTIES = b']]},"properties":{"objectType":"detection"'
_ID_BYTES = 36
_ID_GROUPS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))
"""Where each group of hexadecimal digits goes in an id's text, and where it comes from."""


def valid_rows(table: Detections) -> npt.NDArray[np.bool_]:
    """Return, (n,), which rings are simple polygons with an area."""
    counts = np.diff(table.offsets)
    valid = counts >= 3
    rings = table if valid.all() else table.take(valid)
    lines = shapely.linearrings(
        rings.points.astype(np.float64),
        indices=np.repeat(np.arange(len(rings)), np.diff(rings.offsets)),
    )
    valid[valid] = shapely.is_valid(shapely.polygons(lines))
    return valid


def table_text(table: Detections, *, measurements: bool = True) -> bytes:
    """Return the objects as GeoJSON, separated by `SEPARATOR`; every row must be valid."""
    columns: list[Iterable[bytes]] = [
        repeat(_HEAD),
        _id_texts(table.ids),
        repeat(_GEOMETRY),
        _ring_texts(table),
        repeat(_PROPERTIES),
        _class_texts(table),
    ]
    if measurements and table.measurements:
        columns.append(repeat(b',"measurements":'))
        for lead, (name, column) in zip(
            chain([b"{"], repeat(b",")), table.measurements.items(), strict=False
        ):
            columns += [repeat(lead + orjson.dumps(name) + b":"), _number_texts(column)]
        columns.append(repeat(b"}"))
    columns.append(chain(repeat(b"}}" + SEPARATOR, len(table) - 1), [b"}}"]))
    return b"".join(chain.from_iterable(zip(*columns, strict=False)))


def _id_texts(ids: npt.NDArray[np.uint8]) -> list[bytes]:
    digits = np.frombuffer(ids.tobytes().hex().encode(), np.uint8).reshape(-1, 32)
    texts = np.full((len(ids), _ID_BYTES), ord("-"), np.uint8)
    for target, start, end in _ID_GROUPS:
        texts[:, target : target + end - start] = digits[:, start:end]
    data = texts.tobytes()
    return [data[at : at + _ID_BYTES] for at in range(0, len(data), _ID_BYTES)]


def _ring_texts(table: Detections) -> list[bytes]:
    n = np.arange(len(table))
    offsets = table.offsets + np.arange(len(table) + 1)
    closed = np.arange(offsets[-1]) - np.repeat(n, np.diff(offsets))
    closed[offsets[1:] - 1] = table.offsets[:-1]  # the first point again
    text = orjson.dumps(table.points[closed] / SUBPIXEL, option=orjson.OPT_SERIALIZE_NUMPY)
    brackets = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("["))
    starts = brackets[1 + offsets[:-1]].tolist()
    ends = [*starts[1:], len(text)]
    return [text[start : end - 1] for start, end in zip(starts, ends, strict=True)]


def _class_texts(table: Detections) -> list[bytes]:
    texts = [
        b',"classification":' + orjson.dumps(class_object(entry)) if entry.name else b""
        for entry in table.classes
    ]
    texts.append(b"")  # index -1: unclassified
    return [texts[index] for index in table.class_index.tolist()]


def _number_texts(column: Floats) -> list[bytes]:
    values = np.ascontiguousarray(column, np.float32)
    texts = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    for index in np.flatnonzero(~np.isfinite(values)):
        texts[index] = orjson.dumps(non_finite_text(float(values[index])))
    return texts

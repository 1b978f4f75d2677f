"""A table of detections as bytes and back: a JSON header and raw arrays, no pickle.

``PVD1`` · length of the header (uint32) · header (JSON) · arrays, each at a multiple of 8 bytes.
Not compressed: zlib would save a third of the bytes and cost more time than finding the outlines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from pathoview.annotations.detections import DetectionClass, Detections

_MAGIC = b"PVD1"
_ALIGN = 8
_START = len(_MAGIC) + 4


class PackedDataError(ValueError):
    """The bytes are not a packed table, or they are damaged."""


def pack(table: Detections) -> bytes:
    """Return the table as bytes that `unpack` understands on any machine."""
    columns = {
        "points": _little(table.points, np.int32),
        "offsets": _little(table.offsets, np.int64),
        "ids": _little(table.ids, np.uint8),
        "class_index": _little(table.class_index, np.int16),
    }
    values = {name: _little(column, np.float32) for name, column in table.measurements.items()}
    header = orjson.dumps(
        {
            "classes": [[entry.name, *entry.color] for entry in table.classes],
            "arrays": [
                [name, array.dtype.str, array.shape]
                for name, array in (*columns.items(), *values.items())
            ],
        }
    )
    header += b" " * (-(_START + len(header)) % _ALIGN)
    parts = [_MAGIC, len(header).to_bytes(4, "little"), header]
    for array in (*columns.values(), *values.values()):
        parts += [array.tobytes(), b"\0" * (-array.nbytes % _ALIGN)]
    return b"".join(parts)


def unpack(data: bytes) -> Detections:
    """Return the table; its arrays are read-only views of ``data``.

    Raises `PackedDataError` when anything does not fit.
    """
    try:
        return _checked(*_read(data))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise PackedDataError(str(error)) from error


def _little(array: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<"))


def _read(data: bytes) -> tuple[tuple[DetectionClass, ...], list[tuple[str, npt.NDArray[Any]]]]:
    if data[: len(_MAGIC)] != _MAGIC:
        raise PackedDataError("unknown format")
    position = _START + int.from_bytes(data[len(_MAGIC) : _START], "little")
    header = orjson.loads(data[_START:position])
    arrays = []
    for name, dtype, shape in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(data, np.dtype(dtype), count, position).reshape(shape)
        arrays.append((str(name), array))
        position += array.nbytes + -array.nbytes % _ALIGN
    if position != len(data):
        raise PackedDataError("length differs from the header's")
    classes = (DetectionClass(str(name), (r, g, b)) for name, r, g, b in header["classes"])
    return tuple(classes), arrays


def _checked(
    classes: tuple[DetectionClass, ...], arrays: list[tuple[str, npt.NDArray[Any]]]
) -> Detections:
    own, measurements = dict(arrays[:4]), dict(arrays[4:])
    table = Detections(
        own["points"],
        own["offsets"],
        own["ids"],
        own["class_index"],
        classes,
        measurements,
    )
    n, index, offsets = len(table), table.class_index, table.offsets
    fits = (
        table.points.ndim == 2
        and table.points.shape[1] == 2
        and offsets[0] == 0
        and offsets[-1] == len(table.points)
        and bool((np.diff(offsets) > 0).all())
        and table.ids.shape == (n, 16)
        and index.shape == (n,)
        and (n == 0 or (index.min() >= -1 and index.max() < len(classes)))
        and all(column.shape == (n,) for column in measurements.values())
    )
    if not fits:
        raise PackedDataError("arrays do not fit together")
    return table

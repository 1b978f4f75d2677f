"""Small networks as ONNX files, written byte by byte: one convolution, no package but numpy."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_FLOAT = 1
_INTS = 7

NUCLEI_AND_TISSUE = {
    "title": "Dark and bright",
    "mpp": 0.5,
    "classes": [{"name": "Nucleus", "color": [60, 60, 200]}, "Tissue"],
    "range": "0-1",
    "mean": [0.68, 0.68, 0.68],
    "std": 0.5,
    "activation": "softmax",
    "halo_um": 8,
    "multiple_px": 8,
    "licence": "CC BY 4.0",
    "notes": "Made for tests.",
}
"""What is to be said of a network that `write_network` makes."""


def write_network(path: Path, said: dict[str, Any] | None = None, **how: Any) -> Path:
    """Write a network and what is said of it (None: nothing); ``how``: see `network`."""
    path.write_bytes(network(**how))
    if said is not None:
        path.with_suffix(".json").write_text(json.dumps(said), "utf-8")
    return path


def network(
    *,
    n_maps: int = 2,
    size: tuple[int | None, int | None] = (None, None),
    stride: int = 1,
    kernel: int = 3,
    shape: Sequence[int | None] | None = None,
    outputs: Sequence[str] = ("maps",),
) -> bytes:
    """Return a network of which the first map is high where it is dark, others where bright.

    ``size``: height and width it takes, None: any; ``shape``: of the input, if it is to be another.
    """
    signs = np.array([-1.0, *[1.0] * (n_maps - 1)]) * (1 + np.arange(n_maps) / 10)
    weights = np.ones((n_maps, 3, kernel, kernel)) * signs[:, None, None, None] * 4 / 3 / kernel**2
    pad = (kernel - 1) // 2
    node = (
        _text(1, "picture")
        + _text(1, "weights")
        + _text(2, outputs[0])
        + _text(4, "Conv")
        + _ints("kernel_shape", [kernel] * 2)
        + _ints("strides", [stride] * 2)
        + _ints("pads", [pad] * 4)
    )
    nodes = _message(1, node)
    for name in outputs[1:]:
        nodes += _message(1, _text(1, outputs[0]) + _text(2, name) + _text(4, "Identity"))
    graph = nodes + _text(2, "g") + _message(5, _tensor("weights", weights))
    graph += _message(11, _value("picture", shape or (1, 3, *size)))
    graph += b"".join(_message(12, _value(name, (1, n_maps, None, None))) for name in outputs)
    opset = _text(1, "") + _number(2, 13)
    return _number(1, 8) + _message(7, graph) + _message(8, opset)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _ints(name: str, values: Sequence[int]) -> bytes:
    said = b"".join(_number(8, value) for value in values)
    return _message(5, _text(1, name) + said + _number(20, _INTS))


def _tensor(name: str, values: np.ndarray[Any, Any]) -> bytes:
    raw = struct.pack(f"<{values.size}f", *values.ravel().tolist())
    dims = b"".join(_number(1, n) for n in values.shape)
    return dims + _number(2, _FLOAT) + _text(8, name) + _message(9, raw)


def _value(name: str, shape: Sequence[int | None]) -> bytes:
    dims = b"".join(
        _message(1, _text(2, f"n{place}") if n is None else _number(1, n))
        for place, n in enumerate(shape)
    )
    tensor = _number(1, _FLOAT) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor))

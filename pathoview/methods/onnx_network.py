"""A network of an ONNX file: checked for what it takes and gives, and computed by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError, RunError
from pathoview.core.translation import _

_TRIAL_PX = 256
_CHANNELS = 3
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}

Images = npt.NDArray[np.float32]
Maps = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network was found to take and give."""

    n_maps: int
    stride: int
    """Pixels of the picture a pixel of the maps, along each side."""


class OnnxNetwork:
    """Pictures (1, 3, height, width) to maps (n, height / stride, width / stride). Thread-safe."""

    def __init__(self, data: bytes) -> None:
        """Raises `InputError` for a network that pictures cannot be given to, `RunError`."""
        self._session = _session(data)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise InputError(
                _("The network takes {n} inputs and gives {m} outputs, not one of each.").format(
                    n=len(inputs), m=len(outputs)
                ),
                _("Export it so that it takes a picture only and gives the maps of classes only."),
            )
        self._name, self._type = inputs[0].name, _type(inputs[0].type)
        self.fixed_px = _fixed_size(inputs[0].shape)
        """Height and width that pictures must have; None: any."""

    def maps(self, images: Images) -> Maps:
        """Return what the network gives for one picture, not activated; raise `RunError`."""
        try:
            (found,) = self._session.run(None, {self._name: images.astype(self._type)})
        # ONNX Runtime's errors have no common base but this.
        except Exception as error:
            height, width = images.shape[-2:]
            raise RunError(
                _("The network fails on a picture of {width} × {height} px: {why}").format(
                    width=width, height=height, why=_first_line(error)
                ),
                _("Say which multiple sides have to be (“multiple_px”)."),
            ) from error
        maps = np.asarray(found, np.float32)
        return maps[0] if maps.ndim == 4 else maps

    def tried(self, images: Images) -> tuple[Shape, Maps]:
        """Return what comes of a picture, checked; raise `InputError` or `RunError`."""
        maps = self.maps(images)
        if maps.ndim != 3:
            raise InputError(
                _("The network gives numbers of the shape {shape}, no maps.").format(
                    shape=" × ".join(map(str, maps.shape))
                ),
                _("Only networks whose output is (1, classes, height, width) tell pixels apart."),
            )
        height, width = images.shape[-2:]
        n, rows, columns = maps.shape
        stride = height // max(rows, 1)
        if not stride or (rows * stride, columns * stride) != (height, width):
            raise InputError(
                _("A picture of {width} × {height} px gives maps of {columns} × {rows}.").format(
                    width=width, height=height, columns=columns, rows=rows
                ),
                _("Maps must be as large as the picture, or smaller by a whole number."),
            )
        if not np.isfinite(maps).all():
            raise InputError(_("The network gives what are no numbers for an ordinary picture."))
        return Shape(n, stride), maps

    def trial_px(self, multiple_px: int) -> tuple[int, int]:
        """Return the height and width of a picture to try it on."""
        side = max(multiple_px, _TRIAL_PX // multiple_px * multiple_px)
        return self.fixed_px or (side, side)


def runtime_version() -> str:
    """Return the version of ONNX Runtime; raise `RunError` when it is not installed."""
    return str(_runtime().__version__)


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(
            _("ONNX Runtime is not installed."), _("Install the package onnxruntime.")
        ) from error
    return onnxruntime


def _session(data: bytes) -> Any:
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # several tiles are computed at once
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    # Its errors have no common base but this.
    except Exception as error:
        raise InputError(
            _("ONNX Runtime cannot read the network: {why}").format(why=_first_line(error)),
            _(
                "Export it as one .onnx file with its weights inside, for ONNX Runtime {version}."
            ).format(version=runtime.__version__),
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _type(name: str) -> Any:
    if name not in _TYPES:
        raise InputError(
            _("The network takes numbers of the type {name}.").format(name=name),
            _("Export it so that it takes float or float16."),
        )
    return _TYPES[name]


def _fixed_size(shape: list[int | str | None]) -> tuple[int, int] | None:
    """Return the height and width of the input; None: they may vary. Raises `InputError`."""
    said = " × ".join(str(one or "?") for one in shape)
    is_last = len(shape) == 4 and shape[3] == _CHANNELS and shape[1] != _CHANNELS
    if len(shape) != 4 or is_last or (isinstance(shape[1], int) and shape[1] != _CHANNELS):
        raise InputError(
            _("The network takes {shape}, no picture of red, green and blue.").format(shape=said),
            _("Export it so that it takes (1, 3, height, width), channels before the sides."),
        )
    if isinstance(shape[0], int) and shape[0] != 1:
        raise InputError(
            _("The network takes {n} pictures at once.").format(n=shape[0]),
            _("Export it for one picture, or for any number."),
        )
    sides = [one for one in shape[2:] if isinstance(one, int)]
    if len(sides) == 1:
        raise InputError(
            _("The network takes {shape}: one side may vary, the other not.").format(shape=said),
            _("Export it for pictures of one size, or of any."),
        )
    return (sides[0], sides[1]) if sides else None

"""Ways to compute a network, and which of them is fastest here without being wrong.

Each turns a network into a function of images (N, 3, H, W), float, that gives what the network
gives. ``float32`` is always there and always right; the others have to be measured first.
"""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from pathoview.core.errors import RunError
from pathoview.core.translation import _
from pathoview.methods.engine.descent import autocast
from pathoview.methods.engine.ema import copy_of

NumericPath = Literal["float32", "bf16", "compile", "onnx"]
PATHS: tuple[NumericPath, ...] = get_args(NumericPath)
DEFAULT_PATH: NumericPath = "float32"

TOLERANCE: Mapping[NumericPath, float] = {
    "float32": 0.0,
    "bf16": 0.02,
    "compile": 1e-4,
    "onnx": 1e-4,
}
"""Largest error that is borne, as a part of the largest output (at least 1)."""

_N_TIMED = 3
_OPSET = 17

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """How fast and how exact a path is; ``problem`` says why it cannot be taken."""

    path: NumericPath
    seconds: float
    """For the example, the fastest of three."""
    max_error: float
    """Largest difference from float32, in units of the output."""
    problem: str = ""
    first_s: float = 0.0
    """Until the first result was there, everything made ready."""


def prepare(network: nn.Module, path: NumericPath, example: Tensor) -> Callable[[Tensor], Any]:
    """Return a function that computes the network under a path; the network is left as it is.

    ``example`` has the device and the layout of the images to come; their number and size may
    differ. Raises `RunError` when the machine lacks what the path needs.
    """
    ready = copy_of(network).to(example.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    match path:
        case "float32":
            return _eager(ready)
        case "bf16":
            return _eager(ready, "bf16")
        case "compile":
            return _eager(torch.compile(ready, dynamic=True))
        case "onnx":
            return _onnx(network, example)


def measure(
    network: nn.Module, example: Tensor, paths: Sequence[NumericPath] = PATHS
) -> list[Measured]:
    """Compute the example under each path and return how long it takes and how far it is off."""
    reference = outputs(prepare(network, "float32", example)(example))
    return [_measured(network, path, example, reference) for path in paths]


def outputs(result: Any) -> list[Tensor]:
    """Return the tensors of what a network gave: one, or several in a list, tuple or dict."""
    if isinstance(result, Tensor):
        return [result]
    values = result.values() if isinstance(result, Mapping) else result
    return [tensor for value in values for tensor in outputs(value)]


def _measured(
    network: nn.Module, path: NumericPath, example: Tensor, reference: Sequence[Tensor]
) -> Measured:
    start = time.perf_counter()
    try:
        compute = prepare(network, path, example)
        found = outputs(compute(example))
        first_s = time.perf_counter() - start
        seconds = min(_seconds(compute, example) for _round in range(_N_TIMED))
    # Compilers and exporters fail in their own ways, and any of them only means: not this path.
    except Exception as error:
        _logger.info("the path %s cannot be taken", path, exc_info=True)
        return Measured(path, float("inf"), float("inf"), str(error).strip() or repr(error))
    errors = [
        float((one.float() - other.float()).abs().max())
        for one, other in zip(found, reference, strict=True)
    ]
    largest = max(1.0, *(float(tensor.abs().max()) for tensor in reference))
    bound = TOLERANCE[path] * largest
    is_wrong = not max(errors) <= bound
    problem = _("It is not exact enough: up to {error:.2g} off.").format(error=max(errors))
    return Measured(path, seconds, max(errors), problem if is_wrong else "", first_s)


def _seconds(compute: Callable[[Tensor], Any], example: Tensor) -> float:
    _wait_for(example)
    start = time.perf_counter()
    compute(example)
    _wait_for(example)
    return time.perf_counter() - start


def _wait_for(example: Tensor) -> None:
    if example.is_cuda:
        torch.cuda.synchronize(example.device)


def _eager(
    network: Callable[[Tensor], Any], numerics: Literal["float32", "bf16"] = "float32"
) -> Callable[[Tensor], Any]:
    def compute(images: Tensor) -> Any:
        with torch.inference_mode(), autocast(images.device, numerics):
            return network(images.contiguous(memory_format=torch.channels_last))

    return compute


def _onnx(network: nn.Module, example: Tensor) -> Callable[[Tensor], Any]:
    """Return the network as ONNX Runtime computes it: a tensor, or a tuple of all its tensors."""
    try:
        import onnx  # noqa: F401 (the exporter needs it)
        import onnxruntime
    except ImportError as error:
        raise RunError(
            _("ONNX Runtime is not installed."), _("Install the packages onnx and onnxruntime.")
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()  # as many as the other paths take
    session = onnxruntime.InferenceSession(
        _exported(network, example), options, providers=_providers(onnxruntime, example)
    )
    name = session.get_inputs()[0].name

    def compute(images: Tensor) -> Any:
        found = session.run(None, {name: images.float().contiguous().cpu().numpy()})
        tensors = tuple(torch.from_numpy(array).to(images.device) for array in found)
        return tensors[0] if len(tensors) == 1 else tensors

    return compute


def _providers(onnxruntime: Any, example: Tensor) -> list[str]:
    wanted = ["CUDAExecutionProvider"] if example.is_cuda else []
    return [
        *(name for name in wanted if name in onnxruntime.get_available_providers()),
        "CPUExecutionProvider",
    ]


def _exported(network: nn.Module, example: Tensor) -> bytes:
    file = io.BytesIO()
    axes = {0: "n", 2: "height", 3: "width"}
    with _quietly(), torch.no_grad():
        torch.onnx.export(
            copy_of(network).cpu(),
            (example[:1].cpu(),),
            file,  # type: ignore[arg-type]
            dynamo=False,  # the newer exporter needs one more package
            opset_version=_OPSET,
            input_names=["images"],
            dynamic_axes={"images": axes},
        )
    return file.getvalue()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's warnings that it is an old one, and of sizes taken for constants."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*legacy TorchScript", DeprecationWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.onnx.*")
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        yield

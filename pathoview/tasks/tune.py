"""Which way of computing networks is fastest on this machine, and still exact enough.

What is compared are the probabilities (or whatever a method's network ends in) of a patch of the
size that analyses have. ``float32`` is the reference; what is further off than its bound
(`engine.numerics.TOLERANCE`) is never proposed.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.methods.engine.device import choose_device
from pathoview.methods.library import library
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind
from pathoview.slides.stains import H_E
from pathoview.tasks.method_building import BuiltMethod, build_method

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Computed
    from pathoview.methods.engine.numerics import Measured, NumericPath

REFERENCE: NumericPath = "float32"
_PATIENCE_S = 60.0
"""What making a path ready may take."""
_COMPILERS = ("c++", "g++", "clang++", "cl")
_NUCLEUS_UM = 3.0
_AMOUNTS = (1.2, 0.5)
"""Most hematoxylin in a nucleus, and eosin around, of the picture that is measured on."""


class TuneRequest(BaseModel):
    """What to measure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    """A file, or a name of the library; empty: the first of it that a network computes."""
    compile: bool = False
    """Measure torch.compile as well: it may take minutes."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Measure all paths; ``fastest`` in the result is the one to take. See `TuneRequest`.

    Raises `UsageError` when there is no model, or none that a network computes.
    """
    order = TuneRequest.model_validate(request)
    progress.report(0.0, _("Reading the model"))
    built = build_method("", {}, order.model or _first_model())
    networks = _networks(built)
    paths, skipped = _paths(order)
    found = {REFERENCE: [_measured(network, REFERENCE) for network in networks]}
    for number, path in enumerate(paths, 1):
        progress.check()
        progress.report(number / (len(paths) + 1), _("Measuring {path}").format(path=path))
        found[path] = [_measured(network, path) for network in networks]
    rows = [_row(path, some, found[REFERENCE]) for path, some in found.items()]
    allowed = [row for row in rows if not row["problem"]]
    progress.report(1.0, _("Done"))
    device = choose_device()
    assert built.card is not None
    return {
        "model": built.card.title,
        "device": device.name,
        "reason": device.reason,
        "image_px": [list(network.images.shape[2:]) for network in networks],
        "paths": [*rows, *skipped],
        "fastest": min(allowed, key=lambda row: row["seconds"])["path"],
    }


def _first_model() -> str:
    for one in library():
        if one.card.method in METHODS and _is_measurable(one.card.method):
            return str(one.path)
    raise UsageError(
        _("There is no model that a network computes."),
        _("Teach a method that learns by a network, or import a model; then measure again."),
    )


def _is_measurable(method: str) -> bool:
    spec = METHODS.get(method)
    return spec.uses_torch and spec.kind in (Kind.INSTANCE, Kind.PIXEL)


def _networks(built: BuiltMethod) -> Sequence[Computed]:
    """Return the networks of a method, with images as it gives them for a patch of its size."""
    if not _is_measurable(built.spec.name):
        raise UsageError(
            _("“{title}” is not computed by a network.").format(title=built.spec.title),
            _("There is nothing to choose."),
        )
    from pathoview.methods.engine.infer import watched

    side_px = built.spec.patch_px + 2 * math.ceil(built.spec.halo_um / built.mpp)
    with watched() as noted:
        built.method.predict(example_picture(side_px, built.mpp), built.mpp, {})
    return list(noted.values())


def example_picture(side_px: int, mpp: float) -> npt.NDArray[np.uint8]:
    """Return a made-up picture in the colours of H&E, (side, side, 3), always the same."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, side_px, side_px)).astype(np.float32)
    smooth = [cv2.GaussianBlur(one, (0, 0), _NUCLEUS_UM / mpp) for one in noise]
    hematoxylin, eosin = (np.clip(0.5 + one / (4 * one.std()), 0, 1) for one in smooth)
    nuclei = np.clip(8 * (hematoxylin - 0.6), 0, 1)
    amounts = np.stack([_AMOUNTS[0] * nuclei + 0.05, _AMOUNTS[1] * eosin], axis=2)
    density = amounts @ np.array(H_E.rows[:2]) + rng.normal(0, 0.02, (side_px, side_px, 1))
    return np.asarray(np.clip(256 * np.exp(-density) - 1, 0, 255), np.uint8)


def _paths(order: TuneRequest) -> tuple[list[NumericPath], list[dict[str, Any]]]:
    """Return what is measured beside the reference, and rows of what is not."""
    paths: list[NumericPath] = ["bf16", "onnx"]
    if not order.compile:
        return paths, []
    on_gpu = choose_device().is_gpu
    compilers = (os.environ.get("CXX", ""), *_COMPILERS)
    if on_gpu or any(shutil.which(name) for name in compilers if name):
        return [*paths, "compile"], []
    problem = _("There is no C++ compiler, which it needs.")
    return paths, [_unmeasured("compile", problem)]


def _measured(computed: Computed, path: NumericPath) -> Measured:
    """Return how a network with its last activation computes under a path."""
    import torch

    from pathoview.methods.engine.numerics import measure

    class Activated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = computed.network

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return computed.activate(self.network(images).float())

    (found,) = measure(Activated().eval(), computed.images, [path])
    return found


def _row(path: str, found: Sequence[Measured], reference: Sequence[Measured]) -> dict[str, Any]:
    """Return what is told of a path: all networks of a method together."""
    from pathoview.methods.engine.numerics import TOLERANCE

    problem = next((one.problem for one in found if one.problem), "")
    seconds = sum(one.seconds for one in found)
    if not math.isfinite(seconds):
        return _unmeasured(path, problem)
    first_s = max(one.first_s for one in found)
    if not problem and first_s > _PATIENCE_S:
        problem = _("It takes {seconds:.0f} s to make it ready.").format(seconds=first_s)
    return {
        "path": path,
        "seconds": seconds,
        "speed_up": sum(one.seconds for one in reference) / seconds,
        "max_error": max(one.max_error for one in found),
        "tolerance": TOLERANCE[found[0].path],
        "problem": problem,
    }


def _unmeasured(path: str, problem: str) -> dict[str, Any]:
    said = dict.fromkeys(("seconds", "speed_up", "max_error", "tolerance"))
    return {"path": path, **said, "problem": problem}

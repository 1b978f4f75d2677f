"""Makes ``import torchvision`` (and so timm) work where its compiled operators cannot be loaded.

PyPI's torchvision is built for CUDA; beside a torch without CUDA its library does not load, and the
import ends with “operator torchvision::nms does not exist”. Nothing here computes with those
operators: that they are declared is enough.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import torch

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

_declared: list[torch.library.Library] = []  # a library's operators vanish with it


def make_importable() -> bool:
    """Declare the missing operators before the first ``import torchvision``.

    Return whether they stand in; False: the real ones load, or there is no torchvision.
    """
    if _declared:
        return True
    if "torchvision" in sys.modules or _real_operators_load():
        return False
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in _OPERATORS:
        library.define(operator)  # type: ignore[no-untyped-call]
    _declared.append(library)
    return True


def _real_operators_load() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # nothing to stand in for
    folder = Path(spec.origin).parent
    for suffix in (*importlib.machinery.EXTENSION_SUFFIXES, ".so", ".pyd"):
        compiled = folder / f"_C{suffix}"
        if compiled.exists():
            try:
                torch.ops.load_library(str(compiled))  # type: ignore[no-untyped-call]
            except OSError:
                return False
            return True
    return False

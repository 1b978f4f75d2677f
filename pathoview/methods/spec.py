"""How a method declares itself, and what each kind of method has to do.

Nothing here imports torch: forms, the command line and the guide are made from declarations.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.slides.slide import Slide


class Kind(enum.StrEnum):
    """What goes in and what comes out; each kind has its own protocol."""

    INSTANCE = "instance"
    """patch → labelled nuclei"""


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What a method says of itself before it computes."""

    name: str
    title: str
    summary: str
    """One sentence for a pathologist."""
    kind: Kind
    learns_from: str
    """``nothing``, ``points``, ``scribbles``, ``regions``, ``slide labels`` …"""
    mpp: float
    """µm per px the method works at; the nearest whole reduction of a level is read."""
    patch_px: int
    """Side of the core of a patch, px at `mpp`."""
    halo_um: float
    """Context read around the core on every side, µm: more than the largest object's size."""
    stains: tuple[str, ...]
    params: type[BaseParams]
    reference: str
    entry: str
    """``"module:Class"`` of the implementation, imported when it runs."""
    version: int = 1
    """Raised when the same input would give other objects."""
    uses_torch: bool = False


class InstanceMethod(Protocol):
    """patch → labelled nuclei. Constructed as ``Class(params)``; the constructor only stores."""

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return what is measured once on the whole slide, JSON-able (thresholds, stains).

        ``mpp`` is the true µm per px of the patches to come. It depends on the slide and the
        parameters only, is kept in the run's record, and is given to every `predict`.
        """

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.int32]:
        """Return instances, (height, width) int32, 0 background.

        ``patch`` is (height, width, 3) uint8 RGB with its halo. The labels of a pixel may depend
        only on pixels within the halo's distance, so that tiles agree at their seams.
        Called from several threads at once.
        """

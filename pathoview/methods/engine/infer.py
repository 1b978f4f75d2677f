"""A network over patches of any size: windows that overlap, views that are averaged, batches.

Memory is bounded by the windows, not by the patch. Where it does not suffice all the same, the
batch is halved, then the window, and what was found to fit is kept for the patches to come.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from pathoview.core.errors import RunError
from pathoview.core.translation import _
from pathoview.methods.engine.descent import is_out_of_memory
from pathoview.methods.engine.numerics import NumericPath, prepare
from pathoview.methods.spec import Compute
from pathoview.methods.windows import Maps, Rgb, hann, padded, whole_multiple, window_starts

_EXAMPLE_STRIDES = 4


@dataclass(frozen=True, slots=True)
class InferencePlan:
    """How patches are cut for a network; px are those of the patch."""

    stride: int
    """Sides of what the network is given are multiples of it."""
    overlap_px: int = 64
    """How much neighbouring windows share: no less than what a pixel depends on."""
    window_px: int = 1280
    """Side of the largest window. A patch that is not larger is computed in one piece."""
    batch: int = 1
    """Windows (and views of them) computed at once."""
    n_views: int = 1
    """1: as it is; 4: turned by quarters; 8: mirrored too. Their results are averaged."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A network that was used, and the first images that it was given."""

    network: nn.Module
    """As the method has it, not yet made ready for a numeric path."""
    activate: Callable[[Tensor], Tensor]
    images: Tensor
    """(batch, 3, height, width), 0 … 1."""


_watching: ContextVar[dict[int, Computed] | None] = ContextVar("watching", default=None)


@contextlib.contextmanager
def watched() -> Iterator[dict[int, Computed]]:
    """Note each network that this thread computes in the block, whatever method it belongs to."""
    noted: dict[int, Computed] = {}
    token = _watching.set(noted)
    try:
        yield noted
    finally:
        _watching.reset(token)


class Inference:
    """Maps of patches by a network. Safe to call from several threads."""

    def __init__(
        self,
        network: nn.Module,
        plan: InferencePlan,
        compute: Compute,
        activate: Callable[[Tensor], Tensor] = torch.sigmoid,
    ) -> None:
        """``network``: (batch, 3, height, width) of 0 … 1 to logits of the same size.

        Raises `RunError` when the machine lacks what the numeric path needs.
        """
        path = cast("NumericPath", compute.numerics)
        self._device = torch.device(compute.device)
        example = torch.zeros(1, 3, *[_EXAMPLE_STRIDES * plan.stride] * 2, device=self._device)
        self._original = network.eval()
        self._network = prepare(self._original, path, example)
        self._plan = plan
        self._activate = activate
        self._lock = threading.Lock()
        self._fits = plan.window_px, plan.batch

    @property
    def fits(self) -> tuple[int, int]:
        """Side of the windows and windows at once, as memory has allowed so far."""
        return self._fits

    def maps(self, patch: Rgb) -> Maps:
        """Return the activated outputs, (n_outputs, height, width), of (height, width, 3) RGB.

        Raises `RunError` when memory does not suffice for the smallest window.
        """
        while True:
            window, batch = self._fits
            try:
                return self._maps(patch, window, batch)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                self._back_off(window, batch, error)

    def _back_off(self, window: int, batch: int, error: BaseException) -> None:
        """Take a smaller batch or window than those that did not fit."""
        least = 2 * self._plan.overlap_px + self._plan.stride
        if batch > 1:
            smaller = window, batch // 2
        elif window // 2 >= least:
            smaller = window // 2, 1
        else:
            raise RunError(
                _("There is too little memory to compute even a small piece of the slide."),
                _("Close other programs, or choose the processor instead of the GPU."),
            ) from error
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        with self._lock:
            self._fits = min(self._fits, smaller)

    def _maps(self, patch: Rgb, window: int, batch: int) -> Maps:
        height, width = patch.shape[:2]
        tops = window_starts(height, window, self._plan.overlap_px)
        lefts = window_starts(width, window, self._plan.overlap_px)
        if len(tops) == len(lefts) == 1:
            return self._computed([patch], batch)[0]
        total: Maps | None = None
        weights = np.zeros((height, width), np.float32)
        places = [(top, left) for top in tops for left in lefts]
        for some in _chunks(places, batch):
            pieces = [patch[top : top + window, left : left + window] for top, left in some]
            for (top, left), made in zip(some, self._computed(pieces, batch), strict=True):
                if total is None:
                    total = np.zeros((len(made), height, width), np.float32)
                weight = hann(*made.shape[1:])
                there = slice(top, top + made.shape[1]), slice(left, left + made.shape[2])
                total[:, *there] += made * weight
                weights[there] += weight
        assert total is not None
        return np.asarray(total / weights, np.float32)

    def _computed(self, pieces: Sequence[Rgb], batch: int) -> list[Maps]:
        """Return the maps of pieces of equal size, averaged over the views."""
        height, width = pieces[0].shape[:2]
        size = [whole_multiple(side, self._plan.stride) for side in (height, width)]
        stack = np.stack([padded(piece, *size) for piece in pieces])
        pixels = torch.from_numpy(stack).to(self._device).permute(0, 3, 1, 2)
        sums: Tensor | None = None
        for turn, back in _views(self._plan.n_views):
            seen = turn(pixels)
            starts = range(0, len(seen), batch)
            made = back(torch.cat([self._activated(seen[n : n + batch]) for n in starts]))
            sums = made if sums is None else sums + made
        assert sums is not None
        maps = (sums / self._plan.n_views)[..., :height, :width].cpu().numpy()
        return list(np.ascontiguousarray(maps))

    def _activated(self, pixels: Tensor) -> Tensor:
        with torch.inference_mode():
            images = pixels.float().div_(255)
            noted = _watching.get()
            if noted is not None:
                noted.setdefault(id(self), Computed(self._original, self._activate, images))
            return self._activate(self._network(images).float())


_Turn = Callable[[Tensor], Tensor]


def _views(n: int) -> Iterator[tuple[_Turn, _Turn]]:
    """Yield how a view is made and how it is turned back."""
    for index in range(n):
        turns, mirrored = index % 4, index >= 4

        def turn(x: Tensor, turns: int = turns, mirrored: bool = mirrored) -> Tensor:
            return torch.rot90(x.flip(-1) if mirrored else x, turns, (-2, -1))

        def back(x: Tensor, turns: int = turns, mirrored: bool = mirrored) -> Tensor:
            straight = torch.rot90(x, -turns, (-2, -1))
            return straight.flip(-1) if mirrored else straight

        yield turn, back


def _chunks(places: Sequence[tuple[int, int]], size: int) -> Iterator[Sequence[tuple[int, int]]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]

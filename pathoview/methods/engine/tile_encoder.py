"""What an encoder sees in tiles: one row of numbers a tile.

An encoder that gives maps is asked for the averages of its coarsest ones over the whole tile; one
that gives a vector, for that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pathoview.core.errors import RunError, UsageError
from pathoview.core.translation import _
from pathoview.datasets.bags import LEAST_TISSUE, EncoderUsed
from pathoview.methods.engine.descent import is_out_of_memory
from pathoview.methods.engine.encoder_list import N_POOLED
from pathoview.methods.engine.encoders import (
    Encoder,
    Source,
    body_hash,
    build_encoder,
    source_named,
)
from pathoview.methods.engine.numerics import NumericPath, prepare
from pathoview.methods.spec import Compute

Tiles = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float32]

_RANDOM_SEED = 0
_PIXELS_AT_ONCE = {"cpu": 4 * 224 * 224, "gpu": 64 * 224 * 224}
"""A thread of a processor gains nothing from more, and eight of them share 2 GiB; a GPU is not busy
with less."""

_logger = logging.getLogger(__name__)


class TileEncoder:
    """Tiles → rows of features. Safe to call from several threads."""

    def __init__(self, name: str, source: str = "", compute: Compute = Compute()) -> None:  # noqa: B008
        """``source``: ``random``, ``bundled``, ``hub``, a file, or empty (see `source_named`).

        Random weights are the same every time. Raises `UsageError` and `InputError` as
        `build_encoder` does, and `RunError` when the machine lacks what the numeric path needs.
        """
        found = source_named(name, source)
        encoder = begun_encoder(name, found).eval()
        self.spec = encoder.spec
        self.source = str(found.absolute()) if isinstance(found, Path) else found
        self._parent = encoder.parent
        self.weights = encoder.parent.id if encoder.parent else body_hash(encoder.body)
        """Equal for equal weights."""
        self.device = compute.device
        """torch's name."""
        self._device = torch.device(compute.device)
        side = self.spec.tile_px
        example = torch.zeros(2, 3, side, side, device=self._device)
        path = cast("NumericPath", compute.numerics)
        self._network = cast(
            "Callable[[Tensor], Tensor]", prepare(PooledEncoder(encoder).eval(), path, example)
        )
        self._lock = threading.Lock()
        self._pixels_at_once = _PIXELS_AT_ONCE["cpu" if compute.device == "cpu" else "gpu"]

    @property
    def n_features(self) -> int:
        """How many numbers describe a tile at one magnification."""
        return self.spec.n_features

    def used(
        self,
        mpp: tuple[float, ...],
        tile_px: int,
        normalisation: str = "none",
        least_tissue: float = LEAST_TISSUE,
    ) -> EncoderUsed:
        """Return the record of describing tiles at some magnifications, µm per px of each.

        Raises `UsageError` when tiles of ``tile_px`` px cannot be described.
        """
        if self.spec.only_tile_px and tile_px != self.spec.tile_px:
            raise UsageError(
                _("{name} only describes tiles of {n} px.").format(
                    name=self.spec.name, n=self.spec.tile_px
                )
            )
        return EncoderUsed(
            name=self.spec.name,
            weights=self.weights,
            n_features=self.n_features * len(mpp),
            mpp=mpp,
            tile_px=tile_px,
            normalisation=normalisation,
            least_tissue=least_tissue,
            licence=self._parent.licence if self._parent else "",
            origin=self._parent.name if self._parent else "",
            source=self.source,
        )

    def batch(self, side: int) -> int:
        """Return how many tiles of a side, px, are computed at once, as memory has allowed."""
        return max(1, self._pixels_at_once // side**2)

    def rows(self, tiles: Tiles) -> Rows:
        """Return (n, n_features) of (n, side, side, 3) RGB.

        Raises `RunError` when memory does not suffice for a single tile.
        """
        found: list[Rows] = [np.empty((0, self.n_features), np.float32)]
        start = 0
        while start < len(tiles):
            batch = self.batch(tiles.shape[1])
            try:
                found.append(self._computed(tiles[start : start + batch]))
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                self._back_off(batch, tiles.shape[1], error)
                continue
            start += batch
        return np.concatenate(found)

    def _computed(self, tiles: Tiles) -> Rows:
        pixels = torch.from_numpy(np.ascontiguousarray(tiles)).to(self._device)
        with torch.inference_mode():
            given = self._network(pixels.permute(0, 3, 1, 2).float().div_(255))
        return np.asarray(given.float().cpu().numpy(), np.float32)

    def _back_off(self, batch: int, side: int, error: BaseException) -> None:
        """Take half of the batch that did not fit."""
        if batch == 1:
            raise RunError(
                _("There is too little memory to compute even a single tile."),
                _("Close other programs, or choose smaller tiles or a smaller encoder."),
            ) from error
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        with self._lock:
            self._pixels_at_once = min(self._pixels_at_once, (batch // 2) * side**2)
        _logger.warning("memory is short: %d tiles at once", self.batch(side))


class PooledEncoder(nn.Module):
    """Images → the averages of an encoder's coarsest maps, side by side."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, n_features) of (N, 3, H, W) RGB, 0–1."""
        maps: list[Tensor] = self.encoder(images)[-N_POOLED:]
        return torch.cat([one.flatten(2).mean(2) if one.ndim == 4 else one for one in maps], dim=1)


def begun_encoder(name: str, source: Source | Path) -> Encoder:
    """Return `build_encoder`'s, whose random weights are the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        return build_encoder(name, source)

"""What a network says of many tiles, read in a second thread while it looks at those before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pathoview.datasets.bags import TilePixels
from pathoview.methods.engine.ahead import made_ahead

_PIXELS_AT_ONCE = {"cpu": 16 * 224 * 224, "gpu": 128 * 224 * 224}

_BATCH = 50
"""Tiles whose statistics are taken together."""


def looked_at(
    network: nn.Module,
    pixels: TilePixels,
    tiles: npt.NDArray[np.integer],
    tile_px: int,
    device: torch.device,
    check: Callable[[], None],
) -> npt.NDArray[np.float32]:
    """Return (n, …) of what a network in evaluation mode gives of some tiles of a bag."""
    n = max(1, _PIXELS_AT_ONCE["cpu" if device.type == "cpu" else "gpu"] // tile_px**2)
    starts = range(0, len(tiles), n)
    found = [np.zeros((0, 0), np.float32)][: not len(tiles)]
    with made_ahead(lambda part: {"pixels": pixels.read(tiles[part * n :][:n])},
                    range(len(starts))) as batches:  # fmt: skip
        for batch in batches:
            check()
            with torch.inference_mode():
                given = network(as_images(torch.from_numpy(batch["pixels"]).to(device)))
            found.append(given.float().cpu().numpy())
    return np.concatenate(found)


def batches_of(tiles: npt.NDArray[np.uint8], device: torch.device) -> Iterator[Tensor]:
    """Yield (n, side, side, 3) tiles as images, in batches of about the same size."""
    for rows in np.array_split(np.arange(len(tiles)), -(-len(tiles) // _BATCH)):
        yield as_images(torch.from_numpy(tiles[rows]).to(device))


def as_images(pixels: Tensor) -> Tensor:
    """Return (N, 3, H, W), 0–1, of (N, H, W, 3) bytes."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)

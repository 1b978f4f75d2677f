"""A network that is told where in its window each pixel lies.

What convolutions see of two equal nuclei is the same; with the place mixed in they can differ.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CoordConv(nn.Module):
    """(batch, 3, height, width) → the same size: the pixels and their place, mixed by 1 × 1.

    The place is x and y from the middle of the window, 1 at ``window_px`` / 2 from it. At first
    the pixels go through unchanged.
    """

    def __init__(self, window_px: int, n_channels: int = 3) -> None:
        super().__init__()
        self._half_px = window_px / 2
        self.mix = nn.Conv2d(n_channels + 2, n_channels, 1)
        with torch.no_grad():
            self.mix.weight[:, :n_channels, 0, 0] = torch.eye(n_channels)
            nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        height, width = pixels.shape[-2:]
        y = (torch.arange(height, device=pixels.device) - (height - 1) / 2) / self._half_px
        x = (torch.arange(width, device=pixels.device) - (width - 1) / 2) / self._half_px
        place = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1]).to(pixels.dtype)
        place = place.expand(len(pixels), -1, -1, -1)
        mixed: Tensor = self.mix(torch.cat((pixels, place), dim=1))
        return mixed


class PlacedNetwork(nn.Module):
    """A network behind a `CoordConv`."""

    def __init__(self, network: nn.Module, window_px: int) -> None:
        super().__init__()
        self.coordinates = CoordConv(window_px)
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        embedding: Tensor = self.network(self.coordinates(pixels))
        return embedding

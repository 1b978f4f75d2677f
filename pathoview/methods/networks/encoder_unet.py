"""A U-Net on an encoder: its maps of features, from coarse to fine, become one of full size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_WIDTHS = 256, 128, 64, 64
_DROPOUT = 0.1


class UpBlock(nn.Module):
    """(batch, n_in, h, w) and (batch, n_skip, 2 h, 2 w) → (batch, n_out, 2 h, 2 w)."""

    def __init__(self, n_in: int, n_skip: int, n_out: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(n_in, n_out, 2, stride=2)
        layers: list[nn.Module] = []
        for width in (n_out + n_skip, n_out):
            layers += [nn.Conv2d(width, n_out, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(n_out)]
        self.mix = nn.Sequential(*layers, nn.Dropout2d(_DROPOUT))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        mixed: Tensor = self.mix(torch.cat((self.up(coarse), fine), dim=1))
        return mixed


class EncoderUNet(nn.Module):
    """(batch, 3, height, width) of 0 … 1 → (batch, n_outputs, height, width) logits.

    ``encoder`` gives maps of ``channels`` with strides 2, 4, 8, 16, 32 of images of 0 … 1. Height
    and width are multiples of `stride`.
    """

    stride = 32

    def __init__(self, encoder: nn.Module, channels: Sequence[int], n_outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        inward = (channels[-1], *_WIDTHS[:-1])
        self.up = nn.ModuleList(
            UpBlock(n_in, n_skip, n_out)
            for n_in, n_skip, n_out in zip(inward, channels[-2::-1], _WIDTHS, strict=True)
        )
        self.full = nn.ConvTranspose2d(_WIDTHS[-1], _WIDTHS[-1], 2, stride=2)
        self.head = nn.Conv2d(_WIDTHS[-1], n_outputs, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        *finer, x = self.encoder(pixels)
        for block, fine in zip(self.up, finer[::-1], strict=True):
            x = block(x, fine)
        logits: Tensor = self.head(self.full(x))
        return logits

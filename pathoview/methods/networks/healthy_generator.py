"""A network that changes a picture, and begins by changing nothing.

The layout is that of Xia, Chartsias, Tsaftaris 2020, but for three things. What comes out is
``sigmoid(logit(pixels) + change)``, where the change is 0 at first: two networks of which one turns
pictures inside out and the other turns them back have no cycle loss either, and from a random start
that is what they come to. The last convolution is linear, so that black can be reached. And the
normalisation is `ChannelNorm` in place of that of instances, so that a pixel depends on those
within `HealthyGenerator.reach_px` only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pathoview.methods.networks.channel_norm import ChannelNorm

_EDGE = 1e-3
"""Pixels are kept so far from 0 and 1, where the logit has no value; less than half of 1 / 255."""
_SLOPE = 0.2
_N_RESIDUAL = 6
_LEAST_CHANGE = 0.02
"""Standard deviation of the weights at first, as in the paper."""


class HealthyGenerator(nn.Module):
    """(batch, n_channels + n_hints, height, width), 0 … 1 → (batch, n_channels, …), 0 … 1.

    ``n_hints``: channels after those of the picture that tell what to change, such as a mask;
    ``width``: channels at full size. Height and width are multiples of `stride`.
    """

    stride = 4

    def __init__(self, n_channels: int = 3, *, n_hints: int = 0, width: int = 32) -> None:
        super().__init__()
        self._n_channels = n_channels
        self.start = nn.Sequential(_block(n_channels + n_hints, width, 7), _block(width, width, 7))
        self.down_2 = nn.Sequential(_block(width, 2 * width), _block(2 * width, 2 * width, step=2))
        self.down_4 = nn.Sequential(
            _block(2 * width, 4 * width), _block(4 * width, 4 * width, step=2)
        )
        self.deepest = nn.Sequential(*(_Residual(4 * width) for _number in range(_N_RESIDUAL)))
        self.up_2, self.join_2 = _block(4 * width, 4 * width), _block(6 * width, 2 * width)
        self.up_1, self.join_1 = _block(2 * width, 2 * width), _block(3 * width, width)
        self.change = nn.Conv2d(width, n_channels, 7, padding=3)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=_LEAST_CHANGE)
        nn.init.zeros_(self.change.weight)
        assert self.change.bias is not None
        nn.init.zeros_(self.change.bias)

    @property
    def reach_px(self) -> int:
        """How far away a pixel can still change what another comes to."""
        at_full_size = 3 * 3 + 4 * 1  # three convolutions of 7 × 7, and four of 3 × 3
        at_half, at_quarter = 2 * 4, 4 * 2 * _N_RESIDUAL
        # What lies in the same cell of the coarsest level comes to it, too.
        return at_full_size + at_half + at_quarter + self.stride - 1

    def forward(self, seen: Tensor) -> Tensor:
        fine = self.start(seen - 0.5)
        half = self.down_2(fine)
        x = self.deepest(self.down_4(half))
        x = self.join_2(torch.cat((self.up_2(_doubled(x)), half), dim=1))
        x = self.join_1(torch.cat((self.up_1(_doubled(x)), fine), dim=1))
        pixels = seen[:, : self._n_channels].clamp(_EDGE, 1 - _EDGE)
        return torch.sigmoid(torch.logit(pixels) + self.change(x))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(_block(width, width), _block(width, width))

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = x + self.blocks(x)
        return changed


def _block(n_in: int, n_out: int, side: int = 3, step: int = 1) -> nn.Sequential:
    """Return a convolution, the normalisation of its channels, and a leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, side, step, padding=side // 2),
        ChannelNorm(n_out),
        nn.LeakyReLU(_SLOPE),
    )


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")

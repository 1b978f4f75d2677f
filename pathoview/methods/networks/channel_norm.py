"""A normalisation that knows of one pixel only."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """(batch, n, height, width) → the same size: the channels of each pixel have mean 0 and norm 1.

    Instance and group normalisation take their statistics from the whole window, so that what a
    pixel comes to would depend on where the window ends; batch normalisation takes them from
    several images, sick ones and healthy ones alike. This one computes the same in training and
    after it, on windows of any size.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)

"""A plain U-Net whose size is told by a few numbers; small ones suit a processor.

It may begin by folding ``fold`` × ``fold`` px into channels and end by unfolding them again: no
convolution then runs at full size, where most of the time would go, and what is put out still has
one value a pixel. What a pixel comes to depends on pixels within `UNet.reach_px` only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

_MIDDLE = 0.5
"""Of what pixels may be: networks learn faster from numbers around zero."""


class ConvBlock(nn.Sequential):
    """``n`` times 3 × 3 convolution, batch normalisation and ReLU."""

    def __init__(self, n_in: int, n_out: int, n: int = 2) -> None:
        layers: list[nn.Module] = []
        for index in range(n):
            layers += [
                nn.Conv2d(n_in if index == 0 else n_out, n_out, 3, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class UNet(nn.Module):
    """(batch, n_in, height, width), 0 … 1 → (batch, n_outputs, height, width) logits.

    ``widths``: channels from the finest level to the coarsest, each half as fine as the one
    before; ``n_deepest``: convolutions at the coarsest. Height and width are multiples of
    `stride`.
    """

    def __init__(
        self,
        n_outputs: int,
        *,
        n_in: int = 3,
        widths: tuple[int, ...] = (32, 64, 128),
        fold: int = 2,
        n_deepest: int = 3,
    ) -> None:
        super().__init__()
        self._fold = fold
        self._n_deepest = n_deepest
        self.stride: int = fold << (len(widths) - 1)
        inward = (n_in * fold**2, *widths)
        self.down = nn.ModuleList(
            ConvBlock(inward[level], width, 2 if level < len(widths) - 1 else n_deepest)
            for level, width in enumerate(widths)
        )
        self.up = nn.ModuleList(
            ConvBlock(fine + coarse, fine, 2)
            for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], n_outputs * fold**2, 1)

    @property
    def reach_px(self) -> int:
        """How far away a pixel can still change what another comes to."""
        strides = [self._fold << level for level in range(len(self.down))]
        # Two convolutions down and two up at each level but the deepest, and what lies in the
        # same cell of the deepest level; up-sampling looks one more cell of the coarser level far.
        convolved = 4 * sum(strides[:-1]) + self._n_deepest * strides[-1]
        return convolved + sum(strides[1:]) + self.stride - 1

    def forward(self, pixels: Tensor) -> Tensor:
        x = functional.pixel_unshuffle(pixels - _MIDDLE, self._fold)
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if level else x)
            kept.append(x)
        for block, finer in zip(self.up, kept[-2::-1], strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat((x, finer), dim=1))
        return functional.pixel_shuffle(self.head(x), self._fold)


def folded(network: nn.Module) -> nn.Module:
    """Return an evaluating network with every normalisation multiplied into its convolution.

    It computes the same in fewer steps, and cannot be trained any more; it is altered in place.
    """
    network.eval()
    for block in [module for module in network.modules() if isinstance(module, ConvBlock)]:
        for index in range(0, len(block), 3):
            convolution, normalisation = block[index], block[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
                block[index] = fuse_conv_bn_eval(convolution, normalisation)
                block[index + 1] = nn.Identity()
    return network

"""Networks that show tissue as if it were healthy, all with the same outputs.

(n, 3, height, width), 0 … 1 → (n, 5, height, width): the picture that is laid over the tissue, how
much of it counts, and how likely there is pathology; all 0 … 1.

Normalisation is by batches, whose statistics are fixed once it is trained: by groups or by
pictures, as the papers have it, each pixel would depend on the whole patch, and tiles would
disagree where they meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pathoview.methods.networks.unet import UNet

STRIDE = 16
"""Sides of what the networks are given are multiples of it."""
N_OUTPUTS = 5
_HIDDEN = 0.5


@dataclass(frozen=True, slots=True)
class Seam:
    """How what is found becomes what is replaced; px."""

    threshold: float = 0.5
    margin_px: int = 2
    width_px: int = 2


class Hole(NamedTuple):
    """Where a picture is filled in; both (n, 1, height, width), 0 … 1."""

    hidden: Tensor
    """What the network must not see."""
    share: Tensor
    """How much of what is filled in counts; nothing outside of ``hidden``."""


def hole_around(pathology: Tensor, seam: Seam) -> Hole:
    """Return what is replaced of a picture with probabilities of pathology, (n, 1, h, w)."""
    found = (pathology > seam.threshold).to(pathology.dtype)
    half = -(-seam.width_px // 2)
    grown = _grown(found, seam.margin_px + half)
    share = functional.avg_pool2d(
        grown, 2 * half + 1, stride=1, padding=half, count_include_pad=False
    )
    return Hole(_grown(grown, half), share)


def _grown(mask: Tensor, n: int) -> Tensor:
    """Return a mask grown by n px, in a square."""
    along = functional.max_pool2d(mask, (1, 2 * n + 1), stride=1, padding=(0, n))
    return functional.max_pool2d(along, (2 * n + 1, 1), stride=1, padding=(n, 0))


def segmentor(width: int) -> UNet:
    """Return a network that says where pathology is: one logit a pixel."""
    return UNet(1, widths=(width, 2 * width, 4 * width))


class Inpainter(nn.Module):
    """Fills hidden pixels in as the tissue around them goes on."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.unet = UNet(3, n_in=4, widths=(width, 2 * width, 4 * width, 4 * width))

    def forward(self, pixels: Tensor, hidden: Tensor) -> Tensor:
        """Return a picture, 0 … 1; ``hidden``: (n, 1, h, w), 1 where a pixel is not seen."""
        seen = torch.where(hidden > 0, _HIDDEN, pixels)
        filled: Tensor = self.unet(torch.cat((seen, hidden), 1)).sigmoid()
        return filled


class HealthyNetwork(nn.Module):
    """What all have beside the outputs that the module tells of."""

    @property
    def reach_px(self) -> int:
        """How far away a pixel can still change what another comes to; within the halo."""
        raise NotImplementedError


class InpaintingNetwork(HealthyNetwork):
    """Finds pathology and fills it in; what lies outside is given back untouched."""

    def __init__(self, width: int, seam: Seam = Seam()) -> None:
        super().__init__()
        self.seam = seam
        self.segmentor = segmentor(width)
        self.inpainter = Inpainter(width)

    @property
    def reach_px(self) -> int:
        grown = self.seam.margin_px + self.seam.width_px + 1
        return self.segmentor.reach_px + grown + self.inpainter.unet.reach_px

    def forward(self, pixels: Tensor) -> Tensor:
        pathology = self.segmentor(pixels).sigmoid()
        hidden, share = hole_around(pathology, self.seam)
        return torch.cat((self.inpainter(pixels, hidden), share, pathology), 1)


class Repainter(nn.Module):
    """Repaints a whole picture; it begins by changing nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.unet = UNet(3, widths=(width, 2 * width, 4 * width, 4 * width))
        nn.init.zeros_(self.unet.head.weight)
        assert self.unet.head.bias is not None
        nn.init.zeros_(self.unet.head.bias)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return a picture that may leave 0 … 1: cut off, it could not learn to come back."""
        changed: Tensor = pixels + without_checkers(self.unet(pixels))
        return changed

    @property
    def reach_px(self) -> int:
        """How far away a pixel can still change what another comes to."""
        return self.unet.reach_px + 1


def without_checkers(change: Tensor) -> Tensor:
    """Return a change without what alternates from pixel to pixel, (n, 3, h, w).

    A network that unfolds pixels can paint such patterns, and learns to: they fool a segmentor.
    """
    grown = functional.pad(change, (1, 1, 1, 1), mode="replicate")
    return functional.avg_pool2d(functional.avg_pool2d(grown, 2, stride=1), 2, stride=1)


class RepaintingNetwork(HealthyNetwork):
    """Repaints the whole picture, and says beside it where pathology is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.segmentor = segmentor(width)
        self.generator = Repainter(width)

    @property
    def reach_px(self) -> int:
        return max(self.segmentor.reach_px, self.generator.reach_px)

    def forward(self, pixels: Tensor) -> Tensor:
        pathology = self.segmentor(pixels).sigmoid()
        painted = self.generator(pixels).clamp(0, 1)
        return torch.cat((painted, torch.ones_like(pathology), pathology), 1)


class Game(nn.Module):
    """Who repaints, and who looks for what is left of pathology in that."""

    def __init__(self, generator: Repainter, segmentor: UNet) -> None:
        super().__init__()
        self.generator = generator
        self.segmentor = segmentor

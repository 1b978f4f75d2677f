"""A network that grades tiles by two heads, and its losses (Le Vuong et al. 2021).

One head tells grades apart as classes; the other gives one number, the severity, which is to lie at
the grade. Both are linear and follow an average over the tile, so that a whole patch is graded at
once: its features are averaged around each place instead.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Reading = Literal["both", "classes", "severity"]

_WIDTH = 256
_DROPOUT = 0.2


class GradingNetwork(nn.Module):
    """(batch, 3, height, width) of 0 … 1 → (batch, n_grades + 1, height, width).

    The channels are logits of the grades and, last, the severity: about 0 … n_grades - 1. Each px
    tells of the tile around it. ``encoder`` gives maps of features, the coarsest of ``n_features``
    with a stride of 32; height and width are multiples of `stride`.
    """

    stride = 32

    def __init__(self, encoder: nn.Module, n_features: int, n_grades: int, tile_px: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.neck = nn.Sequential(
            nn.Conv2d(n_features, _WIDTH, 1, bias=False), nn.BatchNorm2d(_WIDTH), nn.ReLU()
        )
        self.drop = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(_WIDTH, n_grades + 1)
        self._reach = tile_px // (2 * self.stride)

    def graded(self, tiles: Tensor) -> Tensor:
        """Return (batch, n_grades + 1) of whole tiles."""
        pooled = self.neck(self.encoder(tiles)[-1]).mean((2, 3))
        found: Tensor = self.head(self.drop(pooled))
        return found

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.neck(self.encoder(pixels)[-1])
        weight = self.head.weight[:, :, None, None]
        cells = functional.conv2d(features, weight, self.head.bias)
        around = functional.avg_pool2d(
            cells, 2 * self._reach + 1, 1, self._reach, count_include_pad=False
        )
        return functional.interpolate(
            around, size=pixels.shape[-2:], mode="bilinear", align_corners=False
        )


def distance_logits(severity: Tensor, n_grades: int) -> Tensor:
    """Return minus the distance to each grade, (batch, n_grades, …), of (batch, …)."""
    grades = torch.arange(n_grades, device=severity.device, dtype=severity.dtype)
    return -(severity[:, None] - grades.view(1, -1, *[1] * (severity.ndim - 1))).abs()


def probabilities(found: Tensor, reading: Reading) -> Tensor:
    """Return (batch, n_grades, …), adding up to 1, of what the network gives.

    ``both``: the mean of what the two heads say.
    """
    logits, severity = found[:, :-1], found[:, -1]
    by_class = logits.softmax(1)
    by_severity = distance_logits(severity, logits.shape[1]).softmax(1)
    if reading == "both":
        return (by_class + by_severity) / 2
    return by_class if reading == "classes" else by_severity


def ordinal_cross_entropy(severity: Tensor, grades: Tensor, n_grades: int) -> Tensor:
    """Return the cross entropy of distances for each sample, (batch,): the paper's CEO.

    ``-ln(exp(-|r - y|) / Σ_j exp(-|r - j|))``. Below the first grade and above the last it is flat:
    the squared error anchors those.
    """
    return functional.cross_entropy(distance_logits(severity, n_grades), grades, reduction="none")


def joint_loss(
    found: Tensor, grades: Tensor, weights: Tensor, *, is_first_ordered: bool
) -> tuple[Tensor, dict[str, float]]:
    """Return cross entropy + squared error + CEO, 1 : 1 : 1, and its parts.

    ``found``: (batch, n_grades + 1); ``grades``: (batch,) whole numbers; ``weights``: (n_grades,).
    ``is_first_ordered`` False: for the first grade, benign, only the squared error says where the
    severity is to be.
    """
    n_grades, severity = found.shape[1] - 1, found[:, -1]
    each = weights[grades]
    counted = each if is_first_ordered else each * (grades > 0)
    total = each.sum().clamp(min=1e-6)
    by_class = functional.cross_entropy(found[:, :-1], grades, reduction="none")
    squared = (severity - grades).square()
    ordinal = ordinal_cross_entropy(severity, grades, n_grades)
    parts = {
        "loss_classes": (by_class * each).sum() / total,
        "loss_severity": (squared * each).sum() / total,
        "loss_order": (ordinal * counted).sum() / total,
    }
    said = {name: float(one.detach()) for name, one in parts.items()}
    return torch.stack(list(parts.values())).sum(), said

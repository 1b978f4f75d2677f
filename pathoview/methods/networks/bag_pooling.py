"""The plainest ways to pool tiles, which every other has to beat: their mean, their strongest."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pathoview.methods.networks.bag_network import BagNetwork, BagOutput


class MeanNetwork(BagNetwork):
    """A linear head on the mean of the features; all tiles count the same."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__(n_features)
        self.head = nn.Linear(n_features, n_classes)

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        weights = is_tile / is_tile.sum(1, keepdim=True)
        return BagOutput((self.head((weights[:, None] @ tiles)[:, 0]),), weights[:, None])


@torch.no_grad()
def point(head: nn.Linear, towards: Tensor, scale: Tensor) -> None:
    """Have a head of standardised features, by ``scale``, say where each class lies.

    ``towards``: (class, feature), in the encoder's features; its length plays no part.
    """
    standard = torch.where(scale > 0, towards / scale, 0.0)
    head.weight.copy_(standard / standard.norm().clamp(min=1e-6))
    head.bias.zero_()


class MaxNetwork(BagNetwork):
    """A linear head on each tile; the tile that speaks most for a class counts alone for it.

    ``towards``: (class, feature) where each class lies, in the encoder's features, to begin with;
    from random weights, the tile that speaks most is often the wrong one for good.
    """

    def __init__(self, n_features: int, n_classes: int, towards: Tensor | None = None) -> None:
        super().__init__(n_features)
        self._towards = towards
        self.head = nn.Linear(n_features, n_classes)

    def begin(self, mean: Tensor, scale: Tensor, sample: Tensor) -> None:
        super().begin(mean, scale, sample)
        if self._towards is not None:
            point(self.head, self._towards, scale)

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        judged = self.head(tiles).masked_fill(~is_tile[..., None], -math.inf)
        strongest, critical = judged.max(1)  # (bag, class)
        attention = nn.functional.one_hot(critical, tiles.shape[1])
        return BagOutput((strongest,), attention.to(tiles.dtype))

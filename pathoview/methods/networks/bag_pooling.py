"""The plainest ways to pool tiles, which every other has to beat: their mean, their strongest."""

from __future__ import annotations

import math

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


class MaxNetwork(BagNetwork):
    """A linear head on each tile; the tile that speaks most for a class counts alone for it."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__(n_features)
        self.head = nn.Linear(n_features, n_classes)

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        judged = self.head(tiles).masked_fill(~is_tile[..., None], -math.inf)
        strongest, critical = judged.max(1)  # (bag, class)
        attention = nn.functional.one_hot(critical, tiles.shape[1])
        return BagOutput((strongest,), attention.to(tiles.dtype))

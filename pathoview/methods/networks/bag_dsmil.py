"""Two streams: the tile that speaks most for a class, and all tiles by likeness to it (DSMIL).

Li, Li and Eliceiri 2021, with softmax in place of one yes or no a class, and with the embedding
that all aggregators here have before queries and values.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from pathoview.methods.networks.bag_network import (
    BagNetwork,
    BagOutput,
    embedding,
    weights_of_tiles,
)
from pathoview.methods.networks.bag_pooling import point

_QUERY_WIDTH = 128


class DsmilNetwork(BagNetwork):
    """The mean of both streams' logits is said; each has its own loss, both weigh the same.

    The attention of a class is how like each tile's query is to that of the class's critical tile.
    ``towards``: (class, feature) where each class lies, by which tiles are judged to begin with;
    with a critical tile chosen at random, all others learn to be like the wrong one.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        width: int,
        dropout: float = 0.0,
        towards: Tensor | None = None,
    ) -> None:
        super().__init__(n_features)
        self._towards = towards
        self.judge = nn.Linear(n_features, n_classes)
        self.embed = embedding(n_features, width, 0.0)
        self.query = nn.Sequential(
            nn.Linear(width, _QUERY_WIDTH),
            nn.ReLU(),
            nn.Linear(_QUERY_WIDTH, _QUERY_WIDTH),
            nn.Tanh(),
        )
        self.value = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, width))
        self.head = nn.Conv1d(n_classes, n_classes, width)

    def begin(self, mean: Tensor, scale: Tensor, sample: Tensor) -> None:
        super().begin(mean, scale, sample)
        if self._towards is not None:
            point(self.judge, self._towards, scale)

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        judged = self.judge(tiles).masked_fill(~is_tile[..., None], -math.inf)
        strongest, critical = judged.max(1)  # (bag, class)
        hidden = self.embed(tiles)
        queries = self.query(hidden)
        places = critical[..., None].expand(-1, -1, queries.shape[-1])
        alike = queries.gather(1, places) @ queries.transpose(1, 2) / math.sqrt(_QUERY_WIDTH)
        attention = weights_of_tiles(alike, is_tile)
        pooled = attention @ self.value(hidden)  # (bag, class, width)
        return BagOutput((strongest, self.head(pooled)[..., 0]), attention)

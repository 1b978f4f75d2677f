"""What every network of bags is: tiles of slides in, classes of slides and attention out.

Bags of a batch are filled up to the same number of tiles; a mask says which are tiles, and what is
none has a weight of exactly 0.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_AT_ONCE = 4096
"""Tiles whose evidence is computed together."""


@dataclass(frozen=True, slots=True)
class BagOutput:
    """What is said of each bag."""

    streams: tuple[Tensor, ...]
    """(bag, class) logits; each learns alone, and their mean is what is said."""
    attention: Tensor
    """(bag, branch, tile), adding up to 1 over tiles; one branch, or one a class."""
    hidden: Tensor | None = None
    """(bag, tile, width) what the tiles were brought down to, where a loss wants it."""
    has_several_labels: bool = False
    """Logits are of labels that a bag may all have at once, not of classes of which it has one."""

    @property
    def logits(self) -> Tensor:
        """What is said, (bag, class)."""
        return torch.stack(self.streams).mean(0)

    @property
    def tile_attention(self) -> Tensor:
        """How much each tile counts, (bag, tile); branches by the probabilities of classes."""
        if self.attention.shape[1] == 1:
            return self.attention[:, 0]
        shares = self.logits.softmax(1)
        if self.has_several_labels:
            shares = functional.normalize(self.logits.sigmoid(), p=1.0, dim=1)
        return (shares[..., None] * self.attention).sum(1)


class BagNetwork(nn.Module, abc.ABC):
    """(bag, tile, feature) as the encoder gives them → `BagOutput`.

    ``mean`` and ``scale`` (1 / deviation), (feature,), are those of the tiles of training; they
    are kept with the weights.
    """

    instance_weight: float = 0.0
    """Part of `instance_losses` in the loss; the bags' has the rest."""
    instance_rest: int = 0
    """So often every bag is learned from before `instance_losses` count, for half of the training
    at most: attention has to tell tiles apart first."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))

    def begin(self, mean: Tensor, scale: Tensor, sample: Tensor) -> None:
        """Take note, before training, of what tiles look like.

        ``sample``: (n, feature) some tiles, standardised.
        """
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def forward(self, features: Tensor, is_tile: Tensor) -> BagOutput:
        """``is_tile``: (bag, tile) bool; each bag has at least one."""
        return self.aggregated((features - self.mean) * self.scale, is_tile)

    @abc.abstractmethod
    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        """Return what is said of bags of standardised features."""

    def evidence(self, features: Tensor) -> Tensor:
        """Return logits, (tile, class), of (tile, feature): each tile as if it were the bag."""
        tiles = features[:, None]
        return self.forward(tiles, torch.ones_like(tiles[..., 0], dtype=torch.bool)).logits

    def evidence_of(self, features: Tensor, output: BagOutput) -> Tensor:
        """Return logits, (tile, class), of the tiles of one bag: `evidence`, unless said otherwise.

        ``output``: what was said of the bag.
        """
        return torch.cat([self.evidence(some) for some in torch.split(features, _AT_ONCE)])

    def instance_losses(self, output: BagOutput, labels: Tensor, is_tile: Tensor) -> Tensor:
        """Return a loss of each bag, (bag,), over its tiles; ``labels``: (bag,) class."""
        return torch.zeros_like(labels, dtype=torch.float32)


def embedding(n_features: int, width: int, dropout: float) -> nn.Sequential:
    """Return what brings a tile's features down to ``width`` numbers."""
    return nn.Sequential(nn.Linear(n_features, width), nn.ReLU(), nn.Dropout(dropout))


def weights_of_tiles(scores: Tensor, is_tile: Tensor) -> Tensor:
    """Return (bag, branch, tile) weights that add up to 1, exactly 0 where no tile is.

    ``scores``: (bag, branch, tile); ``is_tile``: (bag, tile).
    """
    return scores.masked_fill(~is_tile[:, None], -math.inf).softmax(-1)

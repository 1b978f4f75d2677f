"""Attention-based pooling of tiles (Ilse, Tomczak and Welling 2018)."""

from __future__ import annotations

from torch import Tensor, nn

from pathoview.methods.networks.bag_network import (
    BagNetwork,
    BagOutput,
    embedding,
    weights_of_tiles,
)


class Attention(nn.Module):
    """(bag, tile, width) → scores (bag, branch, tile).

    Gated: ``w · (tanh(V h) * sigmoid(U h))``; else ``w · tanh(V h)``. As wide as what it looks at:
    what is wider learns by heart which tiles few slides have.
    """

    def __init__(self, width: int, n_branches: int = 1, *, is_gated: bool = True) -> None:
        super().__init__()
        self.tell = nn.Linear(width, width)
        self.gate = nn.Linear(width, width) if is_gated else None
        self.score = nn.Linear(width, n_branches)

    def forward(self, hidden: Tensor) -> Tensor:
        told = self.tell(hidden).tanh()
        if self.gate is not None:
            told = told * self.gate(hidden).sigmoid()
        scores: Tensor = self.score(told)
        return scores.transpose(1, 2)


class AttentionNetwork(BagNetwork):
    """A slide is the sum of its tiles, each by its attention; a linear head tells the class."""

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        width: int,
        dropout: float = 0.0,
        is_gated: bool = True,
    ) -> None:
        super().__init__(n_features)
        self.embed = embedding(n_features, width, dropout)
        self.attend = Attention(width, is_gated=is_gated)
        self.head = nn.Linear(width, n_classes)

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        hidden = self.embed(tiles)
        attention = weights_of_tiles(self.attend(hidden), is_tile)
        return BagOutput((self.head((attention @ hidden)[:, 0]),), attention)

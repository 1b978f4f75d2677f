"""Tiles that look at each other before the slide is told (TransMIL; Shao et al. 2021).

Two layers of Nyström attention, and between them convolutions over the tiles laid out as a square.
What comes first in that square must not depend on the order in which tiles are given, so tiles are
ordered along ``direction``, which training sets to the first principal component of its tiles: like
tiles become neighbours. Where tiles lay in the slide is not told.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pathoview.methods.networks.bag_network import BagNetwork, BagOutput, embedding
from pathoview.methods.networks.nystrom import NystromAttention

_N_HEADS = 8
_N_LANDMARKS = 64
_KERNELS = 7, 5, 3
_POWER_STEPS = 30


class SquareConvolutions(nn.Module):
    """Tokens of a square, the class's before them, plus three convolutions over the square."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kernels = nn.ModuleList(
            nn.Conv2d(width, width, side, padding=side // 2, groups=width) for side in _KERNELS
        )

    def forward(self, tokens: Tensor, side: int) -> Tensor:
        square = tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, side, side)
        square = square + torch.stack([kernel(square) for kernel in self.kernels]).sum(0)
        return torch.cat((tokens[:, :1], square.flatten(2).transpose(1, 2)), dim=1)


class TransmilNetwork(BagNetwork):
    """The attention that is read out is that of the class's token in the second layer.

    It is the mean over heads, without what the token gives itself; Nyström's approximation may be a
    trace below zero, which counts as zero. It misses what tiles told each other before.
    """

    def __init__(
        self, n_features: int, n_classes: int, *, width: int, dropout: float = 0.0
    ) -> None:
        super().__init__(n_features)
        self.direction: Tensor
        self.register_buffer("direction", torch.ones(n_features))
        self.embed = embedding(n_features, width, dropout)
        self.token = nn.Parameter(torch.randn(1, 1, width) / math.sqrt(width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _layer in range(3))
        self.layers = nn.ModuleList(
            NystromAttention(width, n_heads=_N_HEADS, n_landmarks=_N_LANDMARKS)
            for _layer in range(2)
        )
        self.positions = SquareConvolutions(width)
        self.head = nn.Linear(width, n_classes)

    def begin(self, mean: Tensor, scale: Tensor, sample: Tensor) -> None:
        super().begin(mean, scale, sample)
        self.direction.copy_(first_component(sample))

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        if bool(is_tile.all()):
            logits, attention = self._whole(tiles)
            return BagOutput((logits,), attention[:, None])
        told, seen = [], tiles.new_zeros(is_tile.shape)
        for number, known in enumerate(is_tile):
            logits, attention = self._whole(tiles[number, known][None])
            told.append(logits)
            seen[number, known] = attention[0]
        return BagOutput((torch.cat(told),), seen[:, None])

    def _whole(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and attention of bags with equally many tiles, none of them filled up."""
        n = tiles.shape[1]
        side = math.isqrt(n - 1) + 1
        order = (tiles.double() * self.direction.double()).sum(-1).argsort(stable=True)
        order = torch.cat((order, order[:, : side**2 - n]), dim=1)  # the first ones fill the square
        places = order[..., None].expand(-1, -1, tiles.shape[-1])
        tokens = self.embed(tiles.gather(1, places))
        tokens = torch.cat((self.token.expand(len(tokens), -1, -1), tokens), dim=1)
        tokens = tokens + self.layers[0](self.norms[0](tokens))[0]
        tokens = self.positions(tokens, side)
        more, seen = self.layers[1](self.norms[1](tokens))
        logits = self.head(self.norms[2](tokens + more)[:, 0])
        seen = seen.detach()[:, 1:].clamp(min=torch.finfo(seen.dtype).tiny)
        attention = torch.zeros_like(tiles[..., 0]).scatter_add(1, order, seen)
        return logits, attention / attention.sum(1, keepdim=True)


def first_component(rows: Tensor) -> Tensor:
    """Return the direction, (feature,), along which (n, feature) of mean 0 differ most, nearly."""
    along = torch.ones(rows.shape[1]) / math.sqrt(rows.shape[1])
    for _step in range(_POWER_STEPS):
        further = rows.T @ (rows @ along)
        length = float(further.norm())
        if not length:
            break
        along = further / length
    return along

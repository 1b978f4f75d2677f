"""Attention of all tokens to all others by way of a few landmarks (Xiong et al. 2021)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_PINV_STEPS = 6
_EXACT = 8
"""Times the landmarks: so many tokens still look at each other directly."""


class NystromAttention(nn.Module):
    """(bag, token, width) → the same, and how much the first token looked at each, (bag, token).

    Landmarks are the means of neighbouring tokens, ``n_landmarks`` of them; with at most eight
    times as many tokens attention is exact, which is quicker then. A convolution along the tokens
    is added to what comes out.
    """

    def __init__(
        self, width: int, *, n_heads: int = 8, n_landmarks: int = 64, reach: int = 33
    ) -> None:
        super().__init__()
        self._n_heads, self._n_landmarks = n_heads, n_landmarks
        self.inward = nn.Linear(width, 3 * width, bias=False)
        self.outward = nn.Linear(width, width)
        self.along = nn.Conv2d(
            n_heads, n_heads, (reach, 1), padding=(reach // 2, 0), groups=n_heads, bias=False
        )

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        bags, n, width = tokens.shape
        parts = self.inward(tokens).view(bags, n, 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)  # (bag, head, token, width / head)
        query = query / math.sqrt(query.shape[-1])
        if n <= _EXACT * self._n_landmarks:
            weights = (query @ key.transpose(-1, -2)).softmax(-1)
            mixed, first = weights @ value, weights[:, :, 0]
        else:
            mixed, first = self._by_landmarks(query, key, value)
        mixed = mixed + self.along(value)
        return self.outward(mixed.transpose(1, 2).reshape(bags, n, width)), first.mean(1)

    def _by_landmarks(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        few_queries = _landmarks(query, self._n_landmarks)
        few_keys = _landmarks(key, self._n_landmarks)
        to_few = (query @ few_keys.transpose(-1, -2)).softmax(-1)
        among_few = (few_queries @ few_keys.transpose(-1, -2)).softmax(-1)
        from_few = (few_queries @ key.transpose(-1, -2)).softmax(-1)
        through = to_few @ pseudo_inverse(among_few)
        return through @ (from_few @ value), (through[:, :, :1] @ from_few)[:, :, 0]


def pseudo_inverse(matrix: Tensor) -> Tensor:
    """Return the Moore-Penrose inverse of (…, n, n), nearly: Razavi et al. 2014, third order."""
    sizes = matrix.detach().abs()
    most = sizes.sum(-1).max() * sizes.sum(-2).max()
    found = matrix.transpose(-1, -2) / most
    unit = torch.eye(matrix.shape[-1], device=matrix.device, dtype=matrix.dtype)
    for _step in range(_PINV_STEPS):
        product = matrix @ found
        inner = 15 * unit - product @ (7 * unit - product)
        found = 0.25 * found @ (13 * unit - product @ inner)
    return found


def _landmarks(tokens: Tensor, n: int) -> Tensor:
    """Return the means of ``n`` stretches of (bag, head, token, width), equal but for a token."""
    bags, heads, _n, width = tokens.shape
    columns = tokens.flatten(0, 1).transpose(1, 2)
    means = functional.adaptive_avg_pool1d(columns, n).transpose(1, 2)
    return means.reshape(bags, heads, n, width)

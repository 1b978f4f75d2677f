"""A network of tiles: picture → numbers that describe it → logits of classes.

How much of it learns is said beforehand. By default little (Kanavati and Tsuneki 2021): scale and
offset of the normalisations and the last layer, about one weight in a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

import torch
from torch import Tensor, nn

Tuned = Literal["norm", "all", "head"]
"""What learns: scales and offsets of normalisations; everything; nothing but the last layer."""

_NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


class TileNetwork(nn.Module):
    """(N, 3, H, W) RGB, 0–1 → (N, class) logits.

    Unless everything learns, the running statistics of batch norm stay as they are, bit for bit.
    """

    def __init__(
        self, body: nn.Module, n_features: int, n_classes: int, *, tuned: Tuned, dropout: float
    ) -> None:
        """``body``: images → (N, n_features)."""
        super().__init__()
        self.body = body
        self.head = nn.Linear(n_features, n_classes)
        self._dropout = nn.Dropout(dropout)
        self._tuned = tuned
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        if tuned != "all":
            body.requires_grad_(False)
        if tuned == "norm":
            for weight in norm_weights(body):
                weight.requires_grad_(True)

    def begin(self, mean: Tensor, scale: Tensor) -> None:
        """Take note, before training, of tiles' features: (feature,) mean and 1 / deviation."""
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def forward(self, images: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._tuned != "head"):
            features = self.body(images)
        logits: Tensor = self.head(self._dropout((features - self.mean) * self.scale))
        return logits

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if self._tuned != "all":
            self.body.eval()
        return self


def take_statistics(body: nn.Module, batches: Iterable[Tensor]) -> bool:
    """Make running statistics of batch norm those of images; say whether there are any.

    The network is in evaluation mode then; no weight is touched.
    """
    norms = [one for one in body.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    body.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    with torch.no_grad():
        for images in batches:
            body(images)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    body.eval()
    return bool(norms)


def norm_weights(body: nn.Module) -> list[nn.Parameter]:
    """Return the scales and offsets of all normalisations of a network."""
    norms = [module for module in body.modules() if isinstance(module, _NORMS)]
    return [weight for module in norms for weight in module.parameters(recurse=False)]

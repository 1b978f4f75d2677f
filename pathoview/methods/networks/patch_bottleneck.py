"""A patch's features brought down to few numbers, by what tells the classes of pictures apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PatchBottleneck(nn.Module):
    """(patch, feature) as the encoder gives them → logits, (patch, class).

    ``mean`` and ``scale`` (1 / deviation), (feature,), are those of the patches of training.
    """

    def __init__(self, n_features: int, n_classes: int, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.bottleneck = nn.Linear(n_features, width)
        self.head = nn.Linear(width, n_classes)

    def units(self, features: Tensor) -> Tensor:
        """Return what is summed over the patches of a picture, (patch, width), none negative."""
        return functional.relu(self.bottleneck((features - self.mean) * self.scale))

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(self.units(features))
        return logits

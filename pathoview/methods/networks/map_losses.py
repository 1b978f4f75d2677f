"""Losses of maps of which only some pixels count."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def masked_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean of the binary cross entropy; all (batch, height, width).

    ``targets`` are 0 … 1; where nothing counts, the loss is 0.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (losses * weights).sum() / weights.sum().clamp(min=1.0)


def soft_dice_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return 1 - Dice of probabilities over a whole batch, 0 best; all (batch, height, width)."""
    probabilities = logits.sigmoid() * weights
    known = targets * weights
    shared = (probabilities * known).sum()
    return 1 - (2 * shared + 1) / (probabilities.sum() + known.sum() + 1)

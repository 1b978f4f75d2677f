"""What a critic learns by: the Wasserstein distance with a gradient penalty (Gulrajani 2017)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

PENALTY = 10.0

Judge = Callable[[Tensor], Tensor]
"""(n, channel, height, width) → (n,)."""


def critic_loss(critic: Judge, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean loss of a critic, and how far it tells real pictures from made ones.

    ``real`` and ``made``: (n, channel, height, width), without gradients. Chance comes from torch.
    """
    distance = critic(real).mean() - critic(made).mean()
    return PENALTY * gradient_penalty(critic, real, made) - distance, distance.detach()


def gradient_penalty(critic: Judge, real: Tensor, made: Tensor) -> Tensor:
    """Return the mean square of how far the slope is from 1, at places between real and made."""
    share = torch.rand(len(real), 1, 1, 1).to(real.device)
    between = torch.lerp(made, real, share).requires_grad_()
    judged = critic(between).sum()
    (slope,) = torch.autograd.grad(judged, between, create_graph=True)
    steepness: Tensor = slope.flatten(1).norm(dim=1)
    return (steepness - 1).square().mean()

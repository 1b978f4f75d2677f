"""Weights averaged over time (Tarvainen and Valpola 2017): calmer than those of the last step."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def copy_of(network: Network) -> Network:
    """Return a copy that is not trained, to be averaged into by `blend`."""
    average = copy.deepcopy(network).requires_grad_(False)
    average.eval()
    return average


def decay_at(decay: float, n_updates: int) -> float:
    """Return the decay of an update, counted from 1.

    The average begins as the plain mean of all weights so far: the first ones, which know nothing,
    would otherwise weigh most in a short training.
    """
    return min(decay, 1 - 1 / (n_updates + 1))


@torch.no_grad()
def blend(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Make the average ``decay × average + (1 - decay) × network``.

    Statistics of normalisation are averaged as the weights are that they belong to; counts are
    copied.
    """
    for mean, weight in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(weight.detach(), 1 - decay)
    for kept, value in zip(average.buffers(), network.buffers(), strict=True):
        if value.is_floating_point():
            kept.lerp_(value, 1 - decay)
        else:
            kept.copy_(value)

"""How a network is trained, said beforehand: length, optimiser, learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

OptimizerName = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "one-cycle", "cosine"]
TrainingNumerics = Literal["float32", "bf16"]

_ONE_CYCLE_RISE = 0.3
_ONE_CYCLE_START = 1 / 25
_ONE_CYCLE_END = 1e-4
"""Part of the training in which the rate rises; first rate by the highest, last by the first."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything about a training but its data, its network and its loss."""

    n_steps: int
    lr: float = 1e-3
    """The highest learning rate of the schedule."""
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    """Of the gradient's moments; the first is the momentum of ``sgd``."""
    optimizer: OptimizerName = "adamw"
    schedule: Schedule = "one-cycle"
    warm_up_steps: int = 0
    """Steps in which ``cosine`` rises from zero in a line."""
    clip_norm: float = 0.0
    """Longest gradient, over all weights; 0: not clipped."""
    ema: float = 0.0
    """Decay of the averaged weights, which are then the ones that count; 0: off."""
    validate_every: int = 0
    """Steps between validations; 0: at the end only."""
    patience: int = 0
    """Validations in a row without a better score after which training ends; 0: never."""
    ends_after: int = 0
    """Steps after which it ends, in the midst of the schedule of ``n_steps``; 0: at its end."""
    numerics: TrainingNumerics = "float32"
    rates: tuple[tuple[str, float], ...] = ()
    """What the learning rate is multiplied by for the weights whose names begin so: networks that
    play against each other learn at rates of their own."""

    @property
    def last_step(self) -> int:
        """How many steps are done if nothing ends it sooner."""
        return min(self.ends_after or self.n_steps, self.n_steps)


def learning_rate(plan: TrainingPlan, step: int) -> float:
    """Return the learning rate of a step, 0 … n_steps - 1."""
    match plan.schedule:
        case "constant":
            return plan.lr
        case "one-cycle":
            return _one_cycle(plan, step)
        case "cosine":
            return _cosine(plan, step)


def make_optimizer(
    plan: TrainingPlan, weights: Iterable[tuple[str, nn.Parameter]]
) -> torch.optim.Optimizer:
    """Return the plan's optimiser over weights with their names.

    Each of its groups has ``times``: what the learning rate is multiplied by for it.
    """
    by_times: dict[float, list[nn.Parameter]] = {}
    for name, weight in weights:
        times = next((times for start, times in plan.rates if name.startswith(start)), 1.0)
        by_times.setdefault(times, []).append(weight)
    parameters = [{"params": some, "times": times} for times, some in by_times.items()]
    decay = plan.weight_decay
    match plan.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, plan.lr, plan.betas, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(parameters, plan.lr, plan.betas, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, plan.lr, plan.betas[0], weight_decay=decay)


def _one_cycle(plan: TrainingPlan, step: int) -> float:
    """Smith and Topin 2018, as `torch.optim.lr_scheduler.OneCycleLR` computes it."""
    peak = max(0.0, _ONE_CYCLE_RISE * plan.n_steps - 1)
    first = plan.lr * _ONE_CYCLE_START
    if step <= peak:
        return _eased(first, plan.lr, step / peak if peak else 1.0)
    return _eased(plan.lr, first * _ONE_CYCLE_END, (step - peak) / (plan.n_steps - 1 - peak))


def _cosine(plan: TrainingPlan, step: int) -> float:
    if step < plan.warm_up_steps:
        return plan.lr * (step + 1) / plan.warm_up_steps
    rest = max(1, plan.n_steps - plan.warm_up_steps)
    return _eased(plan.lr, 0.0, (step - plan.warm_up_steps) / rest)


def _eased(start: float, end: float, part: float) -> float:
    """Half a cosine from ``start`` (part 0) to ``end`` (part 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2

"""What a method hands to the training loop, and what it gets back."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from torch import Tensor, nn

from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Tensors


class Learner(abc.ABC):
    """A network, its batches and its loss.

    A training that was killed goes on to the same result, and needs for this that everything
    random in `batch` comes from ``step`` and the seed, and everything random in `loss` from
    torch, which is seeded anew at each step.
    """

    network: nn.Module
    fingerprint: str
    """Equal for the same data and settings: a kept state of another one is not gone on from."""
    score: str = ""
    """The metric of `validate` that tells the best weights, higher is better; empty: the last
    weights count."""
    rounds: tuple[int, ...] = ()
    """Steps, ascending, before each of which `begin_round` chooses what is learned from until the
    next one; what was learned is validated where a round ends, too."""

    @abc.abstractmethod
    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        """Return the arrays of a step, all with the samples as first axis.

        Called ahead in a second thread, in NumPy only.
        """

    @abc.abstractmethod
    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the mean loss of samples, and what else is worth a curve.

        ``batch`` is what `batch` made, or a part of its samples, on the device of the network;
        under the plan's numerics.
        """

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return metrics on held-back data; ``network`` is in evaluation mode, in float32."""
        return {}

    def begin_round(self, number: int, network: nn.Module) -> dict[str, float]:
        """Choose what is learned from, by a network in evaluation mode.

        Returns what is worth a curve. Called while no batch is made. What is chosen is a function
        of the network, the number and what `kept` told of the rounds before.
        """
        return {}

    def kept(self) -> Tensors:
        """Return what was chosen, and what the next rounds have to know."""
        return {}

    def go_on(self, kept: Tensors) -> None:  # noqa: B027 (most have no rounds)
        """Take up what `kept` told in another process."""

    @abc.abstractmethod
    def fitted(self, network: nn.Module) -> Fitted:
        """Return copies of the weights as something that predicts, for a preview."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gave; the learner's network has the same weights."""

    tensors: Tensors
    """The best weights and buffers: C order, floating numbers as float32."""
    metrics: Mapping[str, float]
    """Of these weights; empty when nothing was validated."""
    curves: tuple[Mapping[str, float], ...]
    n_steps: int
    """How many were done."""
    best_step: int
    """After how many steps the weights were taken."""
    n_pieces: int = 1
    """Into how many parts each batch was taken because memory was short."""

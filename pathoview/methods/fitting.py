"""What training gets and gives, the same for every method that learns.

A trainable method is a class with ``fit(data, params, context) -> Fitted``; what it gives goes with
a card into a model file, and ``Class(params, fitted, compute)`` predicts with it (without
``compute`` where torch is not used).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pathoview.core.params import BaseParams
from pathoview.core.progress import Progress
from pathoview.datasets.labels import TrainingData
from pathoview.methods.model import Model, Parent, Tensors


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned: enough to predict with, and what it was worth."""

    tensors: Tensors
    settings: Mapping[str, Any]
    """JSON-able: what is needed to build the network again.

    ``values``, where it is there: which values of masks (0: background) the probabilities are of,
    in their order; else of all classes of the data. ``mpp``: µm per px it was trained at, where
    that is not the method's own."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """On held-back data, with these weights."""
    curves: tuple[Mapping[str, float], ...] = ()
    """One entry a measurement on the way, each with ``step``."""
    parents: tuple[Parent, ...] = ()
    """Weights it began with."""
    numerics: str = "float32"
    n_steps: int = 0
    """After how many steps these weights were the best; 0: the method does not say, and knows
    nothing of `FitContext.n_steps`."""
    data: TrainingData | None = None
    """The data as they were parted in training, blocks that were held back included; None: as
    they were given."""


def fitted_of(model: Model) -> Fitted:
    """Return what a model has learned."""
    card = model.card
    return Fitted(
        model.tensors, card.settings, card.metrics, card.curves, card.parents, card.numerics
    )


@dataclass(frozen=True, slots=True)
class FitContext:
    """Where and how a method is fitted; everything but the data and the parameters."""

    progress: Progress
    """`check` at every step: it pauses, and raises `Cancelled`; ``is_finishing``: end well now and
    keep the best so far. Curves go out as events:
    ``progress.event("curve", {"step": …, "loss": …, …})``."""
    seed: int = 0
    device: str = "cpu"
    """torch's name of the device."""
    state_path: Path | None = None
    """Where the state is kept at least every 25 s, so that a killed training goes on; a state
    that is there already is gone on from, to the same result. None: nothing is kept."""
    start: Model | None = None
    """A model to go on from instead of from scratch."""
    n_steps: int = 0
    """End after so many steps, however many the parameters say, and take the last weights: for
    data of which nothing is held back that could tell when to end. 0: as the parameters say."""
    preview: Callable[[Fitted], None] | None = None
    """Called every few seconds with the weights as they are: the overlay is drawn anew."""
    preview_every_s: float = 4.0

    def stop_early(self) -> bool:
        """Say whether to end well now and keep the best so far; asked at every step."""
        return self.progress.is_finishing


class Trainable(Protocol):
    """A method that learns. Constructed as ``Class(params)`` to be fitted."""

    def fit(self, data: TrainingData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from labels. Same data, parameters and seed give the same result on a CPU.

        Raises `UsageError` when the labels do not suffice (its hint says what is missing),
        `RunError` when the loss is no number or memory does not suffice, `Cancelled`.
        """

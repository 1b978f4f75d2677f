"""What the engines of `pseudo_healthy` are taught with, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.methods.engine.augment import Augmentation
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.model import Parent, Tensors
from pathoview.methods.weak.pseudo_healthy_params import PseudoHealthyFitParams

HEALTHY, PATHOLOGY = 0, 1
"""Of `Sample.state`, beside `labels.UNKNOWN`."""

_N_VALIDATIONS = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """A patch with what is known of it."""

    rgb: npt.NDArray[np.uint8]
    """(side, side, 3)."""
    state: npt.NDArray[np.uint8]
    """(side, side) `HEALTHY`, `PATHOLOGY`, 255: unknown."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an engine is told. The functions are pure: for the same numbers, the same."""

    sick: Callable[[int, int], Sample]
    """Step and slot → a patch with pathology in it."""
    healthy: Callable[[int, int], Sample]
    """Step and slot → a patch of healthy tissue: with as little pathology as could be found, most
    often none."""
    held_back: Sequence[Sample]
    """To measure on; empty: nothing is measured."""
    params: PseudoHealthyFitParams
    side_px: int
    """Of patches, a multiple of 16."""
    seed: int
    changes: Augmentation
    settings: Mapping[str, Any]
    """What the networks are built from again: ``engine`` and ``width``."""
    start: Tensors | None
    """Of a model of the same settings to go on from."""
    parents: tuple[Parent, ...]
    fingerprint: str

    def plan(self, lr: float, **more: Any) -> TrainingPlan:
        """Return the plan of a training at an engine's own learning rate; ``more``: its members."""
        params = self.params
        given: dict[str, Any] = {
            "weight_decay": 0.01,
            "clip_norm": 5.0,
            "validate_every": max(1, params.n_steps // _N_VALIDATIONS),
            "numerics": params.numerics,
        }
        return TrainingPlan(params.n_steps, lr * params.lr_times, **given | more)


def stacked(samples: Sequence[Sample]) -> dict[str, npt.NDArray[np.uint8]]:
    """Return ``rgb`` (n, 3, side, side) and ``state`` (n, side, side) of a batch."""
    return {
        "rgb": np.stack([one.rgb.transpose(2, 0, 1) for one in samples]),
        "state": np.stack([one.state for one in samples]),
    }

"""How the network of `scribble_segmentation` learns: from labels alone, and from a teacher too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.datasets.labels import UNKNOWN
from pathoview.datasets.weights import class_weights
from pathoview.methods.engine.augment import (
    GEOMETRY,
    Augmentation,
    LabelMap,
    augment,
    change_pixels,
)
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.mean_teacher import MeanTeacher, accepted, consistency, ramp_up
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Parent
from pathoview.methods.spec import Compute

if TYPE_CHECKING:
    from torch import Tensor, nn

SCORE = "likelihood"
"""The geometric mean of the probability of the right class, where classes count alike. Accuracy is
1 on most strokes long before the network is as good as it gets."""

_CONSISTENCY_WEIGHT = 1.0
_ACCEPTED_WEIGHT = 0.5
_LEAST_PROBABILITY = 1e-6
_TEACHER_SEES = Augmentation(
    brightness=0.02,
    contrast=(0.95, 1.05),
    saturation=(0.95, 1.05),
    hue=0.005,
    stain=0.02,
    p_blur=0.0,
    p_noise=0.0,
    p_jpeg=0.0,
)
"""Little changed, so that it is right more often than its student."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A patch with what is known of it."""

    rgb: npt.NDArray[np.uint8]
    """(side, side, 3)."""
    classes: npt.NDArray[np.uint8]
    """(side, side) number of the network's output, 255: unknown."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a learner is told."""

    sample: Callable[[int, int], Sample]
    """Step and slot → what is learned from, the same for the same numbers."""
    n_in_batch: int
    held_back: Sequence[Sample]
    changes: Augmentation
    settings: Mapping[str, Any]
    parents: tuple[Parent, ...]
    fingerprint: str

    @property
    def n_classes(self) -> int:
        return len(self.settings["values"])


class StrokeLearner(Learner):
    """Learns from the pixels whose class is known; the others have no loss."""

    score = SCORE

    def __init__(self, network: nn.Module, lesson: Lesson, stride: int) -> None:
        self.network = network
        self.fingerprint = lesson.fingerprint
        self._lesson = lesson
        self._stride = stride

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        lesson, n = self._lesson, self._lesson.n_in_batch
        samples = [lesson.sample(step, slot) for slot in range(n)]
        classes = np.stack([one.classes for one in samples])
        counts = np.bincount(classes.ravel(), minlength=UNKNOWN)[: lesson.n_classes]
        # A row of each for every sample: a batch may be taken in pieces.
        return {
            "rgb": np.stack([one.rgb.transpose(2, 0, 1) for one in samples]),
            "classes": classes,
            "weights": np.tile(class_weights(counts).astype(np.float32), (n, 1)),
            "step": np.full(n, step),
        }

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        label_map = LabelMap(batch["classes"], UNKNOWN)
        changed = augment(batch["rgb"].float() / 255, [label_map], how=self._lesson.changes)
        logits = network(_laid_out(changed.images)).float()
        return partial_cross_entropy(logits, changed.labels[0], batch["weights"][0]), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        held_back = self._lesson.held_back
        if not held_back:
            return {}
        device = str(next(network.parameters()).device)
        infer = Inference(network, InferencePlan(self._stride), Compute(device), softmax)
        told, truth = [], []
        for one in held_back:
            is_known = one.classes != UNKNOWN
            told.append(infer.maps(one.rgb)[:, is_known])
            truth.append(one.classes[is_known])
        return measured(np.concatenate(told, axis=1), np.concatenate(truth))

    def fitted(self, network: nn.Module) -> Fitted:
        lesson = self._lesson
        return Fitted(arrays_of(network), lesson.settings, parents=lesson.parents)


class SelfLearner(StrokeLearner):
    """Learns from labels, and on what is unknown from a teacher; its network is a `MeanTeacher`."""

    def __init__(
        self,
        network: MeanTeacher,
        lesson: Lesson,
        stride: int,
        *,
        decay: float,
        accepted_share: float,
        n_ramp_steps: int,
    ) -> None:
        """``n_ramp_steps``: after so many, the teacher's word counts in full."""
        super().__init__(network, lesson, stride)
        self._decay, self._accepted_share = decay, accepted_share
        self._n_ramp_steps = n_ramp_steps
        how = lesson.changes
        self._moves = replace(GEOMETRY, p_affine=how.p_affine, scale=how.scale)

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        import torch

        assert isinstance(network, MeanTeacher)
        step, label_map = int(batch["step"][0]), LabelMap(batch["classes"], UNKNOWN)
        network.follow(step, self._decay)
        moved = augment(batch["rgb"].float() / 255, [label_map], how=self._moves)
        classes = moved.labels[0]
        is_open = classes == UNKNOWN
        with torch.no_grad():
            seen = _laid_out(change_pixels(moved.images, _TEACHER_SEES))
            teacher = softmax(network.teacher(seen).float())
        logits = network.student(_laid_out(change_pixels(moved.images, self._lesson.changes)))
        logits = logits.float()
        weights = batch["weights"][0]
        known = partial_cross_entropy(logits, classes, weights)
        taken = accepted(teacher, is_open, self._accepted_share)
        believed = partial_cross_entropy(logits, taken, torch.ones_like(weights))
        differing = consistency(softmax(logits), teacher, is_open)
        trust = ramp_up(step / self._n_ramp_steps)
        unknown = _CONSISTENCY_WEIGHT * differing + _ACCEPTED_WEIGHT * believed
        said = {
            "loss_labels": float(known.detach()),
            "loss_consistency": float(differing.detach()),
            "loss_accepted": float(believed.detach()),
        }
        return known + trust * unknown, said

    def fitted(self, network: nn.Module) -> Fitted:
        assert isinstance(network, MeanTeacher)
        return super().fitted(network.teacher)


def softmax(logits: Tensor) -> Tensor:
    """Return probabilities of (n, class, height, width)."""
    return logits.softmax(1)


def partial_cross_entropy(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Return the mean cross entropy of the pixels that are known, 0 where none is.

    ``logits``: (n, class, h, w); ``classes``: (n, h, w), 255 unknown; ``weights``: (class,).
    """
    from torch.nn import functional

    numbers = classes.long()
    losses = functional.cross_entropy(logits, numbers, ignore_index=UNKNOWN, reduction="none")
    weight = weights[numbers.clamp(max=len(weights) - 1)] * (numbers != UNKNOWN)
    return (losses * weight).sum() / weight.sum().clamp(min=_LEAST_PROBABILITY)


def measured(told: npt.NDArray[np.float32], truth: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Return metrics of pixels: probabilities (class, n), and the right classes (n,).

    ``likelihood`` and ``macro_f1`` are over the classes that are among the right ones.
    """
    best = told.argmax(axis=0)
    likelihoods, f1 = [], []
    for number in np.unique(truth).tolist():
        is_it = truth == number
        right = np.maximum(told[number, is_it], _LEAST_PROBABILITY)
        likelihoods.append(float(np.log(right, dtype=np.float64).mean()))
        n_shared = np.count_nonzero(is_it & (best == number))
        f1.append(2 * n_shared / (np.count_nonzero(is_it) + np.count_nonzero(best == number)))
    return {
        SCORE: float(np.exp(np.mean(likelihoods))),
        "accuracy": float(np.mean(best == truth)),
        "macro_f1": float(np.mean(f1)),
    }


def _laid_out(images: Tensor) -> Tensor:
    import torch

    return images.contiguous(memory_format=torch.channels_last)

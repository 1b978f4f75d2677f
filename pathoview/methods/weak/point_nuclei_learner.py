"""How the two networks of `point_nuclei` learn: their batches, losses, and what they are worth."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.evaluation import instances
from pathoview.methods.engine.augment import Augmentation, LabelMap, augment
from pathoview.methods.engine.discriminative_loss import discriminative_loss
from pathoview.methods.engine.learner import Learner
from pathoview.methods.fitting import Fitted
from pathoview.methods.networks.map_losses import masked_cross_entropy
from pathoview.methods.weak.point_nuclei_centers import CENTER
from pathoview.methods.weak.point_nuclei_fields import HeldBack, Rgb

if TYPE_CHECKING:
    from torch import Tensor, nn

SCORE, RECALL = "f1_detection", "recall_detection"
_MATCH_UM = 3.0
_PRIOR_WEIGHT = 0.5
_JITTER = 0.1, 0.9
"""Where in a patch the point lies that it is laid around, as shares of its side."""

FAST_CHANGES = Augmentation(p_affine=0.3, scale=(0.8, 1.25), p_jpeg=0.0)
PAPER_CHANGES = Augmentation(p_affine=1.0, rotation_deg=90.0, shear_deg=17.0, scale=(0.8, 1.25))

Labels = npt.NDArray[np.int32]
Find = Callable[["nn.Module", Rgb, float], Labels]
"""Network, (height, width, 3) RGB and its µm per px → instances."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A picture with maps of whole numbers over it, and points that patches are laid around."""

    rgb: Rgb
    maps: tuple[npt.NDArray[np.integer], ...]
    points: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What both learners are told."""

    pieces: Sequence[Piece]
    crop_px: int
    n_in_batch: int
    changes: Augmentation
    seed: int
    fingerprint: str
    held_back: Sequence[HeldBack]
    find: Find
    fitted: Callable[[nn.Module], Fitted]


class PointLearner(Learner):
    """Patches of pieces around points; detection is measured on what is held back."""

    outside: tuple[int, ...]
    """What each map says beyond the edge of a picture."""

    def __init__(self, network: nn.Module, lesson: Lesson) -> None:
        self.network = network
        self.fingerprint = lesson.fingerprint
        # Where others have no point, finding more would always count as better.
        is_telling = any(one.is_complete for one in lesson.held_back)
        self.score = SCORE if is_telling else ""
        self._lesson = lesson
        n = np.array([len(piece.points) for piece in lesson.pieces], np.float64)
        self._shares = n / n.sum()

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        lesson = self._lesson
        rng = np.random.default_rng([lesson.seed, step])
        chosen = rng.choice(len(lesson.pieces), lesson.n_in_batch, p=self._shares)
        patches = [self._patch(lesson.pieces[number], rng) for number in chosen]
        return {
            "rgb": np.stack([patch[0].transpose(2, 0, 1) for patch in patches]),
            "maps": np.stack([np.stack(patch[1:]) for patch in patches]),
        }

    def _patch(self, piece: Piece, rng: np.random.Generator) -> tuple[npt.NDArray[np.integer], ...]:
        side = self._lesson.crop_px
        point = piece.points[rng.integers(len(piece.points))]
        height, width = piece.rgb.shape[:2]
        x, y = np.floor(point - rng.uniform(*_JITTER, 2) * side).astype(int)
        left, top = min(max(0, x), max(0, width - side)), min(max(0, y), max(0, height - side))
        part = np.s_[top : top + side, left : left + side]
        missing = (0, max(0, side - height)), (0, max(0, side - width))
        rgb = np.pad(piece.rgb[part], (*missing, (0, 0)), constant_values=255)
        maps = (
            np.pad(values[part], missing, constant_values=outside).astype(np.int32)
            for values, outside in zip(piece.maps, self.outside, strict=True)
        )
        return rgb, *maps

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        import torch

        labels = [
            LabelMap(batch["maps"][:, index], outside) for index, outside in enumerate(self.outside)
        ]
        changed = augment(batch["rgb"].float() / 255, labels, how=self._lesson.changes)
        pixels = changed.images.contiguous(memory_format=torch.channels_last)
        return self._loss(network(pixels).float(), changed.labels)

    @abc.abstractmethod
    def _loss(self, outputs: Tensor, maps: Sequence[Tensor]) -> tuple[Tensor, dict[str, float]]: ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        return validated(network, self._lesson.held_back, self._lesson.find)

    def fitted(self, network: nn.Module) -> Fitted:
        return self._lesson.fitted(network)


class WhereLearner(PointLearner):
    """Learns where nucleus is from masks of classes: Voronoi, clusters, and what a model said.

    A fourth map says how near centers are; a network of one output does not learn it.
    """

    outside = 255, 255, 255, 255

    def _loss(self, outputs: Tensor, maps: Sequence[Tensor]) -> tuple[Tensor, dict[str, float]]:
        *masks, nearness = maps
        losses = [
            masked_cross_entropy(outputs[:, 0], (mask == 1).float(), (mask != 255).float())
            for mask in masks
        ]
        total = losses[0] + losses[1] + _PRIOR_WEIGHT * losses[2]
        names = ["loss_voronoi", "loss_clusters", "loss_prior"]
        if outputs.shape[1] > 1:
            is_known = (nearness != 255).float()
            near = (nearness.float() / CENTER).clamp(max=1.0)
            losses.append(masked_cross_entropy(outputs[:, 1], near, is_known))
            names.append("loss_centers")
            total = total + losses[-1]
        said = {name: float(loss.detach()) for name, loss in zip(names, losses, strict=True)}
        return total, said


class PartingLearner(PointLearner):
    """Learns which pixels belong together from pseudo instances and background."""

    outside = 0, 0

    def __init__(self, network: nn.Module, lesson: Lesson, push: float) -> None:
        super().__init__(network, lesson)
        self._push = push

    def _loss(self, outputs: Tensor, maps: Sequence[Tensor]) -> tuple[Tensor, dict[str, float]]:
        return discriminative_loss(outputs, maps[0], maps[1] > 0, self._push), {}


def validated(network: nn.Module, held_back: Sequence[HeldBack], find: Find) -> dict[str, float]:
    """Return how well found nuclei agree with held-back points, means over pieces.

    The F1 where every nucleus has a point, elsewhere how many of the points are found; beside, AJI
    and object Dice where nuclei are outlined.
    """
    scores: dict[str, list[float]] = {}
    for one in held_back:
        labels = find(network, one.rgb, one.mpp)
        found = instances.centroids(labels)
        columns, rows = found.astype(int).T
        counted = found[one.counts[rows, columns]]
        reach_px = _MATCH_UM / one.mpp
        if one.is_complete:
            f1 = instances.detection_f1(one.points, counted, reach_px)
            scores.setdefault(SCORE, []).append(f1)
        elif len(one.points):
            f1 = instances.detection_f1(one.points, counted, reach_px)
            n_matched = f1 * (len(one.points) + len(counted)) / 2
            scores.setdefault(RECALL, []).append(n_matched / len(one.points))
        known = one.outlined.is_known
        if one.outlined.labels[known].any():
            table = instances.overlaps(
                np.where(known, one.outlined.labels, 0), np.where(known, labels, 0)
            )
            scores.setdefault("aji", []).append(instances.aji(table))
            scores.setdefault("dice_object", []).append(instances.dice_object(table))
    return {name: float(np.mean(values)) for name, values in scores.items()}

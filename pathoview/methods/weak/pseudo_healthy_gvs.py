"""Engine `gvs`: a network repaints until another one finds no pathology (Zhang et al. 2020).

First a segmentor learns from masks where pathology is; it is what says so when the model predicts.
A copy of it then looks for what is left of pathology in repainted pictures, while the generator
learns to leave nothing, and to change as little as it can. Pixels that were changed much count
less in the search: there is little left to be found in them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pathoview.datasets.labels import UNKNOWN
from pathoview.methods.engine.augment import LabelMap, augment
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.networks.map_losses import masked_cross_entropy
from pathoview.methods.networks.pseudo_healthy import Game, RepaintingNetwork, Seam
from pathoview.methods.weak.pseudo_healthy_lesson import HEALTHY, PATHOLOGY, Lesson, stacked
from pathoview.methods.weak.pseudo_healthy_parts import (
    MASKS_LR,
    MaskLearner,
    begun,
    distance,
    later,
    mask_loss,
    still,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

_LR = 1e-3
_MASKS_SHARE = 0.2
"""Of the progress bar."""
_KEEP_WEIGHT = 10.0
_KEEP_WITHIN = 0.5
"""How much a change counts of what is healthy, and of pathology."""
_LEAST_CHANGE = 1e-3
_MUTED = 0.75
"""How much of a pixel's weight in the search is lost where most was changed: with all of it lost,
nobody would look there for what the generator left or made up."""


def network_of(settings: Mapping[str, Any], seam: Seam) -> RepaintingNetwork:
    """See `pseudo_healthy_engines.Engine`; it has no seam."""
    del seam
    return RepaintingNetwork(settings["width"])


def fit(lesson: Lesson, context: FitContext) -> Fitted:
    """Learn where pathology is, then to repaint it against a copy of the one that knows."""
    network = begun(network_of, lesson)
    assert isinstance(network, RepaintingNetwork)
    masks = train(
        MaskLearner(network, lesson),
        lesson.plan(MASKS_LR),
        context,
        stage="masks",
        span=(0.0, _MASKS_SHARE),
    )
    learner = GameLearner(network, lesson)
    game = train(learner, lesson.plan(_LR), context, stage="game", span=(_MASKS_SHARE, 1.0))
    return replace(
        learner.fitted(learner.network),
        metrics={**masks.metrics, **game.metrics},
        curves=(*masks.curves, *later(game.curves, masks.n_steps)),
    )


class GameLearner(Learner):
    """Teaches both players at each step, each while the other one holds still."""

    def __init__(self, whole: RepaintingNetwork, lesson: Lesson) -> None:
        self.network = Game(whole.generator, copy.deepcopy(whole.segmentor))
        self.fingerprint = lesson.fingerprint
        self._whole, self._lesson = whole, lesson

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        lesson = self._lesson
        sources = lesson.sick, lesson.healthy
        return stacked([sources[slot % 2](step, slot) for slot in range(lesson.params.batch)])

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        assert isinstance(network, Game)
        label_map = LabelMap(batch["state"], UNKNOWN)
        changed = augment(batch["rgb"].float() / 255, [label_map], how=self._lesson.changes)
        images, state = changed.images, changed.labels[0]
        made = network.generator(images)
        seen = mask_loss(network.segmentor(images)[:, 0].float(), state)
        left = network.segmentor(made.detach())[:, 0].float()
        found = leftover_loss(left, (made.detach() - images).abs().mean(1).float(), state)
        # Last: statistics that change after it has judged would change what follows from that.
        with still(network.segmentor):
            fooled = fooling_loss(network.segmentor(made)[:, 0].float(), state)
        kept = keeping_loss(made.float(), images, state)
        said = {
            "loss_fooling": float(fooled.detach()),
            "loss_keeping": float(kept.detach()),
            "loss_leftovers": float(found.detach()),
        }
        return fooled + kept + seen + found, said

    def fitted(self, network: nn.Module) -> Fitted:
        assert isinstance(network, Game)
        painter = {f"generator.{name}": one for name, one in arrays_of(network.generator).items()}
        lesson = self._lesson
        tensors = {**arrays_of(self._whole), **painter}
        return Fitted(tensors, lesson.settings, parents=lesson.parents)


def fooling_loss(logits: Tensor, state: Tensor) -> Tensor:
    """Return the cross entropy of finding nothing, in pathology and elsewhere alike."""
    import torch

    nothing = torch.zeros_like(logits)
    within, outside = (state == PATHOLOGY).float(), (state == HEALTHY).float()
    return masked_cross_entropy(logits, nothing, within) + masked_cross_entropy(
        logits, nothing, outside
    )


def keeping_loss(made: Tensor, images: Tensor, state: Tensor) -> Tensor:
    """Return how much was changed: of what is healthy or unknown, and a little of pathology."""
    is_sick = (state == PATHOLOGY)[:, None].float()
    healthy = distance(made, images, 1 - is_sick)
    return _KEEP_WEIGHT * healthy + _KEEP_WITHIN * distance(made, images, is_sick)


def leftover_loss(logits: Tensor, change: Tensor, state: Tensor) -> Tensor:
    """Return the cross entropy of finding pathology where it was, (n, height, width).

    The more a pixel was changed, as a part of the largest change in its picture, the less it
    counts.
    """
    largest = change.amax((1, 2), keepdim=True).clamp(min=_LEAST_CHANGE)
    weights = (state != UNKNOWN).float() * (1 - _MUTED * change / largest)
    return masked_cross_entropy(logits, (state == PATHOLOGY).float(), weights)

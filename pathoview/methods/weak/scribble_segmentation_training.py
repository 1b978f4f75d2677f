"""Training of `scribble_segmentation` in its order: from labels, then on tissue without any."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from pathoview.core.translation import _
from pathoview.datasets.anchors import AnchorMap
from pathoview.datasets.labels import UNKNOWN, TargetClass, TrainingData
from pathoview.datasets.patches import Place
from pathoview.datasets.sampling import PatchSampler, require_values
from pathoview.datasets.supply import patch_supply
from pathoview.methods.engine.augment import STRONG, Augmentation
from pathoview.methods.engine.learner import Trained
from pathoview.methods.engine.mean_teacher import MeanTeacher
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import weights_hash
from pathoview.methods.weak.scribble_segmentation_learner import (
    SCORE,
    Lesson,
    Sample,
    SelfLearner,
    StrokeLearner,
)
from pathoview.methods.weak.scribble_segmentation_networks import begun
from pathoview.methods.weak.scribble_segmentation_params import MPP, ScribbleSegmentationFitParams

_PATCH_STRIDE = 32
"""Sides of patches are multiples of it, whatever the network."""
_MARGIN_UM = 16.0
"""Patches to learn from keep so far away from what is held back."""
_RAMP_SHARE = 0.5
"""Of self-training, until the teacher's word counts in full."""
_SELF_LR = 0.3
"""Times the learning rate, in self-training."""
_N_VALIDATIONS = 10
_CHANGES = Augmentation(
    p_affine=0.3,
    scale=STRONG.scale,
    brightness=0.05,
    contrast=(0.9, 1.1),
    saturation=(0.9, 1.1),
    hue=0.01,
    p_blur=0.1,
    p_noise=0.1,
    p_jpeg=0.0,
)
"""Kinds of tissue are told by their colours too, which are changed little therefore; sizes by more
than a slide's resolution may be off from the method's."""


def fit(data: TrainingData, params: ScribbleSegmentationFitParams, context: FitContext) -> Fitted:
    """Train the network; see `fitting.Trainable.fit`."""
    return _Training(data, params, context).run()


class _Training:
    def __init__(
        self, data: TrainingData, params: ScribbleSegmentationFitParams, context: FitContext
    ) -> None:
        self._params, self._context = params, context
        side = -(-params.patch_px // _PATCH_STRIDE) * _PATCH_STRIDE
        self._supply = patch_supply(
            data, "classes", mpp=MPP, patch_px=side, seed=context.seed, margin_um=_MARGIN_UM
        )
        require_values(self._supply.sampler.counts, 2)
        self._tell(self._supply.sentence)
        values = list(self._supply.sampler.counts)
        names = _names(values, data.classes)
        self._begun = begun(
            *(params.network, values, names, context.start, context.seed),
            weights=params.encoder_weights,
        )
        self._numbers = np.full(UNKNOWN + 1, UNKNOWN, np.uint8)
        self._numbers[values] = np.arange(len(values))
        held_back = [self._sample(place) for place in self._supply.validation]
        self._lesson = Lesson(
            lambda step, slot: self._sample(self._supply.sampler.place(step, slot)),
            params.batch,
            [one for one in held_back if (one.classes != UNKNOWN).any()],
            STRONG if params.colors == "several laboratories" else _CHANGES,
            self._begun.settings,
            self._begun.parents,
            _fingerprint(data, params, context),
        )

    def run(self) -> Fitted:
        """Learn from labels, then from what is unlabelled; return what does better."""
        params = self._params
        end = params.n_steps / (params.n_steps + params.n_self_steps)
        network, stride = self._begun.network, self._begun.network.stride
        learner = StrokeLearner(network, self._lesson, stride)
        plan = self._plan(params.n_steps, params.lr)
        first = train(learner, plan, self._context, stage="labels", span=(0.0, end))
        fitted = self._fitted(learner.fitted(network), first)
        if not params.n_self_steps or self._context.stop_early():
            return fitted
        if not first.metrics:
            self._tell(_("Nothing is held back to measure it by, so there is no self-training."))
            return fitted
        teaching = SelfLearner(
            MeanTeacher(network),
            self._lesson_of_itself(first),
            stride,
            decay=params.teacher_decay,
            accepted_share=params.accepted_share,
            n_ramp_steps=max(1, round(_RAMP_SHARE * params.n_self_steps)),
        )
        plan = self._plan(params.n_self_steps, _SELF_LR * params.lr)
        second = train(teaching, plan, self._context, stage="itself", span=(end, 1.0))
        curves = (*first.curves, *_later(second, first.n_steps))
        if not second.metrics[SCORE] > first.metrics[SCORE]:
            self._tell(_("Self-training did not help: what was learned from labels alone is kept."))
            return replace(fitted, curves=curves)
        better = self._fitted(teaching.fitted(teaching.network), second)
        settings = {**better.settings, "is_self_trained": True}
        return replace(better, curves=curves, settings=settings)

    def _tell(self, text: str) -> None:
        self._context.progress.event("notice", {"text": text})

    def _fitted(self, fitted: Fitted, trained: Trained) -> Fitted:
        settings = {**fitted.settings, "is_self_trained": False}
        return replace(
            fitted,
            settings=settings,
            metrics=dict(trained.metrics),
            curves=trained.curves,
            numerics=self._params.numerics,
            data=self._supply.data,
        )

    def _plan(self, n_steps: int, lr: float) -> TrainingPlan:
        return TrainingPlan(
            n_steps,
            lr,
            weight_decay=0.01,
            clip_norm=5.0,
            validate_every=max(1, n_steps // _N_VALIDATIONS),
            numerics=self._params.numerics,
        )

    def _lesson_of_itself(self, first: Trained) -> Lesson:
        """Return the lesson with patches of tissue without labels among the others."""
        supply = self._supply
        sampler = PatchSampler(
            supply.data,
            AnchorMap(supply.reader, "classes"),
            seed=self._context.seed + 1,
            margin_um=_MARGIN_UM,
            unlabelled_share=self._params.unlabelled_share,
        )
        return replace(
            self._lesson,
            sample=lambda step, slot: self._sample(sampler.place(step, slot)),
            fingerprint=self._lesson.fingerprint + weights_hash(first.tensors),
        )

    def _sample(self, place: Place) -> Sample:
        reader = self._supply.reader
        return Sample(reader.pixels(place), self._numbers[reader.mask(place)])


def _names(values: Sequence[int], classes: Sequence[TargetClass]) -> list[str]:
    """Return the names of classes by their values; the background has none."""
    return [classes[value - 1].name if value else "" for value in values]


def _later(trained: Trained, n_steps: int) -> list[dict[str, float]]:
    """Return the curves of a training that came after so many steps."""
    return [{**point, "step": point["step"] + n_steps} for point in trained.curves]


def _fingerprint(
    data: TrainingData, params: ScribbleSegmentationFitParams, context: FitContext
) -> str:
    said: list[Any] = [
        params.model_dump(mode="json"),
        context.start.card.id if context.start else "",
        [one.name for one in data.classes],
        [(one.slide.content_hash, one.split, one.labels.fingerprint()) for one in data.images],
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()

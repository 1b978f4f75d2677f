"""Training of `point_nuclei` in its order: points, masks, first network, instances, second one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.datasets.anchors import AnchorMap
from pathoview.datasets.held_back import hold_back
from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask, TrainingData
from pathoview.datasets.patches import PatchReader
from pathoview.methods.engine.learner import Trained
from pathoview.methods.engine.plan import (
    OptimizerName,
    Schedule,
    TrainingNumerics,
    TrainingPlan,
)
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.spec import Compute
from pathoview.methods.weak import point_nuclei_networks as networks
from pathoview.methods.weak.point_nuclei_centers import center_map
from pathoview.methods.weak.point_nuclei_fields import (
    APART_UM,
    BLOCK_PX,
    Field,
    LabelledField,
    Rgb,
    fingerprint,
    held_back,
    labelled,
    training_fields,
)
from pathoview.methods.weak.point_nuclei_finding import Finder, Rule
from pathoview.methods.weak.point_nuclei_labels import instance_labels
from pathoview.methods.weak.point_nuclei_learner import (
    FAST_CHANGES,
    PAPER_CHANGES,
    Labels,
    Lesson,
    PartingLearner,
    Piece,
    WhereLearner,
)
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams
from pathoview.methods.weak.point_nuclei_prior import Parted, sure_mask

if TYPE_CHECKING:
    from torch import nn

MPP = 0.25
_PAPER_PATCH_PX = 250
"""An epoch sees each square of this side once."""
_PAPER_EPOCHS, _PAPER_PARTING_EPOCHS = 60, 1000
_LEAST_STEPS, _MOST_STEPS = 300, 1000
"""Of the first network in the fast schedule, which takes one for each point between them."""
_NO_WEIGHTS_TIMES = 3
"""How much longer is trained where an encoder's weights cannot be had."""
_LARGEST = 2.0
"""Times the usual area up to which a piece is one nucleus, where not all have a point."""
_N_VALIDATIONS = 5
_WHERE_SHARE = 0.55
"""Of the progress bar."""


@dataclass(frozen=True, slots=True)
class _Course:
    """A schedule, with what the parameters say of it."""

    encoder: str
    crop_px: int
    parting_crop_px: int
    where: TrainingPlan
    parting: TrainingPlan
    is_paper: bool


def fit(data: TrainingData, params: PointNucleiFitParams, context: FitContext) -> Fitted:
    """Train both networks; see `fitting.Trainable.fit`."""
    return _Training(data, params, context).run()


class _Training:
    def __init__(
        self, data: TrainingData, params: PointNucleiFitParams, context: FitContext
    ) -> None:
        self._params, self._context = params, context
        start = context.start
        known = {"mpp": MPP, **(networks.start_settings(start) if start else {})}
        mpp = known["mpp"]
        anchors = AnchorMap(PatchReader(data.images, mpp, BLOCK_PX), "points")
        data, sentence = hold_back(data, anchors, seed=context.seed, margin_um=APART_UM)
        self._data = data
        context.progress.event("notice", {"text": sentence})
        fields = training_fields(data, mpp, context.progress)
        self._course = _course(params, fields, context)
        self._settings: dict[str, Any] = {
            "encoder": self._course.encoder,
            "n_maps": 1 if self._course.is_paper else 2,
            **(networks.SMALL_SETTINGS if self._course.encoder == networks.SMALL else {}),
            "window_px": self._course.parting_crop_px,
            "usual_area_um2": 0.0,
            **known,
        }
        self._where, self._parting, self._parents, lacks = networks.begun(
            self._settings, context, params.encoder_weights
        )
        if lacks:
            self._take_longer()
        self._fields = labelled(fields, params, context.progress)
        self._held_back = held_back(data, mpp, params.square_um)
        said = [params.model_dump(), context.seed, start.card.id if start else ""]
        self._fingerprint = fingerprint(fields, said)

    def run(self) -> Fitted:
        where = self._learn_where()
        parting = self._learn_parting()
        return replace(
            self._fitted(self._where, self._parting),
            metrics=parting.metrics or where.metrics,
            curves=(*where.curves, *parting.curves),
            numerics=self._course.where.numerics,
            data=self._data,
        )

    def _learn_where(self) -> Trained:
        pieces = [
            Piece(
                one.field.rgb,
                (one.voronoi, one.clusters, prior, _near_centers(one)),
                one.field.anchors,
            )
            for one, prior in zip(self._fields, self._priors(), strict=True)
            if len(one.field.anchors)
        ]
        learner = WhereLearner(self._where, self._lesson(pieces, self._course.crop_px, True))
        span = (0.05, _WHERE_SHARE)
        return train(learner, self._course.where, self._context, stage="where", span=span)

    def _learn_parting(self) -> Trained:
        pieces = self._instances()
        if not pieces:
            self._context.progress.event(
                "notice",
                {"text": _("No nucleus was found at the points: touching ones stay together.")},
            )
            return Trained({}, {}, (), 0, 0)
        lesson = self._lesson(pieces, self._course.parting_crop_px, False)
        learner = PartingLearner(self._parting, lesson, self._params.push)
        return train(
            learner, self._course.parting, self._context, stage="parting", span=(_WHERE_SHARE, 1.0)
        )

    def _lesson(self, pieces: Sequence[Piece], crop_px: int, is_first: bool) -> Lesson:
        def find(network: nn.Module, rgb: Rgb, mpp: float) -> Labels:
            parts = (network, None) if is_first else (self._where, network)
            return self._finder(*parts).find(rgb, mpp, Rule()).labels

        def fitted(network: nn.Module) -> Fitted:
            parts = (network, None) if is_first else (self._where, network)
            return self._fitted(*parts)

        return Lesson(
            pieces,
            crop_px,
            self._params.batch,
            PAPER_CHANGES if self._course.is_paper else FAST_CHANGES,
            self._context.seed,
            self._fingerprint,
            self._held_back,
            find,
            fitted,
        )

    def _finder(self, where: nn.Module, parting: nn.Module | None) -> Finder:
        device = next(where.parameters()).device
        return Finder(self._settings, where, parting, Compute(str(device)))

    def _fitted(self, where: nn.Module, parting: nn.Module | None) -> Fitted:
        tensors = networks.named(arrays_of(where), networks.WHERE)
        # Without an area of nuclei nothing was there to learn parting from.
        if parting is not None and self._settings["usual_area_um2"]:
            tensors |= networks.named(arrays_of(parting), networks.PARTING)
        return Fitted(tensors, dict(self._settings), parents=self._parents)

    def _priors(self) -> list[Mask]:
        """Return what the model that training begins with is sure of; unknown without one."""
        start = self._context.start
        if start is None:
            return [np.full_like(one.voronoi, UNKNOWN) for one in self._fields]
        if start.card.method == networks.MAPS_METHOD:
            said = Parted(start, self._context.device)
            masks = [said.mask(one.field) for one in self._fields]
        else:
            finder = self._finder(self._where, None)
            found = (finder.probability(one.field.rgb) for one in self._fields)
            masks = [sure_mask(p, one.field) for p, one in zip(found, self._fields, strict=True)]
        for mask, one in zip(masks, self._fields, strict=True):
            mask[one.is_none] = BACKGROUND  # a person knows better than the model
        return masks

    def _instances(self) -> list[Piece]:
        """Return pseudo instances, and note the usual area of a nucleus."""
        finder = self._finder(self._where, None)
        found = []
        for one in self._fields:
            self._context.progress.check()
            field = one.field
            probability = np.where(field.is_allowed, finder.probability(field.rgb), 0.0)
            labels, background = instance_labels(
                probability.astype(np.float32), one.cells, self._params.fg_threshold, field.mpp
            )
            # Where others beside it have no point, a nucleus ends at its point's reach.
            labels[(one.cells.distance_um > self._params.reach_um) & ~field.is_complete] = 0
            labels[one.is_none], background[one.is_none] = 0, True
            found.append((field, labels, background))
        areas = np.concatenate([_areas(labels, field.mpp) for field, labels, _b in found])
        if not len(areas):
            return []
        usual = float(np.median(areas))
        self._settings["usual_area_um2"] = usual
        for field, labels, _background in found:
            _drop_merged(labels, field, _LARGEST * usual)
        return [
            Piece(field.rgb, (labels, background.astype(np.uint8)), field.points)
            for field, labels, background in found
            if labels.any()
        ]

    def _take_longer(self) -> None:
        course = self._course
        plans = (course.where, course.parting)
        where, parting = (replace(plan, n_steps=plan.n_steps * _NO_WEIGHTS_TIMES) for plan in plans)
        self._course = replace(course, where=where, parting=parting)
        self._context.progress.event(
            "notice",
            {
                "text": _(
                    "The weights of {name} cannot be had here: training begins from random ones "
                    "and takes three times as long."
                ).format(name=course.encoder)
            },
        )


def _course(params: PointNucleiFitParams, fields: Sequence[Field], context: FitContext) -> _Course:
    is_paper = params.mode == "paper"
    goes_on = context.start is not None and context.start.card.method != networks.MAPS_METHOD
    numerics = fast_numerics() if context.device == "cpu" and not is_paper else "float32"
    encoder: str = params.encoder
    if encoder == "by schedule":
        encoder = "resnet34" if is_paper else networks.SMALL
    if is_paper:
        area = sum(field.rgb.shape[0] * field.rgb.shape[1] for field in fields)
        in_epoch = math.ceil(max(1.0, area / _PAPER_PATCH_PX**2) / params.batch)
        steps = _PAPER_EPOCHS * in_epoch, _PAPER_PARTING_EPOCHS * in_epoch
        rates, crops = (1e-4, 1e-3), (224, 224)
    else:
        n_points = sum(len(field.points) for field in fields)
        in_where = min(_MOST_STEPS, max(_LEAST_STEPS, n_points))
        steps = (in_where // 2, 150) if goes_on else (in_where, 250)
        rates, crops = (1e-3, 2e-3) if goes_on else (2e-3, 2e-3), (128, 96)
    crops = tuple(_whole(params.crop_px or crop) for crop in crops)  # type: ignore[assignment]
    where, parting = (
        _plan(n, params.lr or rate, decay, is_paper, numerics)
        for n, rate, decay in zip(
            (params.n_steps or steps[0], params.n_parting_steps or steps[1]),
            rates,
            (1e-4, 0.0),
            strict=True,
        )
    )
    return _Course(encoder, *crops, where, parting, is_paper)


def _plan(
    n_steps: int, lr: float, weight_decay: float, is_paper: bool, numerics: TrainingNumerics
) -> TrainingPlan:
    optimizer: OptimizerName = "adam" if is_paper else "adamw"
    schedule: Schedule = "constant" if is_paper else "one-cycle"
    return TrainingPlan(
        n_steps,
        lr,
        weight_decay,
        (0.9, 0.99),
        optimizer,
        schedule,
        validate_every=max(1, n_steps // _N_VALIDATIONS),
        numerics=numerics,
    )


def fast_numerics() -> TrainingNumerics:
    """Return ``bf16`` where the processor computes with it, which is twice as fast."""
    import torch

    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "float32"


def _whole(crop_px: int) -> int:
    return -(-crop_px // 32) * 32


def _near_centers(one: LabelledField) -> Mask:
    field = one.field
    return center_map(one.cells, one.clusters, field.is_complete, field.is_allowed)


def _areas(labels: Labels, mpp: float) -> npt.NDArray[np.float64]:
    """Return the areas of instances, µm²."""
    counts = np.bincount(labels.ravel())[1:]
    return np.asarray(counts[counts > 0] * mpp**2, np.float64)


def _drop_merged(labels: Labels, field: Field, most_um2: float) -> None:
    """Clear what is too large for one nucleus where others beside it may have no point."""
    areas = np.bincount(labels.ravel()) * field.mpp**2
    labels[(areas > most_um2)[labels] & ~field.is_complete] = 0

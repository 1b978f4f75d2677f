"""Training of `pseudo_healthy`: labels become a lesson, which an engine is taught."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask, TrainingData
from pathoview.datasets.patches import Place
from pathoview.datasets.supply import PatchSupply, patch_supply
from pathoview.methods.engine.augment import STRONG, Augmentation
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, Parent
from pathoview.methods.networks.pseudo_healthy import STRIDE
from pathoview.methods.weak.pseudo_healthy_engines import engine
from pathoview.methods.weak.pseudo_healthy_lesson import HEALTHY, PATHOLOGY, Lesson, Sample
from pathoview.methods.weak.pseudo_healthy_params import MPP, PseudoHealthyFitParams

METHOD = "pseudo_healthy"

_MARGIN_UM = 16.0
"""Patches to learn from keep so far away from what is held back."""
_MOST_TRIES = 8
"""To find a patch without pathology."""
_CHANGES = Augmentation(
    p_affine=0.3,
    scale=STRONG.scale,
    brightness=0.05,
    contrast=(0.9, 1.1),
    saturation=(0.9, 1.1),
    hue=0.01,
    p_blur=0.0,
    p_noise=0.0,
    p_jpeg=0.0,
)
"""What is filled in has to be as sharp as the tissue: none of it is blurred."""


def fit(data: TrainingData, params: PseudoHealthyFitParams, context: FitContext) -> Fitted:
    """Train the engine's networks; see `fitting.Trainable.fit`."""
    if params.masks != "paired" and params.engine != "xia":
        raise UsageError(
            _("The engine “{engine}” learns from masks of the same pictures only.").format(
                engine=params.engine
            ),
            _("Choose paired masks, or the engine “xia”."),
        )
    side = -(-params.patch_px // STRIDE) * STRIDE
    supply = patch_supply(
        data, "classes", mpp=MPP, patch_px=side, seed=context.seed, margin_um=_MARGIN_UM
    )
    _require_both(supply.sampler.counts)
    context.progress.event("notice", {"text": supply.sentence})
    fitted = engine(params.engine).fit(_lesson(data, params, context, supply), context)
    return replace(fitted, data=supply.data, numerics=params.numerics)


def _require_both(counts: Mapping[int, float]) -> None:
    """Raise `UsageError` unless there are both healthy tissue and pathology to learn from."""
    if BACKGROUND not in counts:
        raise UsageError(
            _("No healthy tissue is labelled."),
            _(
                "Label healthy areas with a class that is not looked for, or mark a region as "
                "fully labelled: the rest of it is healthy."
            ),
        )
    if len(counts) < 2:
        raise UsageError(
            _("No pathology is labelled."),
            _("Label areas of it with a class that is looked for."),
        )


def _lesson(
    data: TrainingData,
    params: PseudoHealthyFitParams,
    context: FitContext,
    supply: PatchSupply,
) -> Lesson:
    patches, start = _Patches(supply), context.start
    width = params.width if start is None else _width_of(start, params.engine)
    held_back = [patches.sample(place) for place in supply.validation]
    return Lesson(
        patches.sick,
        patches.healthy,
        [one for one in held_back if (one.state != UNKNOWN).any()],
        params,
        supply.reader.patch_px,
        context.seed,
        STRONG if params.colors == "several laboratories" else _CHANGES,
        {"engine": params.engine, "width": width},
        start.tensors if start else None,
        _parents(start),
        _fingerprint(data, params, start),
    )


class _Patches:
    """Patches of a supply, each with its state."""

    def __init__(self, supply: PatchSupply) -> None:
        self._reader, self._sampler = supply.reader, supply.sampler
        self._pathology = [value for value in self._sampler.counts if value != BACKGROUND]

    def sick(self, step: int, slot: int) -> Sample:
        return self.sample(self._sampler.place(step, slot, self._pathology))

    def healthy(self, step: int, slot: int) -> Sample:
        """Return the one with least pathology of some patches around healthy tissue."""
        best, least = None, UNKNOWN**4
        for attempt in range(_MOST_TRIES):
            place = self._sampler.place(step, _MOST_TRIES * slot + attempt, [BACKGROUND])
            n_sick = int(np.count_nonzero(self._state(place) == PATHOLOGY))
            if n_sick < least:
                best, least = place, n_sick
            if not least:
                break
        assert best is not None
        return self.sample(best)

    def sample(self, place: Place) -> Sample:
        return Sample(self._reader.pixels(place), self._state(place))

    def _state(self, place: Place) -> Mask:
        mask = self._reader.mask(place)
        state = np.where(mask == BACKGROUND, HEALTHY, PATHOLOGY)
        return np.where(mask == UNKNOWN, UNKNOWN, state).astype(np.uint8)


def _width_of(start: Model, name: str) -> int:
    """Return the width of a model to go on from; raise `UsageError` when it is another engine's."""
    card = start.card
    if card.method != METHOD or card.settings["engine"] != name:
        raise UsageError(
            _("Training of “{engine}” cannot begin with “{title}”.").format(
                engine=name, title=card.title
            ),
            _("Choose a model of this method and engine, or begin without one."),
        )
    return int(card.settings["width"])


def _parents(start: Model | None) -> tuple[Parent, ...]:
    if start is None:
        return ()
    card = start.card
    return (*card.parents, Parent(name=card.title, licence=card.licence, id=card.id))


def _fingerprint(data: TrainingData, params: PseudoHealthyFitParams, start: Model | None) -> str:
    said: Sequence[Any] = [
        params.model_dump(mode="json"),
        start.card.id if start else "",
        [one.name for one in data.classes],
        [(one.slide.content_hash, one.split, one.labels.fingerprint()) for one in data.images],
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()

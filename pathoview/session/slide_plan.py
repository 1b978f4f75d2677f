"""How one wants to learn from labels of slides, and what would keep it from being done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.datasets.bags import LEAST_TISSUE
from pathoview.datasets.slide_folds import FoldOrder, HoldOut, slide_folds
from pathoview.methods.engine.encoder_list import DEFAULT_ENCODER
from pathoview.methods.model import ModelCard
from pathoview.session.settings import SlideTrainingSettings
from pathoview.session.slide_label_counts import SlideLabelSummary
from pathoview.slides.scale import is_plausible
from pathoview.slides.stain_normalisation import can_normalise

COARSER = (2, 4, 8)
"""How many times coarser than the grid's the further magnifications may be."""


class SlideMore(BaseParams):
    """What seldom has to be said; names are those of `tasks.train.TrainRequest` and its parts."""

    hold_out: HoldOut = param(
        "patients",
        _("Held out together"),
        _(
            "What is measured on is never learned from. With patients, all slides of a patient are "
            "held out at once; with sites, one site after the other, which is closer to what "
            "happens in another hospital."
        ),
        words={"patients": _("all slides of a patient"), "sites": _("all slides of a site")},
    )
    threshold: Literal["youden", "sensitivity"] = param(
        "youden",
        _("Where to cut"),
        _("From which probability on a slide is said to be what is looked for; of two classes."),
        words={
            "youden": _("most sensitivity and specificity together (Youden)"),
            "sensitivity": _("95 of 100 are found, whatever else is said of others"),
        },
    )
    normalisation: Literal["none", "macenko", "reinhard", "vahadane"] = param(
        "none",
        _("Colours"),
        _(
            "Brings H&E slides to the same colours before their tiles are described: of use where "
            "slides of one class come from another laboratory or scanner than those of the other."
        ),
        words={
            "none": _("as they are"),
            "macenko": _("made alike (Macenko)"),
            "reinhard": _("made alike (Reinhard)"),
            "vahadane": _("made alike (Vahadane)"),
        },
    )
    least_tissue: float = param(
        LEAST_TISSUE,
        _("Least tissue"),
        _("Tiles of which a smaller share is tissue are not looked at."),
        ge=0.0,
        le=1.0,
    )
    seed: int = param(
        0,
        _("Seed"),
        _("The same seed and the same labels give the same model; another one shows how much."),
        ge=0,
        le=2**31 - 1,
    )
    n_permutations: int = param(
        0,
        _("Shuffled labels"),
        _(
            "How often the folds are predicted once more, with labels that patients have "
            "exchanged: it tells whether chance does as well. Each time takes as long as all "
            "folds; 20 can tell p < 0.05, 100 p < 0.01; 0: never."
        ),
        ge=0,
        le=10_000,
    )
    licence: str = param(
        "",
        _("Terms of the slides"),
        _("Under which terms the slides may be used; the model's card says it."),
    )


@dataclass(frozen=True, slots=True)
class SlidePlan:
    """How one wants to learn."""

    method: str
    classes: tuple[str, ...]
    grade: str = ""
    """What is graded; empty: classes."""
    encoder: str = DEFAULT_ENCODER
    weights: str = ""
    """A file of the encoder's weights; empty: those that came with the program, or the hub's."""
    mpp: tuple[float, ...] = (0.5,)
    """µm per px of the tiles at each magnification; the first sets the grid."""
    tile_px: int = 224
    n_folds: int = 5
    """Of patients."""
    params: Mapping[str, Any] | None = None
    """Of the method's training; None: as they are."""
    more: SlideMore = field(default_factory=SlideMore)
    start: str = ""
    """A model to go on from; empty: from scratch."""
    begins_anew: bool = False
    """Does not go on with a training that was stopped."""

    @property
    def remembered(self) -> SlideTrainingSettings:
        """What the next training is proposed with."""
        return SlideTrainingSettings(
            method=self.method,
            encoder=self.encoder,
            weights=self.weights,
            mpp=list(self.mpp),
            tile_px=self.tile_px,
            more=self.more.model_dump(mode="json"),
        )


def plan_problem(plan: SlidePlan, found: SlideLabelSummary, start: ModelCard | None) -> str:
    """Return why what is planned cannot be done, as a sentence; empty: it can.

    ``found``: what there is of the plan's classes; ``start``: the card of ``plan.start``.
    """
    return (
        found.problem
        or _problem_of_folds(plan, found)
        or _problem_of_tiles(plan, found)
        or _problem_of_start(plan, found, start)
    )


def _problem_of_folds(plan: SlidePlan, found: SlideLabelSummary) -> str:
    slides = found.labelled
    labels = [names for _one, names in slides]
    groups = [one.group for one, _names in slides]
    sites = [one.record.site_id for one, _names in slides]
    order = FoldOrder(plan.n_folds, plan.more.hold_out)
    try:
        slide_folds(labels, groups, sites, order, plan.more.seed)
    except UsageError as error:
        return error.full_text
    return ""


def _problem_of_tiles(plan: SlidePlan, found: SlideLabelSummary) -> str:
    if not found.has_scale:
        return ""
    coarsest = max(plan.mpp)
    if not is_plausible(coarsest):
        return _("{mpp:g} µm per px is too coarse: take fewer magnifications.").format(mpp=coarsest)
    if plan.more.normalisation == "none":
        return ""
    for slide in found.all_slides:
        stain = slide.record.stain
        if not can_normalise(stain):
            return _(
                "Only colours of H&E can be made alike, and {slide} is stained with {stain}: take "
                "colours as they are."
            ).format(slide=slide.record.pseudonym, stain=stain)
    return ""


def _problem_of_start(plan: SlidePlan, found: SlideLabelSummary, start: ModelCard | None) -> str:
    if start is None:
        return ""
    encoder = start.settings.get("encoder", {})
    own = {one.record.slide_hash for one in found.all_slides}
    if tuple(one.name for one in start.classes) != plan.classes:
        text = _("“{title}” tells other classes apart: begin from scratch.")
    elif (encoder.get("name"), len(encoder.get("mpp", ()))) != (
        plan.encoder,
        len(plan.mpp) if found.has_scale else 0,
    ):
        text = _("“{title}” knows tiles by another encoder, or by other magnifications.")
    elif any(one.slide_hash in own for one in start.data):
        text = _("“{title}” has learned from some of these slides: begin from scratch.")
    else:
        return ""
    return text.format(title=start.title)

"""What can be set on `pseudo_healthy`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods import shared_params as shared

MPP = 1.0

EngineName = Literal["inpaint", "gvs", "xia"]
Masks = Literal["paired", "unpaired", "mixed"]


class PseudoHealthyParams(BaseParams):
    """What can be set when a trained network predicts; `inpaint` alone fills what was found."""

    threshold: float = param(
        0.5,
        _("Threshold"),
        _("Of the engine “inpaint”: probability of pathology above which tissue is replaced."),
        ge=0.05,
        le=0.95,
    )
    margin_um: float = param(
        2.0,
        _("Margin"),
        _("Of the engine “inpaint”: how far beyond what was found tissue is replaced."),
        unit="µm",
        ge=0.0,
        le=16.0,
    )
    seam_um: float = param(
        2.0,
        _("Seam"),
        _("Of the engine “inpaint”: over how far what is replaced fades into the tissue around."),
        unit="µm",
        ge=0.0,
        le=16.0,
    )
    beside: float = param(
        1.0,
        _("Tissue beside"),
        _(
            "Of the engine “inpaint”: how much of what is filled in is tissue from beside, "
            "mirrored at the rim, and not painted; deep in holes all is painted."
        ),
        ge=0.0,
        le=1.0,
    )


class PseudoHealthyFitParams(BaseParams):
    """How the networks are trained."""

    engine: EngineName = param(
        "inpaint",
        _("Engine"),
        _(
            "“inpaint” finds pathology and fills it in as healthy tissue goes on; “gvs” repaints "
            "until nothing is found any more; “xia” is the method of the paper: experimental, and "
            "it wants a GPU."
        ),
    )
    masks: Masks = param(
        "paired",
        _("Masks"),
        _(
            "Whether it is known where in each picture pathology is (paired), or only what shapes "
            "it has (unpaired); mixed: known where all of a patch is labelled. All but “paired” "
            "is for the engine “xia”."
        ),
    )
    n_steps: int = param(
        400,
        _("Steps"),
        _("Batches that each of the networks learns from."),
        ge=1,
        le=1_000_000,
    )
    batch: int = shared.batch()
    patch_px: int = param(
        128,
        _("Patch"),
        _("Side of a patch at the method's resolution, rounded up to a multiple of 16."),
        unit="px",
        ge=32,
        le=1024,
    )
    lr_times: float = param(
        1.0,
        _("Learning rate"),
        _("Times the one that suits the engine."),
        unit="×",
        ge=0.01,
        le=100.0,
    )
    width: int = param(
        16,
        _("Width"),
        _("Channels of the finest level, when training begins from scratch."),
        ge=4,
        le=128,
    )
    colors: shared.Colors = shared.colors("one laboratory")
    numerics: Literal["float32", "bf16"] = param(
        "float32",
        _("Numbers"),
        _("“bf16” is faster on GPUs and recent processors, slower on others, and less exact."),
    )

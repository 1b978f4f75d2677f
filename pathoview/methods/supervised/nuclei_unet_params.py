"""What can be set on `nuclei_unet`, and on its training; no heavy import."""

from __future__ import annotations

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods import shared_params as shared


class NucleiUnetParams(BaseParams):
    """How the network's maps become nuclei."""

    threshold: float = param(
        0.5,
        _("Threshold"),
        _("Probability above which a pixel is nucleus. Lower finds paler nuclei, and larger ones."),
        ge=0.05,
        le=0.95,
    )
    split: float = param(
        0.5,
        _("Split"),
        _("How deep in a nucleus, 0 rim to 1 middle, its core begins. Higher parts more nuclei."),
        ge=0.1,
        le=0.9,
    )
    smoothing_um: float = param(
        0.4,
        _("Smoothing"),
        _("Width (σ) of the smoothing of the depth before nuclei are parted; more parts less."),
        unit="µm",
        ge=0.0,
        le=3.0,
    )
    min_area_um2: float = shared.min_area_um2(8.0)
    max_area_um2: float = shared.max_area_um2(600.0, 2000.0)
    views: shared.Views = shared.views()


class NucleiUnetFitParams(BaseParams):
    """How the network is trained."""

    n_steps: int = param(
        300,
        _("Steps"),
        _("Batches learned from. From a model, some hundreds; from scratch, some thousands."),
        ge=1,
        le=100_000,
    )
    batch: int = shared.batch()
    patch_px: int = param(
        192,
        _("Patch"),
        _("Side of a patch at the method's resolution, rounded up to a multiple of 8."),
        unit="px",
        ge=64,
        le=1024,
    )
    lr: float = shared.learning_rate(5e-4)
    colors: shared.Colors = shared.colors("several laboratories")
    width: int = param(
        32,
        _("Width"),
        _("Channels of the finest level, when training begins from scratch."),
        ge=4,
        le=128,
    )

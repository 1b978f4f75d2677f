"""What can be set on `nuclei_unet`, and on its training; no heavy import."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


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
    min_area_um2: float = param(
        8.0,
        _("Smallest nucleus"),
        _("Smaller objects are left out."),
        unit="µm²",
        ge=0.0,
        le=200.0,
    )
    max_area_um2: float = param(
        600.0,
        _("Largest nucleus"),
        _("Larger objects are left out."),
        unit="µm²",
        ge=10.0,
        le=2000.0,
    )
    views: Literal["1", "4", "8"] = param(
        "1",
        _("Views"),
        _("Turned (4) and mirrored (8) views are averaged: a little better, as many times slower."),
    )


class NucleiUnetFitParams(BaseParams):
    """How the network is trained."""

    n_steps: int = param(
        300,
        _("Steps"),
        _("Batches learned from. From a model, some hundreds; from scratch, some thousands."),
        ge=1,
        le=100_000,
    )
    batch: int = param(
        8,
        _("Batch"),
        _("Patches learned from at once."),
        ge=1,
        le=256,
    )
    patch_px: int = param(
        192,
        _("Patch"),
        _("Side of a patch at the method's resolution, rounded up to a multiple of 8."),
        unit="px",
        ge=64,
        le=1024,
    )
    lr: float = param(
        5e-4,
        _("Learning rate"),
        _("The highest of the course. From a good model, lower keeps more of it."),
        ge=1e-6,
        le=0.1,
    )
    colors: Literal["one laboratory", "several laboratories"] = param(
        "several laboratories",
        _("Colours"),
        _("How much colours are changed at random: much, where slides of others are to come."),
    )
    width: int = param(
        32,
        _("Width"),
        _("Channels of the finest level, when training begins from scratch."),
        ge=4,
        le=128,
    )

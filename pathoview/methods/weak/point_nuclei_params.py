"""What can be set on `point_nuclei`; no heavy import, so that listing methods stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


class PointNucleiParams(BaseParams):
    """How the networks' maps become nuclei."""

    threshold: float = param(
        0.5,
        _("Threshold"),
        _("Probability from which on a pixel is nucleus. Lower finds paler nuclei, merges more."),
        ge=0.05,
        le=0.95,
    )
    parting: Literal["fast", "paper", "none"] = param(
        "fast",
        _("Parting touching nuclei"),
        _(
            "“fast” looks only at what is too large for one nucleus; “paper” clusters all of each "
            "window, as published, and is slow; “none” leaves together what touches."
        ),
    )
    min_area_um2: float = param(
        5.0,
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


class PointNucleiFitParams(BaseParams):
    """How the two networks are trained; lengths in µm fit every scanner."""

    mode: Literal["fast", "paper"] = param(
        "fast",
        _("Schedule"),
        _(
            "“fast” takes minutes on a processor; “paper” trains as published, 60 and 1000 epochs "
            "with patches of 224 px, and wants a GPU."
        ),
    )
    encoder: Literal["by schedule", "small", "tf_efficientnet_lite0", "resnet18", "resnet34"] = (
        param(
            "by schedule",
            _("Network"),
            _(
                "“small” is a U-Net of 0.6 million weights; others are U-Nets on an encoder that "
                "learned from ImageNet. The schedule takes “small” or “resnet34”."
            ),
        )
    )
    encoder_weights: str = param(
        "",
        _("Weights of the encoder"),
        _(
            "Empty: those that came with PathoView, where there are some, else random ones. Or "
            "the path of a file (safetensors, or PyTorch's); or “hub”: fetched from the internet, "
            "which nothing but this word does."
        ),
    )
    n_steps: int = param(
        0,
        _("Steps, where nuclei are"),
        _("Batches the first network learns from; 0: as the schedule says."),
        ge=0,
        le=1_000_000,
    )
    n_parting_steps: int = param(
        0,
        _("Steps, parting nuclei"),
        _("Batches the second network learns from; 0: as the schedule says."),
        ge=0,
        le=1_000_000,
    )
    batch: int = param(
        8,
        _("Batch"),
        _("Patches learned from at once."),
        ge=1,
        le=256,
    )
    crop_px: int = param(
        0,
        _("Patch"),
        _("Side of a patch, rounded up to a multiple of 32; 0: as the schedule says."),
        unit="px",
        ge=0,
        le=1024,
    )
    lr: float = param(
        0.0,
        _("Learning rate"),
        _("The highest of the course, for both networks; 0: as the schedule says."),
        ge=0.0,
        le=0.1,
    )
    fg_threshold: float = param(
        0.5,
        _("Threshold for the second network"),
        _("Probability from which on a pixel counts as nucleus for the network that parts nuclei."),
        ge=0.05,
        le=0.95,
    )
    alpha: float = param(
        0.2,
        _("Weight of colour"),
        _("How much the colour of a pixel counts beside its distance from the nearest point."),
        ge=0.02,
        le=1.0,
    )
    reach_um: float = param(
        5.0,
        _("Reach of a point"),
        _("Beyond this distance from a point, farther makes no difference: about a nucleus."),
        unit="µm",
        ge=1.0,
        le=20.0,
    )
    square_um: float = param(
        15.0,
        _("Surroundings of a point"),
        _(
            "Side of the square around each point in which pixels are learned from, where not all "
            "nuclei have a point."
        ),
        unit="µm",
        ge=6.0,
        le=60.0,
    )
    push: float = param(
        1.5,
        _("Distance between nuclei"),
        _("Half the distance that is learned between the embeddings of two nuclei."),
        ge=0.6,
        le=5.0,
    )

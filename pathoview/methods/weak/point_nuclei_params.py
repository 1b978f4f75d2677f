"""What can be set on `point_nuclei`; no heavy import, so that listing methods stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods import shared_params as shared


class PointNucleiParams(BaseParams):
    """How the networks' maps become nuclei."""

    threshold: float = param(
        0.5,
        _("Threshold"),
        _("Probability from which on a pixel is nucleus. Lower finds paler nuclei, merges more."),
        ge=0.05,
        le=0.95,
    )
    parting: Literal["centers", "fast", "paper", "none"] = param(
        "centers",
        _("Parting touching nuclei"),
        _(
            "“centers” parts them around learned centers, and leaves out what has none; “paper” "
            "clusters all of each window, as published, and is slow; “fast” does so only with what "
            "is too large for one nucleus, also where a model learned no centers; “none” leaves "
            "together what touches."
        ),
    )
    min_area_um2: float = shared.min_area_um2(5.0)
    max_area_um2: float = shared.max_area_um2(600.0, 2000.0)


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
    encoder_weights: str = shared.encoder_weights()
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
    batch: int = shared.batch()
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

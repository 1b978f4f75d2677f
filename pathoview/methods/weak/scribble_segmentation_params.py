"""What can be set on `scribble_segmentation`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods import shared_params as shared

MPP = 1.0
HALO_UM = 96.0
"""More than a pixel of the small U-Net depends on, 67 px, on slides of up to 1.4 µm per px."""


class ScribbleSegmentationParams(BaseParams):
    """What can be set when a trained network predicts."""

    views: shared.Views = shared.views()


class ScribbleSegmentationFitParams(BaseParams):
    """How the network is trained: from strokes, then on tissue without labels."""

    network: Literal["small U-Net", "EfficientNet-Lite0", "ResNet-34"] = param(
        "small U-Net",
        _("Network"),
        _(
            "The small U-Net begins from nothing and is the quickest; EfficientNet-Lite0 has "
            "learned from ImageNet; ResNet-34 begins from nothing and wants many labels and a GPU."
        ),
    )
    encoder_weights: str = shared.encoder_weights()
    n_steps: int = param(
        200,
        _("Steps"),
        _("Batches learned from strokes and areas."),
        ge=1,
        le=100_000,
    )
    n_self_steps: int = param(
        200,
        _("Steps of self-training"),
        _(
            "Batches in which it then learns from tissue without labels too; 0: none. It is kept "
            "only if it does better on labels that are held back."
        ),
        ge=0,
        le=100_000,
    )
    batch: int = shared.batch()
    patch_px: int = param(
        128,
        _("Patch"),
        _("Side of a patch at the method's resolution, rounded up to a multiple of 32."),
        unit="px",
        ge=32,
        le=1024,
    )
    lr: float = shared.learning_rate(2e-3)
    colors: shared.Colors = shared.colors("one laboratory")
    unlabelled_share: float = param(
        0.5,
        _("Patches without labels"),
        _("Share of the patches of self-training that lie on tissue without labels."),
        ge=0.0,
        le=0.9,
    )
    accepted_share: float = param(
        0.5,
        _("Accepted"),
        _("Of each class, the share of pixels without labels whose prediction becomes a label."),
        ge=0.0,
        le=1.0,
    )
    teacher_decay: float = param(
        0.99,
        _("Inertia of the teacher"),
        _("How much of itself the teacher keeps at each step: 0.99 is its last hundred steps."),
        ge=0.9,
        le=0.9999,
    )
    numerics: Literal["float32", "bf16"] = param(
        "float32",
        _("Numbers"),
        _("“bf16” is faster on GPUs and recent processors, slower on others, and less exact."),
    )

"""What can be set on `ordinal_grading`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods import shared_params as shared

MPP = 0.5
HALO_UM = 192.0
"""Half a tile of 256 µm, and some context for the features at its rim."""


class OrdinalGradingParams(BaseParams):
    """What can be set when a trained network grades."""

    reading: Literal["both", "classes", "severity"] = param(
        "both",
        _("Read"),
        _(
            "“classes” takes the head that tells grades apart, as the paper does; “severity” the "
            "head that gives one number; “both” the mean of what they say."
        ),
    )


class OrdinalGradingFitParams(BaseParams):
    """How the network is trained."""

    encoder: Literal["EfficientNet-Lite0", "EfficientNet-B0"] = param(
        "EfficientNet-Lite0",
        _("Encoder"),
        _(
            "EfficientNet-Lite0 comes with weights from ImageNet; EfficientNet-B0, the paper's, "
            "wants a file of weights, or begins from nothing."
        ),
    )
    encoder_weights: str = shared.encoder_weights()
    tile_px: int = param(
        512,
        _("Tile"),
        _("Side of the tiles that are graded, rounded up to a multiple of 64."),
        unit="px",
        ge=64,
        le=1024,
    )
    n_steps: int = param(
        400,
        _("Steps"),
        _("Batches that are learned from; the paper takes 3,000."),
        ge=1,
        le=100_000,
    )
    batch: int = shared.batch()
    lr: float = shared.learning_rate(1e-3)
    is_first_ordered: bool = param(
        True,
        _("The first grade counts in the order"),
        _("Switch it off where the first class is benign, and no step below the first grade."),
    )
    colors: shared.Colors = shared.colors("several laboratories")
    numerics: Literal["float32", "bf16"] = param(
        "float32",
        _("Numbers"),
        _("“bf16” is faster on GPUs and recent processors, slower on others, and less exact."),
    )

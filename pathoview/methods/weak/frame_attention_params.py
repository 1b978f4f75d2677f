"""What can be set on `frame_attention`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import param
from pathoview.core.translation import _
from pathoview.methods.bag_params import BagFitParams, BagParams


class FrameAttentionParams(BagParams):
    """Nothing can be set when it predicts."""


class FrameAttentionFitParams(BagFitParams):
    """How the network is trained."""

    n_tiles: int = param(
        64,
        _("Frames"),
        _("Of a clip, drawn anew each time it is learned from, in their order; few give all."),
        ge=2,
        le=10_000,
    )
    width: int = param(
        512,
        _("Width"),
        _("Numbers that a frame's features are brought down to, rounded up to a multiple of 8."),
        ge=8,
        le=2048,
    )
    n_layers: int = param(
        2,
        _("Recurrent layers"),
        _("Of the network that looks at the frames before and after; 0: frames stand alone."),
        ge=0,
        le=4,
    )
    attention: Literal["a label", "shared"] = param(
        "a label",
        _("Attention"),
        _("One for each label, which parts findings of one clip; or one for all, as published."),
    )
    self_loss: Literal["both", "classes", "cosine", "off"] = param(
        "both",
        _("Within clips"),
        _(
            "How frames that count are made to differ from the others of their clip: told apart "
            "by a small network, by the angle between them, both, or not at all."
        ),
    )
    self_weight: float = param(
        0.3,
        _("Weight within clips"),
        _("How much that counts beside the labels."),
        ge=0.0,
        le=10.0,
    )

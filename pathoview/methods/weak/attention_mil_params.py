"""What can be set on `attention_mil`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import param
from pathoview.core.translation import _
from pathoview.methods.bag_params import AggregatorFitParams, TissueParams


class AttentionMilParams(TissueParams):
    """What can be set when it predicts."""


class AttentionMilFitParams(AggregatorFitParams):
    """How the network is trained."""

    attention: Literal["gated", "plain"] = param(
        "gated",
        _("Attention"),
        _("“gated” can tell more than “plain” what a tile is worth, for twice the weights."),
    )

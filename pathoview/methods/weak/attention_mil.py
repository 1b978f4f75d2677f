"""Classes of whole slides by attention over their tiles (Ilse, Tomczak and Welling 2018).

A slide is the sum of its tiles, each by its attention, which is learned with the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pathoview.methods.bag_method import BagAggregator
from pathoview.methods.weak.attention_mil_params import AttentionMilFitParams

if TYPE_CHECKING:
    from pathoview.methods.networks.bag_network import BagNetwork


class AttentionMil(BagAggregator):
    """See the module; the parameters say the rest."""

    fit_params = AttentionMilFitParams

    @staticmethod
    def structure(params: AttentionMilFitParams) -> dict[str, Any]:
        return {
            "width": params.rounded_width,
            "dropout": params.dropout,
            "is_gated": params.attention == "gated",
        }

    @staticmethod
    def network(settings: Mapping[str, Any]) -> BagNetwork:
        from pathoview.methods.networks.bag_attention import AttentionNetwork

        return AttentionNetwork(
            settings["n_features"],
            len(settings["values"]),
            width=settings["width"],
            dropout=settings["dropout"],
            is_gated=settings["is_gated"],
        )

"""Classes of whole slides by attention that also parts its tiles (CLAM; Lu et al. 2021).

Beside the slide's class, the network has to tell the tiles it attends most to from those it attends
least to, which sharpens what attention looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pathoview.methods.bag_method import BagAggregator
from pathoview.methods.weak.clam_params import ClamFitParams

if TYPE_CHECKING:
    from pathoview.methods.networks.bag_network import BagNetwork


class Clam(BagAggregator):
    """See the module; the parameters say the rest."""

    fit_params = ClamFitParams

    @staticmethod
    def structure(params: ClamFitParams) -> dict[str, Any]:
        return {
            "width": params.rounded_width,
            "dropout": params.dropout,
            "is_multi_branch": params.branches == "one a class",
            "n_instances": params.n_instances,
            "instance_weight": params.instance_weight,
            "instance_rest": params.rest,
        }

    @staticmethod
    def network(settings: Mapping[str, Any]) -> BagNetwork:
        from pathoview.methods.networks.bag_clam import ClamNetwork

        return ClamNetwork(
            settings["n_features"],
            len(settings["values"]),
            width=settings["width"],
            dropout=settings["dropout"],
            is_multi_branch=settings["is_multi_branch"],
            n_instances=settings["n_instances"],
            instance_weight=settings["instance_weight"],
            instance_rest=settings["instance_rest"],
        )

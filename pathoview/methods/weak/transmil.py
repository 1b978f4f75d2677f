"""Classes of whole slides by tiles that look at each other first (TransMIL; Shao et al. 2021).

Tiles are put in an order that only their features decide, see `networks.bag_transmil`: in which
order they are given, or where in the slide they lay, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pathoview.methods.bag_method import BagAggregator
from pathoview.methods.weak.transmil_params import TransmilFitParams

if TYPE_CHECKING:
    from pathoview.methods.networks.bag_network import BagNetwork


class Transmil(BagAggregator):
    """See the module; the parameters say the rest."""

    fit_params = TransmilFitParams

    @staticmethod
    def structure(params: TransmilFitParams) -> dict[str, Any]:
        return {"width": params.rounded_width, "dropout": params.dropout}

    @staticmethod
    def network(settings: Mapping[str, Any]) -> BagNetwork:
        from pathoview.methods.networks.bag_transmil import TransmilNetwork

        return TransmilNetwork(
            settings["n_features"],
            len(settings["values"]),
            width=settings["width"],
            dropout=settings["dropout"],
        )

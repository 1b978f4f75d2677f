"""Classes of whole slides by an overview and by single tiles (inspired by Zhou et al. 2021).

Not a reproduction: both looks are at what a finished encoder gives, at the last and the first of
several magnifications, and only their heads are taught.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pathoview.core.params import BaseParams
from pathoview.datasets.bags import BagData
from pathoview.methods.bag_method import BagAggregator
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.weak.overview_and_tiles_params import OverviewAndTilesFitParams

if TYPE_CHECKING:
    from pathoview.methods.networks.bag_network import BagNetwork
    from pathoview.methods.networks.bag_overview import OverviewNetwork


class OverviewAndTiles(BagAggregator):
    """See the module; the parameters say the rest."""

    fit_params = OverviewAndTilesFitParams

    @staticmethod
    def structure(params: OverviewAndTilesFitParams) -> dict[str, Any]:
        return {
            "width": params.rounded_width,
            "dropout": params.dropout,
            "n_kept": params.n_kept,
            "n_fresh": params.n_fresh,
            "instance_weight": params.instance_weight,
        }

    @staticmethod
    def network(settings: Mapping[str, Any]) -> BagNetwork:
        return _network(settings)

    def fit(self, data: BagData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn both looks, then on held-back slides how they are put together."""
        from pathoview.methods.engine.two_looks import combined

        fitted = super().fit(data, params, context)
        # Slides held back choose the line, so that the model needs some in the end as well.
        return replace(combined(fitted, _network(fitted.settings), data), n_steps=0)


def _network(settings: Mapping[str, Any]) -> OverviewNetwork:
    from pathoview.methods.networks.bag_overview import OverviewNetwork

    return OverviewNetwork(
        settings["n_features"],
        len(settings["values"]),
        n_scales=max(1, len(settings["encoder"]["mpp"])),
        width=settings["width"],
        dropout=settings["dropout"],
        n_kept=settings["n_kept"],
        n_fresh=settings["n_fresh"],
        instance_weight=settings["instance_weight"],
    )

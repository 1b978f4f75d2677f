"""Classes of whole slides by the tile that speaks most, and all others by likeness to it (DSMIL).

Li, Li and Eliceiri 2021. The attention of tiles that is read out is that of each class to its
critical tile, by the probabilities of the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pathoview.datasets.bags import BagData
from pathoview.methods.bag_method import BagAggregator
from pathoview.methods.fitting import FitContext
from pathoview.methods.weak.dsmil_params import DsmilFitParams

if TYPE_CHECKING:
    from torch import Tensor

    from pathoview.methods.networks.bag_network import BagNetwork


class Dsmil(BagAggregator):
    """See the module; the parameters say the rest."""

    fit_params = DsmilFitParams

    @staticmethod
    def structure(params: DsmilFitParams) -> dict[str, Any]:
        return {"width": params.rounded_width, "dropout": params.dropout}

    @staticmethod
    def network(settings: Mapping[str, Any], towards: Tensor | None = None) -> BagNetwork:
        from pathoview.methods.networks.bag_dsmil import DsmilNetwork

        return DsmilNetwork(
            settings["n_features"],
            len(settings["values"]),
            width=settings["width"],
            dropout=settings["dropout"],
            towards=towards,
        )

    def builder(self, data: BagData, context: FitContext) -> Callable[..., BagNetwork]:
        from pathoview.methods.engine.bag_baselines import towards

        return partial(self.network, towards=towards(data, context))

"""What can be set on `transmil`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from pathoview.core.params import param_with
from pathoview.methods.bag_params import AggregatorFitParams, BagFitParams, TissueParams


class TransmilParams(TissueParams):
    """What can be set when it predicts."""


class TransmilFitParams(AggregatorFitParams):
    """How the network is trained: eight heads share the width, and want more of it."""

    lr: float = param_with(BagFitParams, "lr", 5e-4)
    width: int = param_with(BagFitParams, "width", 128)
    dropout: float = param_with(BagFitParams, "dropout", 0.5)

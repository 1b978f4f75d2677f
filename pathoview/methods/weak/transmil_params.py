"""What can be set on `transmil`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from pathoview.methods.bag_params import AggregatorFitParams, BagParams


class TransmilParams(BagParams):
    """Nothing can be set when it predicts."""


class TransmilFitParams(AggregatorFitParams):
    """How the network is trained."""

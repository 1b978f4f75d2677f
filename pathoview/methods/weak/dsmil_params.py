"""What can be set on `dsmil`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from pathoview.methods.bag_params import AggregatorFitParams, TissueParams


class DsmilParams(TissueParams):
    """What can be set when it predicts."""


class DsmilFitParams(AggregatorFitParams):
    """How the network is trained."""

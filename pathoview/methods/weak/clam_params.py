"""What can be set on `clam`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import param
from pathoview.core.translation import _
from pathoview.methods.bag_params import AggregatorFitParams, TissueParams


class ClamParams(TissueParams):
    """What can be set when it predicts."""


class ClamFitParams(AggregatorFitParams):
    """How the network is trained."""

    branches: Literal["one for all", "one a class"] = param(
        "one for all",
        _("Attention"),
        _("“one a class” (CLAM-MB) looks for each class at other tiles; for three and more."),
    )
    n_instances: int = param(
        8,
        _("Parted tiles"),
        _(
            "So many most attended tiles of a slide have to be told from as many least attended; "
            "of small slides one in 50."
        ),
        ge=1,
        le=256,
    )
    instance_weight: float = param(
        0.3,
        _("Weight of parting"),
        _("Part of it in the loss; the slides' classes have the rest."),
        ge=0.0,
        le=0.9,
    )
    rest: int = param(
        10,
        _("Passes before parting"),
        _("So often every slide is learned from before tiles are parted; half the steps at most."),
        ge=0,
        le=1000,
    )

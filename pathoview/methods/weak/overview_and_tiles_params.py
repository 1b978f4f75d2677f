"""What can be set on `overview_and_tiles`; no heavy import, so that listing stays quick."""

from __future__ import annotations

from pathoview.core.params import param
from pathoview.core.translation import _
from pathoview.methods.bag_params import BagFitParams, TissueParams


class OverviewAndTilesParams(TissueParams):
    """What can be set when it predicts."""


class OverviewAndTilesFitParams(BagFitParams):
    """How both looks are trained."""

    n_kept: int = param(
        5,
        _("Tiles kept"),
        _("So many tiles of a slide that are most like its label have to be of its class."),
        ge=1,
        le=256,
    )
    n_fresh: int = param(
        15,
        _("Tiles drawn"),
        _("So many others at random have to be as well; fewer where little shows what is sought."),
        ge=0,
        le=1024,
    )
    instance_weight: float = param(
        0.5,
        _("Weight of tiles"),
        _("Part of these tiles in the loss; the slides' classes have the rest."),
        ge=0.0,
        le=0.9,
    )

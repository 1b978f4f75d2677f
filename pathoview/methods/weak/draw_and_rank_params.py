"""What can be set on draw-and-rank learning; no heavy import, so listing methods stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import param
from pathoview.core.translation import _
from pathoview.datasets.tile_choice import Ranking
from pathoview.methods.tile_params import TileFitParams, TileParams


class DrawAndRankParams(TileParams):
    """What can be set when a trained model predicts: nothing."""


class DrawAndRankFitParams(TileFitParams):
    """How a network of tiles learns from tiles that are drawn, and the best of them kept."""

    lr: float = param(
        1e-4,
        _("Learning rate"),
        _("At the beginning; it falls to nothing along half a cosine."),
        ge=1e-6,
        le=0.1,
    )
    weight_decay: float = param(
        1e-4, _("Weight decay"), _("How strongly weights are drawn to zero."), ge=0.0, le=1.0
    )
    tuned: Literal["norm", "all", "head"] = param(
        "all",
        _("What learns"),
        _(
            "norm: scales and offsets of normalisations and the last layer, one weight in a "
            "hundred; all: everything; head: the last layer."
        ),
    )
    ranking: Ranking = param(
        "own_label",
        _("Which tiles come first"),
        _(
            "looked_for: those that show most of it, in benign slides the most misleading ones; "
            "own_label: those that show most what their slide's label says."
        ),
    )
    n_kept: int = param(
        5,
        _("Tiles kept"),
        _("Of a slide, from round to round: those that come first."),
        ge=1,
        le=256,
    )
    n_fresh: int = param(
        45, _("Tiles drawn"), _("Of a slide, others in each round, at random."), ge=1, le=1024
    )

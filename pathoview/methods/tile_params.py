"""What can be set on methods that teach a network of tiles; no heavy import."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.datasets.tile_choice import Ranking
from pathoview.methods.bag_params import TissueParams

OWN_NETWORK = "model"
"""`EncoderUsed.source` of a model whose tiles are described by its own network."""


class TileParams(TissueParams):
    """What can be set when a trained model predicts."""


class TileFitParams(BaseParams):
    """How a network of tiles is taught by labels of slides."""

    n_rounds: int = param(
        30,
        _("Rounds"),
        _("Of choosing tiles and learning from them; ends sooner when held-back slides tell so."),
        ge=1,
        le=1000,
    )
    batch: int = param(32, _("Batch"), _("Tiles learned from at once."), ge=1, le=1024)
    lr: float = param(
        1e-3,
        _("Learning rate"),
        _("At the beginning; it falls to nothing along half a cosine."),
        ge=1e-6,
        le=0.1,
    )
    weight_decay: float = param(
        0.0, _("Weight decay"), _("How strongly weights are drawn to zero."), ge=0.0, le=1.0
    )
    tuned: Literal["norm", "all", "head"] = param(
        "norm",
        _("What learns"),
        _(
            "norm: scales and offsets of normalisations and the last layer, one weight in a "
            "hundred; all: everything; head: the last layer."
        ),
    )
    dropout: float = param(
        0.5,
        _("Dropout"),
        _("Share of a tile's numbers that are left out at random in training."),
        ge=0.0,
        le=0.9,
    )
    loss: Literal["plain", "symmetric"] = param(
        "plain",
        _("Loss"),
        _("symmetric: bears more tiles that do not show what their slide's label says."),
    )
    ranking: Ranking = param(
        "looked_for",
        _("Which tiles come first"),
        _(
            "looked_for: those that show most of it, in benign slides the most misleading ones; "
            "own_label: those that show most what their slide's label says."
        ),
    )
    n_validated: int = param(
        512,
        _("Tiles to measure on"),
        _("Of each held-back slide, evenly spread; slides with fewer give all."),
        ge=8,
        le=10_000,
    )
    patience: int = param(
        10,
        _("Patience"),
        _("Ends after so many rounds in which held-back slides do no better; 0: never."),
        ge=0,
        le=1000,
    )

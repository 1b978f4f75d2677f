"""What can be set on every method for whole slides; no heavy import, so listing stays quick."""

from __future__ import annotations

from pathoview.core.params import BaseParams, param, param_with
from pathoview.core.translation import _

MPP = 0.5
TILE_PX = 224
WIDTH_STEP = 8


class BagParams(BaseParams):
    """What can be set when a trained model predicts: nothing."""


class TissueParams(BagParams):
    """What can be set when a trained model predicts from the tissue of slides."""

    overlap: float = param(
        0.0,
        _("Overlap"),
        _("Share of a tile's side that the next one sees too: 0.5 gives a map twice as fine."),
        ge=0.0,
        le=0.75,
    )


class BagFitParams(BaseParams):
    """How an aggregator of tiles is trained."""

    n_steps: int = param(
        400,
        _("Steps"),
        _("Batches of slides learned from; it ends sooner when held-back slides do no better."),
        ge=1,
        le=100_000,
    )
    batch: int = param(
        8,
        _("Batch"),
        _("Slides learned from at once."),
        ge=1,
        le=256,
    )
    n_tiles: int = param(
        1000,
        _("Tiles"),
        _("Of a slide at most, drawn anew each time it is learned from."),
        ge=1,
        le=10_000,
    )
    lr: float = param(
        5e-4,
        _("Learning rate"),
        _("At the beginning; it falls to nothing along half a cosine."),
        ge=1e-6,
        le=0.1,
    )
    weight_decay: float = param(
        1e-2,
        _("Weight decay"),
        _("How strongly weights are drawn to zero; more for few slides."),
        ge=0.0,
        le=1.0,
    )
    width: int = param(
        128,
        _("Width"),
        _("Numbers that a tile's features are brought down to, rounded up to a multiple of 8."),
        ge=8,
        le=2048,
    )
    dropout: float = param(
        0.5,
        _("Dropout"),
        _("Share of these numbers that are left out at random in training."),
        ge=0.0,
        le=0.9,
    )
    tile_dropout: float = param(
        0.0,
        _("Tile dropout"),
        _("Share of a slide's tiles that it is learned from without, others each time; 16 stay."),
        ge=0.0,
        le=0.9,
    )
    feature_dropout: float = param(
        0.1,
        _("Feature dropout"),
        _("Share of the features that a slide is learned from without, others each time."),
        ge=0.0,
        le=0.9,
    )
    answers_weight: float = param(
        0.5,
        _("Weight of answers"),
        _("What is said of single tiles counts so much beside a slide's label; 0: nothing."),
        ge=0.0,
        le=10.0,
    )
    patience: int = param(
        8,
        _("Patience"),
        _("Ends after so many of 20 measurements on held-back slides without gain; 0: never."),
        ge=0,
        le=100,
    )

    @property
    def rounded_width(self) -> int:
        """The width as networks have it: heads of attention share it in equal parts."""
        return -(-self.width // WIDTH_STEP) * WIDTH_STEP


class AggregatorFitParams(BagFitParams):
    """How a network that weighs tiles is trained: narrow, long, and with much left out.

    So a few dozen slides suffice to learn what the mean of tiles tells, and what it does not.
    """

    n_steps: int = param_with(BagFitParams, "n_steps", 800)
    lr: float = param_with(BagFitParams, "lr", 2e-3)
    width: int = param_with(BagFitParams, "width", 32)
    dropout: float = param_with(BagFitParams, "dropout", 0.75)
    tile_dropout: float = param_with(BagFitParams, "tile_dropout", 0.5)

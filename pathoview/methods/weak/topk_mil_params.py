"""What can be set on top-k learning; no heavy import, so listing methods stays quick."""

from __future__ import annotations

from pathoview.core.params import param
from pathoview.core.translation import _
from pathoview.methods.tile_params import TileFitParams, TileParams


class TopkMilParams(TileParams):
    """What can be set when a trained model predicts: nothing."""


class TopkMilFitParams(TileFitParams):
    """How a network of tiles learns from the first tiles of each slide."""

    k: int = param(
        8,
        _("Tiles at first"),
        _("Of a slide, in the first quarter of the rounds; half as many in the second."),
        ge=1,
        le=256,
    )
    k_last: int = param(
        1, _("Tiles in the end"), _("Of a slide, in the second half."), ge=1, le=256
    )
    share: float = param(
        0.25,
        _("Share looked at"),
        _("Of a slide's tiles in most rounds, at random, beside the 50 that came first."),
        ge=0.0,
        le=1.0,
    )
    full_every: int = param(
        5, _("Full look"), _("All tiles are looked at in each so many rounds."), ge=1, le=1000
    )

    @property
    def ks(self) -> tuple[int, ...]:
        """Tiles of a slide in each round, falling; the last one counts on."""
        quarter = -(-self.n_rounds // 4)
        least = min(self.k, self.k_last)
        half = max(least, self.k // 2)
        return (*[self.k] * quarter, *[half] * quarter, least)

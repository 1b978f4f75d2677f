"""Classes of whole slides by their first tiles (Kanavati et al. 2020; Tsuneki et al. 2022).

By turns, the network looks at the tiles of every slide, and learns from the few that show most of
what is looked for: in positive slides that is most likely right, in benign ones it is what misleads
most. Unlike the paper, tiles do not overlap, and five tiles decide a slide instead of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathoview.datasets.bags import Bag
from pathoview.datasets.tile_choice import TileChoice, TopRule, TopTiles
from pathoview.methods.tile_method import TileMethod
from pathoview.methods.weak.topk_mil_params import TopkMilFitParams


class TopkMil(TileMethod):
    """See the module; the parameters say the rest."""

    fit_params = TopkMilFitParams

    @staticmethod
    def choice(params: Any, bags: Sequence[Bag], seed: int) -> TileChoice:
        rule = TopRule(
            params.ks, params.share, full_every=params.full_every, ranking=params.ranking
        )
        return TopTiles(bags, rule, seed)

"""Classes of whole slides by tiles that are drawn and ranked (IDaRS; Bilal et al. 2021).

In each round the network learns from the few tiles of a slide that came first among those at hand,
and from others drawn at random; no slide is ever looked at as a whole, so that slides of any size
cost the same. What is told of a molecular label is no molecular test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathoview.datasets.bags import Bag
from pathoview.datasets.tile_choice import DrawnTiles, TileChoice
from pathoview.methods.tile_method import TileMethod
from pathoview.methods.weak.draw_and_rank_params import DrawAndRankFitParams


class DrawAndRank(TileMethod):
    """See the module; the parameters say the rest."""

    fit_params = DrawAndRankFitParams

    @staticmethod
    def choice(params: Any, bags: Sequence[Bag], seed: int) -> TileChoice:
        return DrawnTiles(bags, params.n_kept, params.n_fresh, params.ranking, seed)

"""Which tile of a run lies at a place, and what was said of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pathoview.core.geometry import Cell
from pathoview.study.bag_rows import BagTiles
from pathoview.study.tile_verdicts import TileVerdict

_ONE_PX = Cell.square(1.0)


class TileLookup:
    """The tiles of one run by their places, with the answers that are about them."""

    def __init__(self, tiles: BagTiles | None = None, cell_l0: Cell = _ONE_PX) -> None:
        self._cell_l0 = cell_l0
        self._tiles: dict[tuple[int, int], int] = {}
        if tiles is not None:
            places = zip(tiles.columns.tolist(), tiles.rows.tolist(), strict=True)
            self._tiles = {place: tile for tile, place in enumerate(places)}
        self._said: dict[tuple[int, str], list[TileVerdict]] = {}

    def find(self, x_l0: float, y_l0: float) -> int | None:
        """Return the tile at a place; None: there is none."""
        return self._tiles.get(self._cell_l0.at(x_l0, y_l0))

    def take(self, verdicts: Iterable[TileVerdict]) -> None:
        """Take these answers in place of those before; one is about the tile that its middle is in.

        So answers to a model with larger or smaller tiles count as well.
        """
        self._said = {}
        for one in verdicts:
            tile = self.find(*one.center_l0)
            if tile is not None:
                self._said.setdefault((tile, one.class_name), []).append(one)

    def said_of(self, tile: int, class_name: str) -> Sequence[TileVerdict]:
        """Return what was said of a tile and a class, by whomever."""
        return self._said.get((tile, class_name), ())

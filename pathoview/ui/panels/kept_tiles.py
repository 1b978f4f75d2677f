"""The tiles that a training on slides keeps to learn from, and how many are others each round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.training_round import KeptTile, TrainingRound
from pathoview.ui import theme
from pathoview.ui.panels.plot import Plot
from pathoview.ui.panels.tile_gallery import TileEntry, TileGallery
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.widgets import label

_PLOT_PX = 96


class KeptTiles(QWidget):
    """A row of tiles from slides with what is looked for, and one from those without.

    There only for methods that choose their tiles; a click goes to a tile.
    """

    def __init__(self, session: Session, pictures: TilePictures) -> None:
        super().__init__()
        self.facts = label("", "heading")
        self.shares = ReplacedShares()
        self.titles = {side: label("", "muted") for side in (True, False)}
        names = {True: _("Tiles kept: looked for"), False: _("Tiles kept: not looked for")}
        self.galleries = {
            side: TileGallery(name, pictures, n_lines=2) for side, name in names.items()
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.facts)
        for side, gallery in self.galleries.items():
            gallery.chosen.connect(lambda entry: session.review.similar.go_to(entry.place))
            layout.addWidget(self.titles[side])
            layout.addWidget(gallery)
        layout.addWidget(self.shares)

    def show_rounds(self, rounds: Sequence[TrainingRound]) -> None:
        """Show the last of these rounds, and what was replaced in all."""
        self.setVisible(bool(rounds))
        if not rounds:
            return
        last = rounds[-1]
        self.facts.setText(_facts(last))
        self.shares.show_rounds(rounds)
        for side, gallery in self.galleries.items():
            tiles = last.side(side)
            names = ", ".join(dict.fromkeys(f"“{one.label}”" for one in tiles))
            self.titles[side].setText(_("Kept of slides with {names}").format(names=names))
            gallery.show_entries([_entry(one) for one in tiles])
            for part in (self.titles[side], gallery):
                part.setVisible(bool(tiles))


class ReplacedShares(Plot):
    """The share of the tiles kept that are others than before, round by round."""

    def __init__(self) -> None:
        super().__init__()
        self._line: Any = None
        self._view: Any = None

    def show_rounds(self, rounds: Sequence[TrainingRound]) -> None:
        """Draw them; a single one is no line."""
        known = [(one.round, one.replaced) for one in rounds if one.replaced is not None]
        self.setVisible(len(known) > 1)
        if len(known) < 2:
            return
        if self._plot is None:
            self._draw()
        numbers, shares = zip(*known, strict=True)
        self._line.setData(numbers, shares)
        self._view.setRange(xRange=(1, rounds[-1].n_rounds), yRange=(0, 1), padding=0.02)

    def _draw(self) -> None:
        import pyqtgraph

        self._view = self._build(_PLOT_PX, 2 * theme.GRID)
        self._plot.setAccessibleName(_("Share of tiles replaced in each round"))
        self._facts.setText(_("Share of tiles replaced, by round: it falls as the choice settles."))
        self._line = pyqtgraph.PlotDataItem(symbol="o", symbolSize=5)
        self._view.addItem(self._line)
        self._color()

    def _color(self) -> None:
        super()._color()
        color = theme.current().accent
        self._line.setPen(color, width=2)
        self._line.setSymbolBrush(color)
        self._line.setSymbolPen(None)


def _facts(last: TrainingRound) -> str:
    said = [_("Round {n} of {all}").format(n=last.round, all=last.n_rounds)]
    if last.replaced is not None:
        said.append(_("replaced since the last round: {n:.0%}").format(n=last.replaced))
    return " · ".join(said)


def _entry(tile: KeptTile) -> TileEntry:
    words = _("{name}, labelled “{label}”, score {score:.3f}").format(
        name=tile.name, label=tile.label, score=tile.score
    )
    return TileEntry(tile.place, f"{tile.score:.2f}\n{tile.name}", words)

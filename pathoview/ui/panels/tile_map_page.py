"""The map of tiles: each a point near those that look like it; a click goes to the tile."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.tile_map import MapOfTiles, Shade
from pathoview.ui import theme
from pathoview.ui.panels.choice_box import choice_box, offer
from pathoview.ui.panels.tile_plot import TilePlot
from pathoview.ui.text import count_text, tiles_text
from pathoview.ui.widgets import button, label, row

_SCOPES = [(_("This slide"), "slide"), (_("All slides of the study"), "study")]


class TileMapPage(QWidget):
    """Works while it is seen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._map = session.review.map
        self._shade: Shade = "attention"
        self._scope = "slide"
        self.scope = choice_box(_("Whose tiles"), self._on_scope)
        self.shade = choice_box(_("Colours of the points"), self._on_shade)
        self.draw = button(_("Draw map"), self._on_draw, "points", primary=True)
        self.hint = label("", "muted")
        self.plot = TilePlot()
        self.plot.clicked.connect(self._on_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addLayout(row(self.scope, self.shade, spacing=theme.GRID // 2))
        for part in (self.draw, self.hint, self.plot):
            layout.addWidget(part)
        self._map.changed.connect(self.refresh)
        session.review.tiles.changed.connect(self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        """Show the map as it is now."""
        super().showEvent(event)
        self.refresh()

    def _on_scope(self, scope: str) -> None:
        self._scope = scope

    def _on_shade(self, shade: Shade) -> None:
        self._shade = shade
        self.refresh()

    def _on_draw(self) -> None:
        self._map.draw(others=self._scope == "study")

    def _on_clicked(self, point: int) -> None:
        if self._map.answer is not None:
            self._session.review.similar.go_to(self._map.answer.place(point))

    def refresh(self) -> None:
        """Show the points, their colours, and which is chosen; not while nobody sees it."""
        if not self.isVisible():
            return
        answer, name = self._map.answer, self._session.review.tiles.class_name
        scopes = _SCOPES if self._session.studies.is_named else _SCOPES[:1]
        offer(self.scope, scopes, self._scope if len(scopes) > 1 else "slide")
        shades = [(_("By attention"), "attention"), (_("By slide"), "slide")]
        if name:
            shades.insert(1, (_("By evidence of “{name}”").format(name=name), "evidence"))
        offer(self.shade, shades, self._shade)
        self.draw.setEnabled(self._session.slide is not None and not self._map.is_busy)
        self.hint.setText(self._hint())
        self.hint.setVisible(bool(self.hint.text()))
        self.plot.setVisible(answer is not None)
        if answer is not None:
            values = self._map.values(self._shade)
            self.plot.show_points(answer, values, is_of_slides=self._shade == "slide")
            self.plot.mark(self._map.chosen)
            self.plot.say(map_text(answer))

    def _hint(self) -> str:
        if self._map.is_busy:
            return _("Drawing…")
        if self._map.answer is not None:
            return ""
        return self._session.slides.shown(self._map.problem) or _(
            "Tiles that look alike to the encoder lie near each other. A click goes to the tile."
        )


def map_text(answer: MapOfTiles) -> str:
    """Return how much the map shows, and how many of the tiles."""
    said = _("The two axes (PCA) show {share:.0%} of the variance of the features.").format(
        share=sum(answer.shares)
    )
    if len(answer.x) == answer.n_tiles:
        return f"{said} {tiles_text(answer.n_tiles)}."
    some = _("{n} of {tiles}, drawn by lot.")
    return f"{said} " + some.format(n=count_text(len(answer.x)), tiles=tiles_text(answer.n_tiles))

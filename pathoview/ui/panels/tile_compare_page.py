"""Two runs of a slide: how alike they are, and the tiles that they place most differently."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import run_command
from pathoview.session.run_comparison import ATTENTION, Difference, value_text
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.choice_box import choice_box, offer
from pathoview.ui.panels.tile_gallery import TileEntry, TileGallery
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.text import tiles_text
from pathoview.ui.widgets import button, column, label, row

_N_DIFFERENCES = 12


class TileComparePage(QWidget):
    """Works while it is seen."""

    def __init__(self, session: Session, pictures: TilePictures) -> None:
        super().__init__()
        self._session = session
        self._comparison = session.review.comparison
        self.empty = label(
            _("Nothing to compare yet: apply another model for whole slides to this slide."),
            "muted",
        )
        self.other = choice_box(
            _("Run to compare with"), lambda p: self._comparison.choose(Path(p))
        )
        self.value = choice_box(_("What of it is compared"), self._comparison.set_value)
        self.figures = label("", "heading", selectable=True)
        self.facts = label("", "muted")
        self.beside = button(_("Side by side"), self._on_beside, "views")
        self.title = label(_("Where they disagree most"), "heading")
        self.gallery = TileGallery(
            _("Tiles that the runs place most differently"), pictures, n_lines=2
        )
        self.gallery.chosen.connect(lambda e: session.review.tiles.go_to(e.place))
        self.gallery.answered_by_key.connect(lambda: run_command(session, "annotate.delete"))
        self._filled = column(
            *(self.other, self.value, self.figures, self.facts),
            *(row(self.beside, 1), self.title, self.gallery),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.empty)
        layout.addWidget(self._filled)
        self._comparison.changed.connect(self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        """Look which runs there are, and show what comes out."""
        super().showEvent(event)
        self._comparison.look()
        self.refresh()

    def _on_beside(self) -> None:
        if self._comparison.is_side_by_side:
            self._comparison.show_one()
        else:
            self._comparison.show_side_by_side()

    def refresh(self) -> None:
        """Show how the two compare; not while nobody sees it."""
        if not self.isVisible():
            return
        comparison, other = self._comparison, self._comparison.other
        has_some = bool(comparison.others)
        self.empty.setVisible(not has_some)
        self._filled.setVisible(has_some)
        runs = [
            (_run_text(one.record.title, one.record.started), str(one.path))
            for one in comparison.others
        ]
        offer(self.other, runs, "" if other is None else str(other.path))
        values = [ATTENTION, *comparison.class_names]
        words = [(_("There: {what}").format(what=value_text(one)), one) for one in values]
        offer(self.value, words, comparison.value)
        is_beside = comparison.is_side_by_side
        self.beside.setText(_("One view") if is_beside else _("Side by side"))
        self.beside.setEnabled(other is not None)
        self._refresh_result()

    def _refresh_result(self) -> None:
        result, review = self._comparison.result, self._session.review.tiles
        self.figures.setVisible(result is not None)
        self.facts.setVisible(result is not None)
        found = self._comparison.differences(_N_DIFFERENCES)
        self.title.setVisible(bool(found))
        self.gallery.setVisible(bool(found))
        chosen = [row for row, one in enumerate(found) if one.rect_l0 == review.chosen_l0]
        self.gallery.show_entries([self._entry(one) for one in found], next(iter(chosen), None))
        if result is None:
            return
        text = _("Spearman {spearman} · Pearson {pearson}")
        self.figures.setText(
            text.format(spearman=_figure(result.spearman), pearson=_figure(result.pearson))
        )
        here = value_text(review.class_name if review.order == "evidence" else ATTENTION)
        text = _("{tiles} in both. Here: {here}, as chosen in Answers.")
        said = [text.format(tiles=tiles_text(len(result.tiles)), here=here)]
        if result.spearman is None:
            said.append(_("All tiles are alike in one of the two: choose something else of it."))
        self.facts.setText(" ".join(said))

    def _entry(self, one: Difference) -> TileEntry:
        words = _("above {here:.0%} of the tiles here, above {there:.0%} there").format(
            here=one.rank_here, there=one.rank_there
        )
        caption = _("here {here:.0%}\nthere {there:.0%}")
        return TileEntry(
            self._session.review.tiles.place(one.rect_l0),
            caption.format(here=one.rank_here, there=one.rank_there),
            words,
        )


def _run_text(title: str, started: str) -> str:
    return f"{title} · {started[:16].replace('T', ' ')}"


def _figure(correlation: float | None) -> str:
    return "–" if correlation is None else f"{correlation:.2f}"

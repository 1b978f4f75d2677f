"""The review of a run's tiles: those that counted most and least, and an answer to each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _
from pathoview.layers.attention_source import ATTENTION_MEANING
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session
from pathoview.session.tile_review import TileReview
from pathoview.ui import theme
from pathoview.ui.panels.choice_box import choice_box, offer
from pathoview.ui.panels.tile_gallery import TileEntry, TileGallery
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.widgets import button, column, icon_button, label, row

_EMPTY = _(
    "No tiles yet. Choose a model for whole slides in Models, and apply it: then you see here "
    "which tiles counted, and say whether they show what the model says."
)


class TileReviewPage(QWidget):
    """Two galleries, three answers with a key each, and how far one is."""

    def __init__(self, session: Session, pictures: TilePictures) -> None:
        super().__init__()
        self._session = session
        self._review: TileReview = session.review.tiles
        self.empty = label(_EMPTY, "muted")
        self.models = button(_("Models…"), partial(run_command, session, "models.show"), "results")
        self.run = choice_box(_("Run"), self._on_run)
        self.asked = choice_box(_("Class that is asked about"), self._review.ask_about)
        self.order = choice_box(_("Order of the tiles"), self._review.set_order)
        self.question = label("", "heading")
        self.said = label("", "muted")
        self.agree = self._answer("review.accept", _("Agree"))
        self.disagree = self._answer("annotate.delete", _("Disagree"))
        self.unsure = self._answer("annotate.uncertain", _("Unsure"))
        self.progress = label("")
        self.bar = QProgressBar()
        self.bar.setAccessibleName(_("Tiles looked at"))
        self.bar.setTextVisible(False)
        self.next = button(_("Next  C"), partial(run_command, session, "review.next"))
        self.next.setToolTip(_("Next tile without an answer"))
        self.next.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.previous_page = self._arrow("arrow-left", _("Page before"), -1)
        self.page = label("")
        self.page.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.next_page = self._arrow("arrow-right", _("Next page"), 1)
        self.most_title, self.least_title = label("", "heading"), label("", "heading")
        self.most = self._gallery(_("Tiles at the upper end of the order"), pictures)
        self.least = self._gallery(_("Tiles at the lower end of the order"), pictures)
        self._filled = self._laid_out()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.empty, self.models, self._filled):
            layout.addWidget(part)
        self._review.changed.connect(self.refresh)
        self.refresh()

    def _laid_out(self) -> QWidget:
        answers = row(self.agree, self.disagree, self.unsure, spacing=theme.GRID // 2)
        pages = row(self.previous_page, self.page, self.next_page)
        pages.setStretchFactor(self.page, 1)
        heads = row(self.asked, self.order, spacing=theme.GRID // 2)
        return column(
            *(self.run, heads, self.question, answers, self.said),
            *(row(self.progress, 1, self.next), self.bar),
            *(self.most_title, self.most, self.least_title, self.least, pages),
            label(f"{ATTENTION_MEANING}.", "muted"),
        )

    def _answer(self, command_id: str, text: str) -> QPushButton:
        key = command(command_id).shortcut.partition(";")[0]
        made = button(f"{text}  {key}", partial(run_command, self._session, command_id))
        made.setAccessibleName(text)
        made.setMinimumWidth(1)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the canvas its keys
        return made

    def _arrow(self, icon: str, text: str, step: int) -> QToolButton:
        return icon_button(icon, text, lambda: self._review.turn_page(step))

    def _gallery(self, name: str, pictures: TilePictures) -> TileGallery:
        made = TileGallery(name, pictures)
        made.chosen.connect(lambda entry: self._review.go_to(entry.place))
        made.answered_by_key.connect(partial(run_command, self._session, "annotate.delete"))
        return made

    def _on_run(self, path: str) -> None:
        self._review.choose_run(next(one for one in self._review.runs if str(one.path) == path))

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the page, what is chosen, and what was said."""
        has_tiles = self._review.run is not None
        self.empty.setVisible(not has_tiles)
        self.models.setVisible(not has_tiles and self._session.slide is not None)
        self._filled.setVisible(has_tiles)
        if has_tiles:
            self._refresh_choices()
            self._refresh_answers()
            self._refresh_page()

    def _refresh_choices(self) -> None:
        review = self._review
        runs = [(one.record.title, str(one.path)) for one in review.runs]
        offer(self.run, runs, str(review.run.path) if review.run else "")
        self.run.setVisible(len(runs) > 1)
        asked = [(_("Asked: {name}").format(name=name), name) for name in review.class_names]
        offer(self.asked, asked, review.class_name)
        orders = [(_("By attention"), "attention"), (_("By evidence"), "evidence")]
        offer(self.order, orders, review.order)

    def _refresh_answers(self) -> None:
        review, tile = self._review, self._review.chosen
        if tile is None:
            self.question.setText(_("Click a tile, or press C."))
            self.said.setText(
                _("Then say whether it shows “{name}”.").format(name=review.class_name)
            )
        else:
            text = _("Does this tile show “{name}”?")
            self.question.setText(text.format(name=review.class_name))
            self.said.setText(self._words(tile))
        for made in (self.agree, self.disagree, self.unsure):
            made.setEnabled(review.can_answer)

    def _refresh_page(self) -> None:
        review = self._review
        most, least = (numbers.tolist() for numbers in review.ends())
        n, n_answered = len(most) + len(least), review.n_answered
        text = _("{answered} of {n} looked at")
        self.progress.setText(text.format(answered=n_answered, n=n))
        self.bar.setRange(0, max(1, n))
        self.bar.setValue(n_answered)
        self.next.setEnabled(n_answered < n)
        page = _("Page {n} of {count}")
        self.page.setText(page.format(n=review.page + 1, count=review.n_pages))
        self.previous_page.setEnabled(review.page > 0)
        self.next_page.setEnabled(review.page < review.n_pages - 1)
        by_attention = review.order == "attention"
        upper = _("Most attended") if by_attention else _("Most for “{name}”")
        lower = _("Least attended") if by_attention else _("Least for “{name}”")
        self.most_title.setText(upper.format(name=review.class_name))
        self.least_title.setText(lower.format(name=review.class_name))
        self._fill(self.most, most)
        self._fill(self.least, least)

    def _fill(self, gallery: TileGallery, tiles: Sequence[int]) -> None:
        chosen = self._review.chosen
        place = tiles.index(chosen) if chosen in tiles else None
        gallery.show_entries([self._entry(tile) for tile in tiles], place)
        gallery.setVisible(bool(tiles))

    def _entry(self, tile: int) -> TileEntry:
        review = self._review
        value = float(review.values[tile])
        return TileEntry(
            review.place(review.rect_l0(tile)),
            f"{value:.2f} ×" if review.order == "attention" else f"{value:.0%}",
            self._words(tile),
            review.answer_of(tile) or "",
        )

    def _words(self, tile: int) -> str:
        """Return all that is known of a tile."""
        review, tiles = self._review, self._review.tiles
        assert tiles is not None
        evidence = tiles.evidence[tile, list(review.class_names).index(review.class_name)]
        said = [
            _("attention {value:.2f} × the average").format(value=tiles.relative_attention[tile]),
            _("evidence of “{name}” {value:.0%}").format(name=review.class_name, value=evidence),
        ]
        said += [f"{one.author}: {ANSWER_WORDS[one.answer]}" for one in review.said_of(tile)]
        return " · ".join(said)


ANSWER_WORDS = {"agree": _("agrees"), "disagree": _("disagrees"), "unsure": _("is unsure")}

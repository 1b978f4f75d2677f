"""The slides of the study: found, ordered, opened, described."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.slide_desk import SLIDE_SORTS
from pathoview.session.study_files import SUFFIX
from pathoview.ui import theme
from pathoview.ui.panels.slide_list import SlideListView
from pathoview.ui.panels.slide_menu import SlideMenu
from pathoview.ui.panels.slide_words import SORT_WORDS
from pathoview.ui.text import count_text
from pathoview.ui.widgets import button, column, icon_button, label, row

_PAUSE_MS = 150
"""After a letter of a search: the next one may follow."""
_MOST_SEEDS = 10_000


class SlidesPanel(QWidget):
    """Follows the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Search"))
        self.search.setAccessibleName(_("Search slides"))
        self.search.setClearButtonEnabled(True)
        self.order = QToolButton()
        self.order.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.order.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.order_menu = QMenu(self)
        self.order_menu.aboutToShow.connect(self._fill_order)
        self.order.setMenu(self.order_menu)
        self.list = SlideListView(session)
        self.menu = SlideMenu(session, self)
        self.count = label("", "small")
        self.count.setWordWrap(False)
        self.add = icon_button("add", _("Add slides…"), self._runner("study.add_slides"))
        text = _("Train on slide labels…")
        self.train = icon_button("teach", text, self._runner("slides.train"))
        self.progress = label("", "small")
        self.stop = button(_("Stop"), session.slides.search.stop)
        self._empty = label("", "muted")
        self.buttons = {
            name: button(text, self._runner(name))
            for name, text in (
                ("study.new", _("New study…")),
                ("study.open", _("Open study…")),
                ("study.keep", _("Keep as study…")),
                ("study.add_slides", _("Add slides…")),
                ("study.add_folder", _("Add a folder…")),
                ("study.add_clips", _("Add a folder of clips…")),
            )
        }
        self._pages = QStackedWidget()
        self._timer = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._lay_out()
        self._connect()
        self.refresh()

        self.setAcceptDrops(True)

    def _runner(self, command_id: str) -> partial[None]:
        return partial(run_command, self._session, command_id)

    def _lay_out(self) -> None:
        head = row(self.search, self.order, spacing=4)
        head.setStretchFactor(self.search, 1)
        foot = row(self.count, 1, self.train, self.add, spacing=4)
        busy = row(self.progress, self.stop)
        busy.setStretchFactor(self.progress, 1)
        listed = column(head, self.list, foot, margin=theme.GRID, spacing=theme.GRID // 2)
        self._pages.addWidget(listed)
        self._pages.addWidget(column(self._empty, *self.buttons.values(), 1, margin=12))
        self._busy = column(busy, margin=theme.GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._busy)

    def _connect(self) -> None:
        slides, session = self._session.slides, self._session
        slides.changed.connect(self.refresh)
        slides.row_changed.connect(self._on_row_changed)
        slides.search.changed.connect(self._on_search)
        session.slide_changed.connect(self._on_slide_changed)
        session.studies.changed.connect(self.refresh)
        self._timer.timeout.connect(self.refresh)
        self.search.textChanged.connect(lambda _text: self._timer.start())
        self.search.returnPressed.connect(self._go_to_list)
        self.list.open_requested.connect(slides.open)
        self.list.remove_requested.connect(lambda: slides.editing.remove(self.list.chosen))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._on_menu)

    # -- what is dropped here ------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders while a study is open; the window takes all others."""
        if self._session.studies.is_named and dropped_slides(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add slides to the study; whether folders of pictures are clips is asked."""
        self._session.slides.search.add_dropped(dropped_slides(event))
        event.acceptProposedAction()

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the slides that are looked for, or what to do when there are none."""
        slides = self._session.slides
        found = slides.found(self.search.text())
        self.list.show_rows(found)
        self._say_count(len(found))
        self.order.setText(_(SORT_WORDS[slides.order.sort]))
        self.order.setAccessibleName(_("Order: {text}").format(text=self.order.text()))
        self.order.setToolTip(self._order_tip())
        self._pages.setCurrentIndex(0 if slides.rows else 1)
        self._say_empty()
        self._on_search()

    def _say_count(self, n_found: int) -> None:
        rows = self._session.slides.rows
        n = len(rows)
        text = ngettext("{n} slide", "{n} slides", n).format(n=count_text(n))
        if n_found < n:
            text = _("{found} of {slides}").format(found=count_text(n_found), slides=text)
        n_reviewed = sum(one.record.is_reviewed for one in rows)
        if n_reviewed:
            text += "  ·  " + _("{n} reviewed").format(n=count_text(n_reviewed))
        if self._session.slides.is_blinded:
            text += "  ·  " + _("blinded")
        self.count.setText(text)

    def _order_tip(self) -> str:
        order = self._session.slides.order
        if order.sort != "random":
            return _("In which order slides are listed, and whether their names are hidden")
        return _("The order drawn with seed {seed}, the same for all").format(seed=order.seed)

    def _say_empty(self) -> None:
        session = self._session
        is_named, is_private = session.studies.is_named, session.study_files.is_private
        if is_named:
            text = _("The study has no slides yet. Add some, or drop them here.")
        elif is_private:
            text = _("What is drawn on this slide is kept. Make it a study to gather several.")
        else:
            text = _("Open a slide, or make a study to gather several.")
        self._empty.setText(text)
        for name, made in self.buttons.items():
            is_adding = name.startswith("study.add_")
            made.setVisible(is_adding == is_named and (name != "study.keep" or is_private))

    def _on_row_changed(self, slide_hash: str) -> None:
        if self.search.text():
            self.refresh()
        else:
            self.list.refresh(slide_hash)
            self._say_count(len(self._session.slides.rows))

    def _on_slide_changed(self) -> None:
        self.list.show_open()
        self._say_empty()

    def _on_search(self) -> None:
        state = self._session.slides.search.state
        self._busy.setVisible(state is not None)
        if state is not None:
            text = _("{title}: {n}").format(title=state.title, n=count_text(state.n_done))
            self.progress.setText(text)

    # -- what is asked for -----------------------------------------------------------------------

    def _go_to_list(self) -> None:
        """Go from the search to what was found."""
        self._timer.stop()
        self.refresh()
        model = self.list.model()
        places = (model.index(place, 0) for place in range(model.rowCount()))
        first = next((index for index in places if index.flags() & _SELECTABLE), None)
        if first is not None:
            self.list.setCurrentIndex(first)
            self.list.setFocus()

    def _fill_order(self) -> None:
        slides, menu = self._session.slides, self.order_menu
        menu.clear()
        group = QActionGroup(menu)
        for sort in SLIDE_SORTS:
            action = self._choice(menu, _(SORT_WORDS[sort]), is_on=slides.order.sort == sort)
            group.addAction(action)
            if sort == "random" and slides.order.sort != "random":
                action.triggered.connect(self._shuffle)
            else:
                action.triggered.connect(partial(_sort, self._session, sort))
        if slides.order.sort == "random":
            menu.addAction(_("Shuffle again")).triggered.connect(self._shuffle)
        menu.addSeparator()
        blinded = self._choice(menu, _("Hide names (blinded)"), is_on=slides.is_blinded)
        blinded.triggered.connect(lambda: self._runner("slides.blinded")())

    @staticmethod
    def _choice(menu: QMenu, text: str, *, is_on: bool) -> QAction:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(is_on)
        return action

    def _shuffle(self) -> None:
        self._session.slides.set_sort("random", random.randrange(1, _MOST_SEEDS))

    def _on_menu(self, place: QPoint) -> None:
        chosen = self.list.chosen
        if chosen:
            self.menu.ask(chosen, self.list.viewport().mapToGlobal(place))


_SELECTABLE = Qt.ItemFlag.ItemIsSelectable


def dropped_slides(event: QDropEvent) -> list[Path]:
    """Return what is dropped, unless there is a study among it."""
    urls = (url for url in event.mimeData().urls() if url.isLocalFile())
    paths = [Path(url.toLocalFile()) for url in urls]
    return [] if any(path.suffix.lower() == SUFFIX for path in paths) else paths


def _sort(session: Session, sort: str, _on: bool = False) -> None:
    session.slides.set_sort(next(one for one in SLIDE_SORTS if one == sort))

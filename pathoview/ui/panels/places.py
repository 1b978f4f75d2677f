"""The Places panel: the bookmarks of the slide, and the walk over its tissue."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.bookmark_list import BookmarkList
from pathoview.ui.panels.screening_box import ScreeningBox
from pathoview.ui.widgets import button, column, icon_button, label, line, row, scrolled

_LEAST_HEIGHT = 128
"""Of the list, px: two bookmarks."""


class PlacesPanel(QWidget):
    """A list of bookmarks with the few buttons that it needs, and the screening below."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.list = BookmarkList(session)
        self.list.setMinimumHeight(_LEAST_HEIGHT)
        self.add = button(_("Bookmark this place"), self._runner("bookmark.add"), "bookmark")
        self.buttons = {
            name: icon_button(icon, _(command(name).title), self._runner(name))
            for name, icon in (
                ("bookmark.previous", "arrow-up"),
                ("bookmark.next", "arrow-down"),
            )
        }
        self.remove = icon_button("trash", _("Remove bookmark"), self.list.remove_current)
        self._empty = label(
            _("Bookmarks keep a place with its zoom and turn. Double-click one to rename it."),
            "muted",
        )
        tools = row(self.add, 1, *self.buttons.values(), self.remove, spacing=0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.screening = ScreeningBox(session)
        parts = (self._empty, self.list, tools, 1, line(), self.screening)
        layout.addWidget(scrolled(column(*parts, margin=theme.GRID + 4)))
        session.places.bookmarks.changed.connect(self.refresh)
        self.list.currentRowChanged.connect(lambda _row: self.refresh())
        self.refresh()

    def _runner(self, command_id: str) -> Callable[[], None]:
        return partial(run_command, self._session, command_id)

    def refresh(self) -> None:
        """Say what can be done now."""
        has_some = bool(self._session.places.bookmarks.all)
        self._empty.setVisible(not has_some)
        self.list.setVisible(has_some)
        self.add.setEnabled(self._session.places.bookmarks.is_ready)
        for made in self.buttons.values():
            made.setEnabled(has_some)
        self.remove.setEnabled(self.list.currentRow() >= 0)

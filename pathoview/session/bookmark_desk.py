"""The bookmarks of the open slide: set, found again, named and taken away, each to be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from pathoview.core.translation import _
from pathoview.study.bookmarks import Bookmark as Bookmark
from pathoview.study.bookmarks import SlideBookmarks
from pathoview.study.step import RecordChange

if TYPE_CHECKING:
    from pathoview.session.session import Session

Bookmarks = tuple[Bookmark, ...]


class BookmarkDesk:
    """In the order in which they were set. All methods are called on the session's thread."""

    changed = Signal()
    """The list, or which of them one went to last."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._all: Bookmarks = ()
        self._current: int | None = None
        session.studies.changed.connect(self._take)
        session.studies.records_changed.connect(self._on_records_changed)
        session.slide_changed.connect(self._take)

    @property
    def is_ready(self) -> bool:
        """Those of the open slide have been read."""
        return self._session.studies.book is not None

    @property
    def all(self) -> Bookmarks:
        return self._all

    @property
    def current(self) -> int | None:
        """Index of the one that was set or gone to last."""
        return self._current

    # -- what a person does ----------------------------------------------------------------------

    def add(self, name: str = "") -> None:
        """Set a bookmark on what is seen now."""
        if not self.is_ready:
            return
        viewport = self._session.viewport
        bookmark = Bookmark(
            name=name.strip() or self._free_name(),
            x_l0=viewport.center_l0[0],
            y_l0=viewport.center_l0[1],
            scale=viewport.scale,
            rotation=viewport.rotation,
            is_flipped=viewport.is_flipped,
        )
        self._do(_("Bookmark {name}").format(name=bookmark.name), (*self._all, bookmark))
        self._set_current(len(self._all) - 1)

    def go(self, index: int) -> None:
        """Look at the place of a bookmark as it was seen."""
        bookmark = self._all[index]
        viewport = self._session.viewport
        viewport.set_turn(bookmark.rotation, bookmark.is_flipped)
        viewport.look_at(bookmark.x_l0, bookmark.y_l0, bookmark.scale)
        self._set_current(index)

    def go_next(self, step: int) -> None:
        """Go to the next bookmark (``step`` 1) or the one before (-1), round and round."""
        if self._all:
            start = -1 if step > 0 else 0
            current = start if self._current is None else self._current
            self.go((current + step) % len(self._all))

    def rename(self, index: int, name: str) -> None:
        """Call a bookmark something else; an empty name changes nothing."""
        before, name = self._all[index], name.strip()
        if name and name != before.name:
            renamed = before.model_copy(update={"name": name})
            self._do(
                _("Rename {name}").format(name=before.name),
                (*self._all[:index], renamed, *self._all[index + 1 :]),
            )

    def remove(self, index: int) -> None:
        """Take a bookmark away."""
        self._do(
            _("Remove {name}").format(name=self._all[index].name),
            (*self._all[:index], *self._all[index + 1 :]),
        )

    def _free_name(self) -> str:
        taken = {bookmark.name for bookmark in self._all}
        numbered = (_("Place {n}").format(n=n) for n in range(1, len(taken) + 2))
        return next(name for name in numbered if name not in taken)

    def _do(self, name: str, bookmarks: Bookmarks) -> None:
        book = self._session.studies.book
        if book is None:
            return
        before = self._kept()
        after = SlideBookmarks(slide_hash=book.slide_hash, bookmarks=bookmarks)
        self._session.studies.do(name, records=[RecordChange.of(before, after)])

    def _kept(self) -> SlideBookmarks | None:
        studies = self._session.studies
        if studies.book is None:
            return None
        return studies.records.get(SlideBookmarks, studies.book.slide_hash)

    def _set_current(self, index: int) -> None:
        self._current = index
        self.changed.emit()

    # -- the study -------------------------------------------------------------------------------

    def _on_records_changed(self, kind: str) -> None:
        if kind == SlideBookmarks.kind:
            self._take()

    def _take(self) -> None:
        """Show the bookmarks as they are kept now."""
        kept = self._kept()
        bookmarks = () if kept is None else kept.bookmarks
        if bookmarks == self._all and bookmarks:
            return
        self._all = bookmarks
        if self._current is not None and self._current >= len(bookmarks):
            self._current = len(bookmarks) - 1 if bookmarks else None
        self.changed.emit()

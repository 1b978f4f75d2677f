"""The bookmarks of the open slide: set, found again, named and taken away, each to be undone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from pathoview.core.translation import _
from pathoview.core.undo import Step
from pathoview.session.notices import from_error
from pathoview.study.bookmarks import Bookmark as Bookmark
from pathoview.study.bookmarks import keep_bookmarks, kept_bookmarks

if TYPE_CHECKING:
    from pathoview.session.keeper import Keeper
    from pathoview.session.session import Session
    from pathoview.slides.slide import Slide

Bookmarks = tuple[Bookmark, ...]


class BookmarkDesk:
    """In the order in which they were set. All methods are called on the session's thread."""

    changed = Signal()
    """The list, or which of them one went to last."""

    def __init__(self, session: Session, keeper: Keeper) -> None:
        self._session = session
        self._keeper = keeper
        self._slide: Slide | None = None
        self._all: Bookmarks = ()
        self._current: int | None = None
        self.is_ready = False
        """Those of the open slide have been read."""
        session.slide_changed.connect(self._on_slide_changed)

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
        self._session.history.do(
            Step(name, partial(self._set, bookmarks), partial(self._set, self._all))
        )

    def _set(self, bookmarks: Bookmarks) -> None:
        if self._slide is None:
            return
        self._all = bookmarks
        if self._current is not None and self._current >= len(bookmarks):
            self._current = len(bookmarks) - 1 if bookmarks else None
        slide_hash = self._slide.content_hash
        self._keeper.keep(f"bookmarks {slide_hash}", partial(keep_bookmarks, slide_hash, bookmarks))
        self.changed.emit()

    def _set_current(self, index: int) -> None:
        self._current = index
        self.changed.emit()

    # -- the slide -------------------------------------------------------------------------------

    def _on_slide_changed(self) -> None:
        slide = self._session.slide
        if slide is self._slide:
            return
        self._slide, self._all, self._current, self.is_ready = slide, (), None, False
        self.changed.emit()
        if slide is not None:
            self._session.scheduler.submit(
                partial(kept_bookmarks, slide.content_hash), partial(self._on_read, slide)
            )

    def _on_read(
        self, slide: Slide, bookmarks: Bookmarks | None, error: BaseException | None
    ) -> None:
        if slide is not self._slide:
            return
        if bookmarks is None:  # nothing is set either, lest it be written over them
            if error is not None:
                self._session.notice.emit(from_error(error))
            return
        self._all, self.is_ready = bookmarks, True
        self.changed.emit()

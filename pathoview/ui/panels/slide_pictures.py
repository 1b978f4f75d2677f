"""Pictures of the listed slides: made off the window's thread, those that are seen now first."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap

from pathoview.layers.source import Rgba
from pathoview.session.session import Session
from pathoview.session.slide_desk import SlideRow
from pathoview.session.slide_pictures import slide_picture
from pathoview.ui.panels.thumbnails import SHARPNESS, sharp_pixmap

SIDE_PX = 44
"""Longer side of a picture in the list of slides, px."""
_MOST_KEPT = 500
_MOST_WISHED = 30
"""Rows that were scrolled past are forgotten."""


class SlidePictures(QObject):
    """One is made at a time, the last that was asked for."""

    arrived = Signal(str)
    """(hash of the slide)"""

    def __init__(self, session: Session, parent: QObject, side_px: int = SIDE_PX) -> None:
        """``side_px``: longer side of a picture in the window."""
        super().__init__(parent)
        self._session, self._side_px = session, side_px
        self._made: OrderedDict[str, QPixmap | None] = OrderedDict()
        """By hash, those used last at the end; None: it cannot be made."""
        self._wished: OrderedDict[str, Path] = OrderedDict()
        self._in_work = ""

    def of(self, row: SlideRow) -> QPixmap | None:
        """Return a slide's picture; None: it is not there, or not yet."""
        key = row.slide_hash
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        if row.record.path and not row.facts.is_missing and key != self._in_work:
            self._wished[key] = Path(row.record.path)
            self._wished.move_to_end(key)
            if len(self._wished) > _MOST_WISHED:
                self._wished.popitem(last=False)
            self._work()
        return None

    def forget(self, slide_hash: str) -> None:
        """Try again to make a picture that could not be made: the slide lies elsewhere now."""
        if self._made.get(slide_hash) is None:
            self._made.pop(slide_hash, None)

    def _work(self) -> None:
        if not self._in_work and self._wished:
            self._in_work, path = self._wished.popitem()
            self._session.scheduler.submit(
                partial(slide_picture, path, self._side_px * SHARPNESS),
                partial(self._on_made, self._in_work),
            )

    def _on_made(self, key: str, pixels: Rgba | None, _error: BaseException | None) -> None:
        self._in_work = ""
        self._made[key] = None if pixels is None else sharp_pixmap(pixels)
        while len(self._made) > _MOST_KEPT:
            self._made.popitem(last=False)
        self.arrived.emit(key)
        self._work()

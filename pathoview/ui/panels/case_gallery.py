"""Whole slides as pictures, with how like they are to one, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.gallery import (
    CAPTION_PX,
    CellDelegate,
    Entry,
    Gallery,
    draw_line,
    draw_ring,
    line_below,
)
from pathoview.ui.panels.slide_pictures import SlidePictures

BOX = QSize(128, 100)
"""Room for a picture, px; it is fitted into that."""
_CELL = QSize(BOX.width() + theme.GRID, BOX.height() + 2 * CAPTION_PX + 2 * theme.GRID)
_DOT_PX = 8


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """One case of a gallery."""

    slide_hash: str
    similarity: float
    """0 to 1"""
    state: str
    """What is said of it; empty: nothing."""
    color: tuple[int, int, int] | None
    """Of the state; None: it has none."""
    words: str


class CaseGallery(Gallery):
    """A gallery of `CaseEntry`; their slides are those of the study."""

    arrows_choose = False  # it opens a slide

    def __init__(self, name: str, session: Session, pictures: SlidePictures) -> None:
        super().__init__(name, _CELL, _CaseDelegate(session, pictures))
        pictures.arrived.connect(self._on_picture)

    def _on_picture(self, slide_hash: str) -> None:
        if any(one.slide_hash == slide_hash for one in self.entries):
            self.viewport().update()


class _CaseDelegate(CellDelegate):
    """Draws a slide fitted into its box, its likeness, and its state with a dot of its colour."""

    def __init__(self, session: Session, pictures: SlidePictures) -> None:
        super().__init__()
        self._session, self._pictures = session, pictures

    def draw(self, painter: QPainter, cell: QRect, entry: Entry, *, is_chosen: bool) -> None:
        """Draw a case into its cell."""
        assert isinstance(entry, CaseEntry)
        left = cell.left() + (cell.width() - BOX.width()) // 2
        box = QRect(QPoint(left, cell.top() + theme.GRID // 2), BOX)
        colors = theme.current()
        row = self._session.slides.row(entry.slide_hash)
        picture = None if row is None else self._pictures.of(row)
        place = box if picture is None else fitted(picture.size(), box)
        if picture is None:
            painter.fillRect(place, QColor(colors.raised))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, picture)
        if is_chosen:
            draw_ring(painter, place)
        painter.setPen(QColor(colors.text))
        draw_line(painter, line_below(cell, box, 0), f"{entry.similarity:.2f}")
        painter.setPen(QColor(colors.muted))
        _draw_state(painter, line_below(cell, box, 1), entry)


def fitted(size: QSize, box: QRect) -> QRect:
    """Return where a picture of a size lies in the middle of a box, as large as fits."""
    place = QRect(QPoint(0, 0), size.scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio))
    place.moveCenter(box.center())
    return place


def _draw_state(painter: QPainter, place: QRect, entry: CaseEntry) -> None:
    if entry.color is None:
        draw_line(painter, place, entry.state or _("no label"))
        return
    step = _DOT_PX + theme.GRID // 2
    width = min(painter.fontMetrics().horizontalAdvance(entry.state), place.width() - step)
    left = place.left() + (place.width() - width - step) // 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = place.top() + painter.fontMetrics().height() // 2
    pen = painter.pen()
    painter.setPen(QPen(QColor(theme.current().faint), 1))
    painter.setBrush(QColor(*entry.color))
    painter.drawEllipse(QRect(left, middle - _DOT_PX // 2, _DOT_PX, _DOT_PX))
    painter.setPen(pen)
    draw_line(painter, QRect(left + step, place.top(), width + 1, place.height()), entry.state)

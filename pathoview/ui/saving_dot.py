"""The dot in the status bar: everything is on disk, on its way there, or cannot get there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QToolButton

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.icons import Tint

_PATIENCE_MS = 300
"""A gesture is on disk within a tenth of a second: only what takes longer is shown."""
_DOT_PX = 8
_LONGEST_PX = 420


class SavingDot(QToolButton):
    """Follows the session; a click offers what can be done when the disk refuses."""

    def __init__(self, session: Session, run: Callable[[str], object]) -> None:
        """``run`` does a command by its id."""
        super().__init__()
        self._session = session
        self._tint: Tint = "success"
        self._words = ""
        self.menu_of_ways = QMenu(self)
        for text, command_id in (
            (_("Try again"), "study.save_now"),
            (_("Save a copy elsewhere…"), "study.save_elsewhere"),
        ):
            action = self.menu_of_ways.addAction(text)
            action.triggered.connect(lambda _on=False, name=command_id: run(name))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._timer = QTimer(self, interval=_PATIENCE_MS, singleShot=True)
        self._timer.timeout.connect(self.refresh)
        session.studies.saving_changed.connect(self._on_saving_changed)
        session.studies.changed.connect(self.refresh)
        session.study_files.work.changed.connect(self.refresh)
        self.refresh()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words

    def _on_saving_changed(self) -> None:
        studies = self._session.studies
        if studies.n_unsaved and studies.error is None:
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()
            self.refresh()

    def refresh(self) -> None:
        """Say how it is now."""
        studies = self._session.studies
        self._words, self._tint = self._state()
        has_failed = studies.error is not None and studies.n_unsaved > 0
        self.setMenu(self.menu_of_ways if has_failed else None)  # type: ignore[arg-type]
        focus = Qt.FocusPolicy.StrongFocus if has_failed else Qt.FocusPolicy.NoFocus
        self.setFocusPolicy(focus)
        self.setToolTip(self._tip())
        self.setAccessibleName(self._words)
        self.setVisible(bool(self._words))
        self.updateGeometry()
        self.update()

    def _state(self) -> tuple[str, Tint]:
        studies, busy_text = self._session.studies, self._session.study_files.work.busy_text
        n, study = studies.n_unsaved, studies.study
        if busy_text:
            return f"{busy_text}…", "accent"
        if n and studies.error is not None:
            return _("{n} not saved: {why}").format(n=n, why=studies.error), "error"
        if n:
            return ngettext("Saving {n}…", "Saving {n}…", n).format(n=n), "accent"
        if study is None:
            return "", "faint"
        return (_("Only read"), "warning") if study.is_read_only else (_("Saved"), "success")

    def _tip(self) -> str:
        error = self._session.studies.error
        if error is not None:
            return error.full_text
        name = self._session.study_files.name
        if name:
            return _("Everything is kept in the study “{name}” at once").format(name=name)
        return _("Everything is kept at once")

    def sizeHint(self) -> QSize:
        """Room for the dot and the words."""
        width = QFontMetrics(self.font()).horizontalAdvance(self._words)
        text_px = min(width, _LONGEST_PX)
        return QSize(_DOT_PX + 3 * theme.GRID + text_px, self.fontMetrics().height() + theme.GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dot, and the words as far as there is room."""
        colors = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.hasFocus() or self.underMouse():
                painter.setPen(QColor(colors.accent if self.hasFocus() else colors.line))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(getattr(colors, self._tint)))
            top = (self.height() - _DOT_PX) / 2
            painter.drawEllipse(QRectF(theme.GRID, top, _DOT_PX, _DOT_PX))
            is_bad = self._tint == "error"
            painter.setPen(QColor(colors.text if is_bad else colors.muted))
            place = self.rect().adjusted(_DOT_PX + 2 * theme.GRID - 2, 0, -theme.GRID // 2, 0)
            text = painter.fontMetrics().elidedText(
                self._words, Qt.TextElideMode.ElideRight, place.width()
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)

"""The statement shown once, at the first start; it waits calmly and blocks nothing."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.session.settings import Settings
from pathoview.ui import theme
from pathoview.ui.widgets import Sign, button, column, label, row

_WIDEST_PX = 90 * theme.GRID
_MARGIN_PX = 2 * theme.GRID


class ResearchUseSheet(QFrame):
    """Lies over the lower edge of its parent until it is accepted, which is remembered."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = parent
        self._settings = settings
        self.setProperty("role", "card")
        sign = Sign("info", "accent")
        words = column(
            label(_("For research use only"), "heading"),
            label(RESEARCH_USE),
            spacing=theme.GRID // 2,
        )
        self.accept_button = button(_("I understand"), self.accept, primary=True)
        line = row(sign, words, self.accept_button, spacing=_MARGIN_PX)
        line.setStretchFactor(words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN_PX, theme.GRID, _MARGIN_PX, theme.GRID)
        layout.addLayout(line)
        self.setAccessibleName(RESEARCH_USE)
        parent.installEventFilter(self)

    def accept(self) -> None:
        """Remember and go."""
        self._settings.accepted_research_use = True
        self._settings.save()
        self.hide()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the lower edge of the parent."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            QTimer.singleShot(0, self, self._place)
        return False

    def _place(self) -> None:
        parent = self._below
        width = min(parent.width() - 2 * _MARGIN_PX, _WIDEST_PX)
        height = self.heightForWidth(width)
        left, top = (parent.width() - width) // 2, parent.height() - height - _MARGIN_PX
        self.setGeometry(left, top, width, height)
        self.raise_()

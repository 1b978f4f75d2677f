"""The statement shown once, at the first start; it waits calmly and blocks nothing."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.session.settings import Settings
from pathoview.ui import icons, theme
from pathoview.ui.widgets import button, column, label, row


class ResearchUseSheet(QFrame):
    """Lies over the lower edge of its parent until it is accepted, which is remembered."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setProperty("role", "card")
        self.setAutoFillBackground(True)
        sign = label()
        sign.setPixmap(icons.pixmap("info", theme.ACCENT, icons.SIZE))
        sign.setFixedWidth(icons.SIZE)
        text = column(label(_("For research use only"), "heading"), label(RESEARCH_USE), spacing=4)
        self.accept_button = button(_("I understand"), self.accept, primary=True)
        line = row(sign, text, self.accept_button, spacing=2 * theme.GRID)
        line.setStretchFactor(text, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID)
        layout.addLayout(line)
        self.setAccessibleName(RESEARCH_USE)

    def accept(self) -> None:
        """Remember and go."""
        self._settings.accepted_research_use = True
        self._settings.save()
        self.hide()
        self.deleteLater()

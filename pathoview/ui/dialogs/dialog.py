"""What all dialogs share: they do not block, and go away for good when closed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.ui import theme
from pathoview.ui.widgets import button, order_tabs, row


class Dialog(QDialog):
    """A titled window with a body above and buttons below right."""

    def __init__(self, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.body = QVBoxLayout()
        self.body.setSpacing(theme.GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(3 * theme.GRID,) * 4)
        layout.setSpacing(2 * theme.GRID)
        layout.addLayout(self.body, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.GRID)
        layout.addLayout(self._buttons)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Have Tab lead from the top to the bottom, whatever was made first."""
        order_tabs(self)
        return super().focusNextPrevChild(is_next)

    def add_buttons(self, *buttons: QWidget | int) -> None:
        """Add buttons below; a number is a stretch."""
        self._buttons.addLayout(row(*buttons))

    def add_close(self) -> None:
        close = button(_("Close"), self.close)
        close.setDefault(True)
        close.setFocus()
        self.add_buttons(1, close)

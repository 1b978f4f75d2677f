"""What all controls of layers have in common."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.ui import theme


class Controls(QWidget):
    """Shows how one layer looks, and changes it. Subclasses fill `box` and say `refresh`."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(theme.GRID)

    def refresh(self) -> None:
        """Show the layer as it is now."""
        raise NotImplementedError

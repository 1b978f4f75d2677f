"""What an empty canvas says: drop a slide here, or open the demo; and the three steps."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.ui import theme
from pathoview.ui.widgets import Sign

_ICON_PX = 28
_STEP_WIDTH = 152
_BUTTON_HEIGHT = 4 * theme.GRID


class Welcome(QWidget):
    """Shown while no slide is open."""

    command = Signal(str)
    """(id): a command was asked for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(_("No slide is open"))
        self.setProperty("role", "welcome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = QLabel(_("Drop a slide here, or open the demo"))
        self._title.setProperty("role", "title")
        self._title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.open_button = self._button(_("Open…"), "file.open", _("Choose a slide file"))
        self.demo_button = self._button(
            _("Open the demo"), "file.demo", _("A small slide that comes with the program")
        )
        self.demo_button.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setSpacing(3 * theme.GRID)
        column.addStretch(3)
        column.addWidget(self._title)
        column.addLayout(self._buttons())
        column.addSpacing(3 * theme.GRID)
        column.addLayout(_steps())
        column.addStretch(4)

    def set_opening(self, is_opening: bool) -> None:
        """Say that a slide is being opened."""
        text = _("Opening the slide…") if is_opening else _("Drop a slide here, or open the demo")
        self._title.setText(text)
        for button in (self.open_button, self.demo_button):
            button.setEnabled(not is_opening)

    def _button(self, text: str, command_id: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(hint)
        button.setFixedHeight(_BUTTON_HEIGHT)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.command.emit(command_id))
        return button

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.GRID)
        row.addStretch()
        row.addWidget(self.open_button)
        row.addWidget(self.demo_button)
        row.addStretch()
        return row


def _steps() -> QHBoxLayout:
    steps = (
        ("slide", _("1  Open"), _("Whole slides of any vendor, OME-TIFF, plain pictures")),
        ("analyze", _("2  Analyze"), _("Nuclei appear while you look around")),
        ("export", _("3  Export"), _("GeoJSON in QuPath’s dialect")),
    )
    row = QHBoxLayout()
    row.setSpacing(4 * theme.GRID)
    row.addStretch()
    for icon_name, title, text in steps:
        row.addLayout(_step(icon_name, title, text))
    row.addStretch()
    return row


def _step(icon_name: str, title: str, text: str) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(theme.GRID // 2)
    picture, heading, body = Sign(icon_name, "accent", _ICON_PX), QLabel(title), QLabel(text)
    heading.setProperty("role", "heading")
    body.setProperty("role", "muted")
    body.setWordWrap(True)
    column.addWidget(picture, 0, Qt.AlignmentFlag.AlignHCenter)
    for label in (heading, body):
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        label.setFixedWidth(_STEP_WIDTH)
        column.addWidget(label)
    column.addStretch()
    return column

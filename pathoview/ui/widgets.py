"""The few small pieces that all panels are put together from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QListWidget,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pathoview.ui import icons, theme


def column(*parts: QWidget | QLayout | int, margin: int = 0, spacing: int = theme.GRID) -> QWidget:
    """Return a widget of parts from top to bottom; a number is a stretch."""
    box = QWidget()
    _fill(QVBoxLayout(box), parts, margin, spacing)
    return box


def row(*parts: QWidget | QLayout | int, spacing: int = theme.GRID) -> QHBoxLayout:
    """Return a layout of parts from left to right; a number is a stretch."""
    layout = QHBoxLayout()
    _fill(layout, parts, 0, spacing)
    return layout


def card(*parts: QWidget | QLayout | int) -> QFrame:
    """Return a raised frame of parts from top to bottom."""
    frame = QFrame()
    frame.setProperty("role", "card")
    _fill(QVBoxLayout(frame), parts, theme.GRID + theme.GRID // 2, theme.GRID)
    return frame


def _fill(
    layout: QBoxLayout, parts: tuple[QWidget | QLayout | int, ...], margin: int, spacing: int
) -> None:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            layout.addStretch(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)


def label(text: str = "", role: str = "", *, selectable: bool = False) -> QLabel:
    """Return a wrapped text; roles: ``heading muted small figure title warning``."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    if role:
        made.setProperty("role", role)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made


class ElidedLabel(QLabel):
    """One line that gives way: its end becomes … where there is no room, the tip has it all."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__()
        self._whole = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits."""
        self._elide()

    def _elide(self) -> None:
        self.setText(
            self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        )


class Sign(QWidget):
    """An icon that is only looked at."""

    def __init__(
        self, icon: str = "", tint: icons.Tint = "text", side_px: int = icons.SIZE
    ) -> None:
        super().__init__()
        self._icon = icon
        self._tint: icons.Tint = tint
        self.setFixedSize(side_px, side_px)

    def show_icon(self, icon: str, tint: icons.Tint) -> None:
        """Take another icon."""
        self._icon, self._tint = icon, tint
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it in the colours of the moment."""
        if self._icon:
            with QPainter(self) as painter:
                icons.icon(self._icon, self._tint).paint(painter, self.rect())


def line() -> QFrame:
    """Return a thin horizontal line."""
    made = QFrame()
    made.setProperty("role", "line")
    made.setFixedHeight(1)
    return made


def button(
    text: str, on_click: Callable[[], object], icon: str = "", *, primary: bool = False
) -> QPushButton:
    """Return a button with a text; one primary button a panel."""
    made = QPushButton(text)
    if icon:
        made.setIcon(icons.icon(icon, "on_accent" if primary else "text"))
    made.setProperty("primary", primary)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: on_click())
    return made


def icon_button(icon: str, text: str, on_click: Callable[[], object] | None = None) -> QToolButton:
    """Return a button that shows an icon; its text is the tool tip and accessible name."""
    made = QToolButton()
    made.setIcon(icons.icon(icon))
    made.setIconSize(QSize(16, 16))
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    name_icon_button(made, text)
    if on_click is not None:
        made.clicked.connect(lambda: on_click())
    return made


def eye_button(text: str) -> QToolButton:
    """Return a switch whose sign is an open or a closed eye."""
    made = icon_button("eye", text)
    made.setCheckable(True)
    made.setProperty("quiet", True)
    made.toggled.connect(lambda on: made.setIcon(icons.icon("eye" if on else "eye-off")))
    made.setIcon(icons.icon("eye-off"))
    return made


def name_icon_button(widget: QToolButton, text: str) -> None:
    """Give a button that shows only an icon its text."""
    widget.setText(text)
    widget.setToolTip(text)
    widget.setAccessibleName(text)


def shrinkable(box: QComboBox) -> QComboBox:
    """Have a combo box take the room there is, however long its entries are."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def roomy(box: QAbstractSpinBox) -> None:
    """Keep a number off the frame of its box; a style sheet cannot."""
    box.lineEdit().setTextMargins(theme.GRID // 2, 0, 0, 0)


def narrow(box: QAbstractSpinBox) -> None:
    """Have a number take the room there is, however many digits its bounds have."""
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(9 * theme.GRID)


def scrolled(content: QWidget) -> QScrollArea:
    """Return a vertical scroll area around a panel's content."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    content.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
    return area


def order_tabs(root: QWidget) -> None:
    """Have Tab lead through all that is shown, line by line and from left to right."""
    stops = [
        widget
        for widget in root.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.isVisibleTo(root)
    ]
    places = {stop: stop.mapTo(root, stop.rect().center()) for stop in stops}
    ordered: list[QWidget] = []
    while stops:
        top = min(places[stop].y() for stop in stops)
        in_line = [stop for stop in stops if places[stop].y() <= top + theme.GRID]
        ordered += sorted(in_line, key=lambda stop: places[stop].x())
        stops = [stop for stop in stops if stop not in in_line]
    for before, after in pairwise(ordered):
        QWidget.setTabOrder(before, after)


def clear_layout(layout: QLayout) -> None:
    """Take everything out of a layout and let it go."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def fit_to_rows(listed: QListWidget, most: int) -> None:
    """Make a list as high as its rows, which are alike, but no higher than ``most`` of them."""
    listed.ensurePolished()
    n_shown = min(max(listed.count(), 1), most)
    listed.setFixedHeight(n_shown * max(0, listed.sizeHintForRow(0)) + 2 * listed.frameWidth())

"""The class that is drawn, options and the tools, in a strip beside the canvas."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QColor, QIcon
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QToolBar, QToolButton, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import COMMANDS
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.actions import Actions
from pathoview.ui.tool_options import ToolOptions
from pathoview.ui.widgets import icon_button

_APART = frozenset({"tool.move", "tool.rectangle", "tool.brush", "tool.points", "tool.region"})
"""Tools that have a line above them."""


class ToolStrip(QToolBar):
    """Every tool of the menu, in its order."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget) -> None:
        super().__init__(_("Drawing tools"), parent)
        self.setObjectName("tool_strip")
        self.setMovable(False)
        self.setOrientation(Qt.Orientation.Vertical)
        self.setIconSize(QSize(icons.SIZE, icons.SIZE))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._session = session
        self.class_button = ClassButton(session)
        self.addWidget(self.class_button)
        self.options = ToolOptions(session, self)
        self.options_button = icon_button("options", _("Options of the tool"), self._show_options)
        self.options_button.setIconSize(self.iconSize())
        self.addWidget(self.options_button)
        for command in COMMANDS:
            if command.id.startswith("tool.") and command.menu == "Annotate":
                if command.id in _APART:
                    self.addSeparator()
                self._add(actions[command.id])
        more = self.findChild(QToolButton, "qt_toolbar_ext_button")
        if isinstance(more, QToolButton):  # in a low window
            more.setIcon(icons.icon("chevron-down"))
            more.setAccessibleName(_("More tools"))
        session.tool_changed.connect(self._refresh)
        session.slide_changed.connect(self._refresh)
        self._refresh()
        self.ensurePolished()
        # Its layout asks for the style sheet's spacing only when the style changes.
        QApplication.sendEvent(self, QEvent(QEvent.Type.StyleChange))

    def _add(self, action: QAction) -> None:
        self.addAction(action)
        button = self.widgetForAction(action)
        if isinstance(button, QToolButton):
            button.setAccessibleName(action.text())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _refresh(self) -> None:
        self.options_button.setEnabled(self._session.slide is not None and bool(self.options.names))

    def _show_options(self) -> None:
        button = self.options_button
        self.options.open_at(button.mapToGlobal(QPoint(button.width() + theme.GRID, 0)))


def beside(strip: ToolStrip, views: QWidget) -> QWidget:
    """Return the strip and the canvases, side by side between the docks."""
    both = QWidget()
    layout = QHBoxLayout(both)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(strip)
    layout.addWidget(views, 1)
    return both


class ClassButton(QToolButton):
    """Shows the class that new annotations get, and lets one choose another."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setProperty("bare", True)
        self.setIconSize(QSize(icons.SIZE, icons.SIZE))
        self._menu.aboutToShow.connect(self._fill)
        session.annotations.class_changed.connect(self._refresh)
        session.annotations.changed.connect(self._on_annotations_changed)
        session.slide_changed.connect(self._refresh)
        self._refresh()

    def _on_annotations_changed(self, change: object) -> None:
        if change is None:  # another study, perhaps
            self._refresh()

    def _refresh(self) -> None:
        chosen = self._session.annotations.drawing_class
        self.setEnabled(self._session.slide is not None)
        self.setIcon(icons.icon("no-class") if chosen is None else _swatch(chosen.color))
        text = _("No class") if chosen is None else chosen.name
        self.setToolTip(_("Class of what is drawn: {name}").format(name=text))
        self.setAccessibleName(self.toolTip())

    def _fill(self) -> None:
        self._menu.clear()
        annotations, group = self._session.annotations, QActionGroup(self._menu)
        chosen = annotations.drawing_class
        current = 0 if chosen is None else chosen.number
        entries = [(0, _("No class"), icons.icon("no-class"))]
        entries += [(one.number, one.name, _swatch(one.color)) for one in annotations.classes]
        for number, name, icon in entries:
            action = self._menu.addAction(icon, name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(number == current)
            action.triggered.connect(lambda _on=False, n=number: annotations.choose_class(n))
            group.addAction(action)


def _swatch(color: tuple[int, int, int]) -> QIcon:
    return icons.swatch(QColor(*color))

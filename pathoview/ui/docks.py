"""The panels around the canvas: where they are, which are seen, and how they are brought back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from PySide6.QtCore import QByteArray, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget
from shiboken6 import isValid

from pathoview.core.translation import _
from pathoview.session.settings import Settings
from pathoview.ui.widgets import order_tabs

_SIZE = (1440, 900)
_LEFT_PX, _RIGHT_PX = 240, 340
_HEIGHTS_PX = (420, 420)
_BOTTOM_PX = 240
_NARROWEST_PX = {"left": 200, "right": 280, "bottom": 280}
_LAYOUT_VERSION = 2
_Side = Literal["left", "right", "bottom"]
_AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
_SHOWN_LATER = ("objects", "timeline")
"""Panels that are opened when they are wanted."""


class Docks(Mapping[str, QDockWidget]):
    """The docks of a window by name, in groups of tabs around the canvas unless they are moved."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._by_name: dict[str, QDockWidget] = {}
        self._groups: dict[_Side, list[tuple[str, ...]]] = {}
        self._hidden: list[QDockWidget] = []
        window.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
        )
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def __getitem__(self, name: str) -> QDockWidget:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def fill(self, side: _Side, *groups: tuple[tuple[str, str, QWidget], ...]) -> None:
        """Make a dock of each (name, title, panel); those of a group share a place as tabs.

        Call `arrange` when all sides are filled.
        """
        self._groups[side] = [tuple(name for name, _title, _panel in group) for group in groups]
        for name, title, panel in (entry for group in groups for entry in group):
            dock = _Dock(title, self._window)
            dock.setObjectName(name)
            dock.setWidget(panel)
            dock.setMinimumWidth(_NARROWEST_PX[side])
            for changed in (dock.visibilityChanged, dock.topLevelChanged):
                changed.connect(self._refresh_titles)
            self._by_name[name] = dock

    def arrange(self) -> None:
        """Put all panels where they are at the first start."""
        window = self._window
        for dock in self.values():
            dock.setFloating(False)
            window.removeDockWidget(dock)
        for side, groups in self._groups.items():
            self._arrange_side(side, groups)
        firsts = [self[group[0]] for group in self._groups["right"]]
        lefts = [self[group[0]] for group in self._groups["left"]]
        sides = [*lefts[:1], *firsts[:1]]
        window.resizeDocks(sides, [_LEFT_PX, _RIGHT_PX], Qt.Orientation.Horizontal)
        for column in (lefts, firsts):
            window.resizeDocks(column, list(_HEIGHTS_PX), Qt.Orientation.Vertical)
        later = [self[name] for name in _SHOWN_LATER]
        window.resizeDocks(later, [_BOTTOM_PX] * len(later), Qt.Orientation.Vertical)
        for dock in later:
            dock.hide()
        self._hidden = []

    def _arrange_side(self, side: _Side, groups: list[tuple[str, ...]]) -> None:
        for group in groups:
            self._window.addDockWidget(_AREAS[side], self[group[0]])
            for name in group[1:]:
                self._window.tabifyDockWidget(self[group[0]], self[name])
        for group in groups:
            for name in group:
                self[name].show()
            self[group[0]].raise_()

    def bring_front(self, name: str) -> None:
        """Show a panel, wherever it is."""
        self[name].show()
        self[name].raise_()

    def raise_if_shown(self, name: str) -> None:
        """Bring a panel before its tabs, unless the person has closed it."""
        if not self[name].isHidden():
            self[name].raise_()

    def is_seen(self, name: str) -> bool:
        """Whether a panel is shown and not behind another tab."""
        return not self[name].widget().visibleRegion().isEmpty()

    @property
    def shown(self) -> list[QDockWidget]:
        """Those that are open, be it behind a tab."""
        return [dock for dock in self.values() if not dock.isHidden()]

    def toggle_all(self) -> bool:
        """Hide all panels, or show those again that were hidden so; whether there are any now."""
        shown = self.shown
        for dock in shown or self._hidden or self.values():
            dock.setVisible(not shown)
        self._hidden = shown
        return not shown

    def restore(self, settings: Settings) -> None:
        """Take up the places of the last time, on the screen there is now.

        What cannot be read is left out.
        """
        window = self._window
        window.resize(*_SIZE)
        window.restoreGeometry(QByteArray.fromBase64(settings.window_geometry.encode()))
        window.restoreState(QByteArray.fromBase64(settings.window_state.encode()), _LAYOUT_VERSION)
        for widget in (window, *(dock for dock in self.values() if dock.isFloating())):
            bring_onto_screen(widget)

    def save(self, settings: Settings) -> None:
        """Keep the places for the next time."""
        settings.window_geometry = _text(self._window.saveGeometry())
        settings.window_state = _text(self._window.saveState(_LAYOUT_VERSION))
        settings.save()

    def _refresh_titles(self) -> None:
        """Leave out the title of a panel whose tab says it already, and name the tabs."""
        if not isValid(self._window):
            return  # docks still speak when the window has gone
        for bar in self._window.findChildren(
            QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly
        ):
            bar.setAccessibleName(_("Panels"))
        for dock in self.values():
            is_tab = bool(self._window.tabifiedDockWidgets(dock)) and not dock.isFloating()
            if is_tab == (dock.titleBarWidget() is None):
                dock.setTitleBarWidget(QWidget() if is_tab else None)  # type: ignore[arg-type]


class _Dock(QDockWidget):
    """A dock through which Tab leads from the top to the bottom, whatever was made first."""

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Put the controls in order as they are now; a panel's come and go."""
        order_tabs(self)
        return super().focusNextPrevChild(is_next)


def bring_onto_screen(widget: QWidget) -> None:
    """Move a window so that all of it is seen, and shrink it where it is larger than its screen."""
    if widget.isMaximized() or widget.isFullScreen():
        return
    frame = widget.frameGeometry()
    screen = QGuiApplication.screenAt(frame.center()) or QGuiApplication.primaryScreen()
    room = screen.availableGeometry()
    border = frame.size() - widget.size()
    widget.resize(widget.size().boundedTo(room.size() - border))
    frame = widget.frameGeometry()
    x = max(room.left(), min(frame.x(), room.right() + 1 - frame.width()))
    y = max(room.top(), min(frame.y(), room.bottom() + 1 - frame.height()))
    if (x, y) != (frame.x(), frame.y()):
        widget.move(QPoint(x, y))


def _text(data: QByteArray) -> str:
    return bytes(data.toBase64().data()).decode()

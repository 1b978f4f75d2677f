"""Panels keep their places from one start to the next, whatever the screen is then."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QWidget
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.docks import bring_onto_screen
from pathoview.ui.main_window import MainWindow

Start = Callable[[], MainWindow]


@pytest.fixture
def settings() -> Settings:
    return Settings(accepted_research_use=True, cache_bytes=64 * 2**20)


@pytest.fixture
def start(qtbot: QtBot, bridge: Bridge, settings: Settings) -> Iterator[Start]:
    """Return what ends the window there is and starts another with the same settings."""
    windows: list[MainWindow] = []

    def end() -> None:
        for window in windows:
            window.close()
            window.deleteLater()
        windows.clear()

    def begin() -> MainWindow:
        end()
        windows.append(MainWindow(Session(bridge.post, settings)))
        windows[0].show()
        qtbot.waitExposed(windows[0])
        return windows[0]

    yield begin
    end()


def room() -> QRect:
    return QGuiApplication.primaryScreen().availableGeometry()


def places(window: MainWindow) -> dict[str, tuple[bool, bool]]:
    return {name: (dock.isHidden(), dock.isFloating()) for name, dock in window.docks.items()}


def test_closed_and_floating_panels_are_remembered(start: Start) -> None:
    first = start()
    first.docks["layers"].hide()
    first.docks["results"].setFloating(True)
    first.docks["results"].setGeometry(120, 140, 320, 360)
    kept = places(first)
    second = start()
    assert places(second) == kept
    assert second.docks["results"].geometry() == QRect(120, 140, 320, 360)


def test_a_layout_that_cannot_be_read_is_left_out(start: Start, settings: Settings) -> None:
    settings.window_state, settings.window_geometry = "???", "AAAA"
    window = start()
    hidden = [name for name, (is_hidden, _floating) in places(window).items() if is_hidden]
    assert hidden == ["objects", "timeline"], "which come when they are wanted"


def test_a_floating_panel_of_a_screen_that_is_gone_comes_back(start: Start) -> None:
    first = start()
    first.docks["results"].setFloating(True)
    first.docks["results"].setGeometry(4000, 3000, 320, 360)
    second = start()
    assert room().contains(second.docks["results"].frameGeometry())


def test_a_window_of_a_screen_that_is_gone_comes_back(start: Start) -> None:
    first = start()
    first.setGeometry(5000, -4000, 700, 600)
    second = start()
    assert room().intersected(second.frameGeometry()).height() >= 500


@pytest.mark.parametrize(
    "place", [(-300, -200, 400, 300), (700, 750, 400, 300), (9000, 9000, 400, 300)]
)
def test_what_is_beyond_the_edge_is_moved_inside(
    qtbot: QtBot, place: tuple[int, int, int, int]
) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.setGeometry(*place)
    widget.show()
    bring_onto_screen(widget)
    assert room().contains(widget.frameGeometry())
    assert (widget.width(), widget.height()) == (400, 300)


def test_what_is_larger_than_the_screen_is_shrunk(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.setGeometry(10, 10, 9000, 200)
    bring_onto_screen(widget)
    assert widget.width() == room().width()
    assert widget.height() == 200


def test_the_layout_can_be_reset(start: Start) -> None:
    window = start()
    session = window.session
    first = places(window)
    window.docks["layers"].hide()
    window.docks["analyze"].setFloating(True)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, window.docks["slide"])
    run_command(session, "window.reset")
    assert places(window) == first
    area = {name: window.dockWidgetArea(dock) for name, dock in window.docks.items()}
    left = {"slides", "history", "classes"}
    assert {
        name for name, one in area.items() if one == Qt.DockWidgetArea.LeftDockWidgetArea
    } == left
    assert area["objects"] == Qt.DockWidgetArea.BottomDockWidgetArea
    assert area["layers"] == area["analyze"] == Qt.DockWidgetArea.RightDockWidgetArea
    tabs: list[QDockWidget] = window.tabifiedDockWidgets(window.docks["layers"])
    assert tabs == [window.docks["slide"], window.docks["places"]]


def test_a_panel_that_comes_when_it_is_asked_for_is_high_enough_to_be_read(
    qtbot: QtBot, start: Start
) -> None:
    window = start()
    window.resize(1440, 900)
    window.docks.bring_front("objects")
    qtbot.waitUntil(lambda: window.docks["objects"].height() > 200)


def test_panels_hidden_all_at_once_are_shown_again_as_they_were(start: Start) -> None:
    window = start()
    window.docks["slide"].hide()
    before = places(window)
    run_command(window.session, "window.panels")
    assert all(hidden for hidden, _floating in places(window).values())
    run_command(window.session, "window.panels")
    assert places(window) == before

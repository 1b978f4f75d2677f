from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow


def shown(window: MainWindow) -> list[bool]:
    parts = (window.menuBar(), window.tools, window.statusBar(), *window.docks.values())
    return [not part.isHidden() for part in parts]


def test_the_slide_has_the_screen_for_itself_and_all_comes_back(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.docks["slide"].hide()
    before = shown(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    assert not any(shown(window))
    assert window.canvas.hasFocus()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not window.isFullScreen()
    assert shown(window) == before


def test_esc_leaves_once_there_is_nothing_else_to_cancel(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    run_command(session, "window.full_screen")
    session.set_tool("region")
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_Escape)
    assert session.tool == "move"
    assert open_window.isFullScreen()
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_Escape)
    assert not open_window.isFullScreen()
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_Escape)
    assert not open_window.isFullScreen()


def test_esc_leaves_from_a_canvas_that_came_later(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    run_command(session, "window.full_screen")
    run_command(session, "compare.two")
    qtbot.keyClick(open_window.views.canvases[1], Qt.Key.Key_Escape)
    assert not open_window.isFullScreen()


def test_esc_leaves_from_the_welcome_too(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    run_command(session, "window.full_screen")
    window.canvas.welcome.demo_button.setFocus()
    qtbot.keyClick(window.canvas.welcome.demo_button, Qt.Key.Key_Escape)
    assert not window.isFullScreen()


def test_a_maximized_window_is_maximized_again(window: MainWindow) -> None:
    window.showMaximized()
    window.full_screen.toggle()
    window.full_screen.toggle()
    assert window.isMaximized()


def test_closing_in_full_screen_keeps_the_ordinary_layout(
    window: MainWindow, session: Session
) -> None:
    run_command(session, "window.full_screen")
    window.close()
    assert session.settings.window_state
    again = MainWindow(session)
    assert not again.isFullScreen()
    assert not again.docks["analyze"].isHidden()
    again.close()
    again.deleteLater()

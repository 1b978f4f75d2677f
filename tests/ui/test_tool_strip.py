"""The strip of tools beside the canvas: tools, the class, the options, the key that selects."""

from __future__ import annotations

import pytest
from hands import LEFT, NONE, drag
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from pathoview.session.commands import COMMANDS
from pathoview.session.session import Session
from pathoview.session.settings import DrawingSettings
from pathoview.session.toolbox import DRAWING, Tool
from pathoview.ui.actions import ICONS
from pathoview.ui.main_window import MainWindow
from pathoview.ui.tool_options import OPTIONS


@pytest.fixture
def window(qtbot: QtBot, open_window: MainWindow, session: Session) -> MainWindow:
    """The window with a slide that can be drawn on."""
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    open_window.activateWindow()
    qtbot.waitUntil(open_window.isActiveWindow)
    return open_window


def button(window: MainWindow, command_id: str) -> QToolButton:
    found = window.strip.widgetForAction(window.actions_by_id[command_id])
    assert isinstance(found, QToolButton)
    return found


def options_of(window: MainWindow, session: Session, tool: Tool) -> None:
    session.set_tool(tool)
    QTest.mouseClick(window.strip.options_button, LEFT)


@pytest.mark.parametrize("tool", DRAWING)
def test_every_drawing_tool_has_a_command_a_button_with_an_icon_and_a_sentence(
    window: MainWindow, session: Session, tool: Tool
) -> None:
    assert f"tool.{tool}" in {command.id for command in COMMANDS if command.menu == "Annotate"}
    assert f"tool.{tool}" in ICONS
    made = button(window, f"tool.{tool}")
    assert made.accessibleName()
    QTest.mouseClick(made, LEFT)
    assert session.tool == tool
    assert made.isChecked()
    drawing = session.toolbox.drawing
    assert drawing is not None
    assert drawing.prompt
    assert window.statusBar().currentMessage() == drawing.prompt


def test_keys_take_a_tool_in_hand_and_the_tip_names_them(
    window: MainWindow, session: Session
) -> None:
    window.canvas.setFocus()
    for key, tool in [("O", "ellipse"), ("L", "line"), ("V", "polyline"), ("E", "eraser")]:
        QTest.keyClick(window.canvas, getattr(Qt.Key, f"Key_{key}"))
        assert session.tool == tool
        assert f"({key})" in button(window, f"tool.{tool}").toolTip()


def test_the_class_is_shown_and_chosen(window: MainWindow, session: Session) -> None:
    made = window.strip.class_button
    made.menu().aboutToShow.emit()
    entries = made.menu().actions()
    assert [entry.text() for entry in entries][:2] == ["No class", "Tumor"]
    entries[1].trigger()
    assert session.annotations.drawing_class is not None
    assert session.annotations.drawing_class.name == "Tumor"
    assert made.toolTip() == "Class of what is drawn: Tumor"
    made.menu().aboutToShow.emit()
    assert made.menu().actions()[1].isChecked()
    session.annotations.choose_class(0)
    assert made.accessibleName() == "Class of what is drawn: No class"


def test_without_a_slide_there_is_nothing_to_choose(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    session.close_slide()
    assert not window.strip.class_button.isEnabled()
    assert not window.strip.options_button.isEnabled()
    assert not button(window, "tool.brush").isEnabled()


def test_options_are_those_of_the_tool_in_hand(window: MainWindow, session: Session) -> None:
    assert not window.strip.options_button.isEnabled(), "the move tool has none"
    options_of(window, session, "line")
    popup = window.strip.options
    role = popup.editor("line_role")
    assert isinstance(role, QComboBox)
    assert role.currentText() == "Ruler"
    role.setCurrentIndex(1)
    role.activated.emit(1)
    assert session.settings.drawing.line_role == "arrow"
    popup.close()
    options_of(window, session, "brush")
    assert popup.editor("line_role") is None
    size, switch = popup.editor("brush_view"), popup.editor("brush_follows_zoom")
    assert isinstance(size, QDoubleSpinBox)
    assert isinstance(switch, QCheckBox)
    session.toolbox.kit.set_brush(80)
    assert size.value() == 80
    size.setValue(30)
    assert session.settings.drawing.brush_view == 30
    switch.setChecked(False)
    assert not session.settings.drawing.brush_follows_zoom
    assert not size.isEnabled()
    popup.close()


def test_options_are_settings_that_there_are() -> None:
    assert set(OPTIONS) <= set(DrawingSettings.model_fields)


def test_the_move_tool_comes_back_after_each_annotation_if_one_wants(
    window: MainWindow, session: Session
) -> None:
    session.settings.drawing.goes_back_to_move = True
    session.set_tool("rectangle")
    drag(window.canvas, (100, 100), (150, 150), (200, 200))
    assert session.tool == "move"
    session.set_tool("brush")
    drag(window.canvas, (100, 100), (150, 150), (200, 200))
    assert session.tool == "brush"


def test_a_held_key_selects_and_lets_go_again(window: MainWindow, session: Session) -> None:
    kit, canvas = session.toolbox.kit, window.canvas
    canvas.setFocus()
    QTest.keyPress(canvas, Qt.Key.Key_S)
    assert kit.is_selecting
    assert button(window, "tool.selection").isChecked()
    assert window.statusBar().currentMessage() == "Drag round annotations to select them."
    QTest.keyRelease(canvas, Qt.Key.Key_S)
    assert not kit.is_selecting
    QTest.mouseClick(button(window, "tool.selection"), LEFT)
    QTest.keyClick(canvas, Qt.Key.Key_S, NONE)
    assert kit.is_selecting, "it was switched on before"


def test_the_strip_leaves_with_the_other_bars(window: MainWindow) -> None:
    window.full_screen.toggle()
    assert window.strip.isHidden()
    window.full_screen.toggle()
    assert not window.strip.isHidden()


def test_every_tool_is_seen_on_a_small_screen_and_class_and_options_in_any_window(
    qtbot: QtBot, window: MainWindow
) -> None:
    more = window.strip.findChild(QToolButton, "qt_toolbar_ext_button")
    assert isinstance(more, QToolButton)
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: window.height() == 720)
    qtbot.waitUntil(lambda: not more.isVisible())
    window.docks.bring_front("objects")
    qtbot.waitUntil(more.isVisible)
    assert window.strip.class_button.isVisible()
    assert window.strip.options_button.isVisible()

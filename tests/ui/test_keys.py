"""Keys are changed in a dialog, and do at once what they are said to do."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import load_settings
from pathoview.ui.dialogs.keys import KeysDialog
from pathoview.ui.dialogs.palette import CommandPalette
from pathoview.ui.main_window import MainWindow

CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, session: Session) -> KeysDialog:
    run_command(session, "help.keys")
    (dialog,) = window.findChildren(KeysDialog)
    qtbot.waitExposed(dialog)
    return dialog


def press(dialog: KeysDialog, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    dialog.editor.setFocus()
    QTest.keyClick(dialog.editor, key, modifiers)


def asked(window: MainWindow, session: Session) -> list[str]:
    """Return the list into which the ids of commands asked for are put from now on."""
    heard: list[str] = []
    session.command_requested.disconnect(window.commands.answer)
    session.command_requested.connect(heard.append)
    return heard


def test_a_key_that_is_pressed_is_taken_and_works_at_once(
    qtbot: QtBot, window: MainWindow, session: Session, dialog: KeysDialog
) -> None:
    qtbot.keyClicks(dialog.search, "guide")
    assert dialog.command is not None
    assert dialog.command.id == "help.guide"
    press(dialog, Qt.Key.Key_F7)
    assert dialog.said == "F7 is free."
    qtbot.mouseClick(dialog.use, LEFT)
    assert window.keymap.keys("help.guide") == ("F7",)
    assert "(F7)" in window.actions_by_id["help.guide"].toolTip()
    dialog.close()
    heard = asked(window, session)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert heard == []
    qtbot.keyClick(window, Qt.Key.Key_F7)
    assert heard == ["help.guide"]
    assert load_settings().keys.own == {"help.guide": "F7"}


def test_a_conflict_is_named_in_a_sentence_before_the_key_is_taken(
    qtbot: QtBot, window: MainWindow, dialog: KeysDialog
) -> None:
    dialog.choose("help.guide")
    press(dialog, Qt.Key.Key_O, CTRL)
    assert dialog.said == "Ctrl+O does “Open slide…” now. It would do this instead."
    assert window.keymap.keys("file.open") == ("Ctrl+O",)
    qtbot.mouseClick(dialog.add, LEFT)
    assert window.keymap.keys("help.guide") == ("Ctrl+O", "F1")
    assert window.keymap.keys("file.open") == ()
    assert [key.toString() for key in window.actions_by_id["file.open"].shortcuts()] == []


def test_a_key_of_the_canvas_is_refused(dialog: KeysDialog) -> None:
    dialog.choose("help.guide")
    press(dialog, Qt.Key.Key_Space)
    assert dialog.said == "The canvas keeps Space for moving about."
    assert not dialog.use.isEnabled()
    assert not dialog.add.isEnabled()


def test_a_key_that_moves_the_focus_is_a_command_on_the_canvas_only(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    window.keymap.set_keys("help.guide", ["Home"])
    assert window.actions_by_id["help.guide"].shortcuts() == []
    heard = asked(window, session)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Home)
    assert heard == ["help.guide"]
    window.keymap.reset_all()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Home)
    assert heard == ["help.guide"]


def test_changes_are_taken_back_one_by_one_and_all(
    qtbot: QtBot, window: MainWindow, dialog: KeysDialog
) -> None:
    window.keymap.set_keys("file.open", ["F2"])
    window.keymap.set_keys("file.quit", ["F3"])
    dialog.choose("file.open")
    qtbot.mouseClick(dialog.reset, LEFT)
    assert window.keymap.keys("file.open") == ("Ctrl+O",)
    assert not dialog.reset.isEnabled()
    qtbot.mouseClick(dialog.reset_all, LEFT)
    assert window.keymap.keys("file.quit") == ("Ctrl+Q",)
    qtbot.mouseClick(dialog.clear, LEFT)
    assert window.keymap.keys("file.open") == ()


def test_another_key_map_is_chosen(qtbot: QtBot, window: MainWindow, dialog: KeysDialog) -> None:
    dialog.preset.setFocus()
    qtbot.keyClicks(dialog.preset, "n")
    dialog.preset.activated.emit(dialog.preset.currentIndex())
    assert window.keymap.preset == "napari"
    assert [key.toString() for key in window.actions_by_id["tool.move"].shortcuts()] == ["Z"]


def test_a_search_finds_a_command_by_its_key(qtbot: QtBot, dialog: KeysDialog) -> None:
    qtbot.keyClicks(dialog.search, "ctrl+e")
    assert dialog.list.topLevelItemCount() == 1
    assert dialog.command is not None
    assert dialog.command.id == "file.export"
    qtbot.keyClicks(dialog.search, "xyz")
    assert dialog.command is None
    assert not dialog.use.isEnabled()


def test_a_key_claimed_twice_is_told(window: MainWindow, dialog: KeysDialog) -> None:
    window.keymap.set_keys("help.guide", ["Z"])
    window.keymap.choose_preset("napari")
    shown = [found.text() for found in dialog.findChildren(type(dialog._clashes))]
    assert "Z does “Guide”, so it cannot do “Move”." in shown


# -- the palette -----------------------------------------------------------------------------------


def test_the_palette_shows_the_keys_of_the_key_map_and_what_is_missing(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    window.keymap.set_keys("help.guide", ["F7"])
    run_command(session, "window.commands")
    (palette,) = window.findChildren(CommandPalette)

    def row_of(text: str) -> tuple[str, str]:
        palette.search.setText(text)
        item = palette.list.topLevelItem(0)
        assert item is not None
        return item.text(0), item.text(1)

    assert row_of("guide") == ("Help: Guide", "F7")
    assert row_of("whole slide") == ("View: Whole slide", "needs a slide")
    qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_remembers_what_was_asked_for(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    heard = asked(window, session)
    window.commands.answer("window.commands")
    (palette,) = window.findChildren(CommandPalette)
    qtbot.keyClicks(palette.search, "about")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert heard == ["help.about"]
    window.commands.answer("window.commands")
    again = next(p for p in window.findChildren(CommandPalette) if p.isVisible())
    qtbot.keyClick(again.search, Qt.Key.Key_Return)
    assert heard == ["help.about", "help.about"]

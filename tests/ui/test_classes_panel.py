"""The palette: classes chosen, made, renamed, coloured and hidden by clicks and keys."""

from __future__ import annotations

import pytest
import shapely
from hands import LEFT, NONE
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QColorDialog, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.class_list import COUNT, EYE, KEY, MEANING, NAME, SWATCH, ClassList


@pytest.fixture
def window(qtbot: QtBot, open_window: MainWindow, session: Session) -> MainWindow:
    """The window, with the annotations of the slide read and the palette in sight."""
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    open_window.docks.bring_front("classes")
    qtbot.waitUntil(lambda: open_window.classes.list.topLevelItemCount() == 8)
    return open_window


def texts(rows: ClassList, column: int = NAME) -> list[str]:
    return [rows.topLevelItem(row).text(column) for row in range(rows.topLevelItemCount())]


def place(rows: ClassList, row: int, column: int = NAME) -> QPoint:
    item = rows.topLevelItem(row)
    rows.scrollToItem(item)
    return rows.visualRect(rows.indexFromItem(item, column)).center()


def click(rows: ClassList, row: int, column: int = NAME) -> None:
    QTest.mouseClick(rows.viewport(), LEFT, NONE, place(rows, row, column))


def double_click(rows: ClassList, row: int, column: int = NAME) -> None:
    click(rows, row, column)
    QTest.mouseDClick(rows.viewport(), LEFT, NONE, place(rows, row, column))


def draw(session: Session, number: int, left: float) -> None:
    session.annotations.choose_class(number)
    assert session.annotations.draw(shapely.box(left, 0, left + 20, 20), "Draw")


def entry(menu: QMenu, text: str) -> object:
    return next(action for action in menu.actions() if action.text().startswith(text))


def test_without_a_slide_the_panel_says_where_classes_come_from(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    session.close_slide()
    qtbot.waitUntil(lambda: not window.classes.list.isVisible())
    assert "open one" in window.classes._empty.text()
    assert not window.classes.name.isEnabled()


def test_a_click_or_an_arrow_key_chooses_the_class_that_is_drawn_in(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.classes.list
    assert texts(rows)[:3] == ["No class", "Tumor", "Stroma"]
    assert texts(rows, KEY)[:3] == ["0", "1", "2"]
    assert texts(rows, MEANING)[1] == "+"
    click(rows, 2)
    assert session.annotations.drawing_class == session.classes.get(2)
    qtbot.keyClick(rows, Qt.Key.Key_Up)
    assert session.annotations.drawing_class == session.classes.get(1)
    click(rows, 0)
    assert session.annotations.drawing_class is None
    run_command(session, "class.3")
    qtbot.waitUntil(lambda: rows.number == 3)


def test_counts_follow_what_is_drawn(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    rows = window.classes.list
    draw(session, 1, 0)
    draw(session, 1, 50)
    draw(session, 2, 100)
    qtbot.waitUntil(lambda: texts(rows, COUNT)[:3] == ["", "2", "1"])
    session.undo()
    qtbot.waitUntil(lambda: texts(rows, COUNT)[:3] == ["", "2", ""])
    words = rows.topLevelItem(1).data(NAME, Qt.ItemDataRole.AccessibleTextRole)
    assert words == "Tumor · Positive: what is looked for · key 1 · 2 annotations"


def test_a_double_click_on_a_name_renames_and_a_name_that_is_taken_comes_back(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.classes.list
    for name, expected in (("Carcinoma", "Carcinoma"), ("Stroma", "Carcinoma")):
        double_click(rows, 1)
        editor = rows.findChild(QLineEdit)
        assert editor is not None
        editor.selectAll()
        qtbot.keyClicks(editor, name)
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda expected=expected: texts(rows)[1] == expected)
    assert session.history.undo_name == "Rename class to Carcinoma"


def test_f2_renames_the_class_and_not_the_layer(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.classes.list
    window.activateWindow()
    click(rows, 1)
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_F2)
    assert rows.findChild(QLineEdit) is not None
    qtbot.keyClick(rows.findChild(QLineEdit), Qt.Key.Key_Escape)


def test_a_double_click_on_the_colour_asks_for_another_as_one_step(
    window: MainWindow, session: Session
) -> None:
    double_click(window.classes.list, 1, SWATCH)
    dialog = window.classes.list.findChild(QColorDialog)
    assert dialog is not None
    dialog.setCurrentColor(QColor(9, 8, 7))
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    found = session.classes.get(1)
    assert found is not None
    assert found.color == (1, 2, 3)
    assert len(session.history.done) == 1


def test_the_eye_hides_a_class_and_space_shows_it_again(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.classes.list
    click(rows, 2, EYE)
    assert session.classes.hidden == {2}
    assert session.annotations.source is not None
    assert session.annotations.source.hidden_classes == {"Stroma"}
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Space)
    assert session.classes.hidden == frozenset()


def test_a_class_is_added_by_typing_its_name_and_removed_by_delete(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows, name = window.classes.list, window.classes.name
    qtbot.keyClicks(name, "Tumor: Positive")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: texts(rows)[-1] == "Tumor: Positive")
    assert name.text() == ""
    assert session.annotations.drawing_class == session.classes.get(8)
    draw(session, 8, 0)
    qtbot.keyClicks(name, "Tumor")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert name.text() == "Tumor", "what is refused stays to be mended"
    rows.setFocus()
    qtbot.waitUntil(lambda: rows.number == 8)
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: texts(rows)[-1] == "Ignore*")
    assert session.annotations.document is not None
    assert len(session.annotations.document) == 1, "annotations keep the class"
    qtbot.waitUntil(window.classes.add_unlisted.isVisible)
    QTest.mouseClick(window.classes.add_unlisted, LEFT)
    qtbot.waitUntil(lambda: texts(rows)[-1] == "Tumor: Positive")


def test_the_menu_gives_a_meaning_a_key_and_the_class(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.classes.list
    draw(session, 2, 0)
    click(rows, 1)
    menu = rows.menu()
    entry(menu, "Give it").trigger()  # type: ignore[attr-defined]
    assert session.classes.count(1) == 1
    entry(entry(menu, "Meaning").menu(), "Region").trigger()  # type: ignore[attr-defined]
    entry(entry(menu, "Key").menu(), "9").trigger()  # type: ignore[attr-defined]
    found = session.classes.get(1)
    assert found is not None
    assert (found.meaning, found.shortcut) == ("region", "9")
    session.annotations.select(())
    entry(menu, "Select all").trigger()  # type: ignore[attr-defined]
    assert session.annotations.n_selected == 1
    menu.close()

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hands import CTRL, LEFT, NONE, main_window
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.bookmark_list import BookmarkList


@pytest.fixture
def window(qtbot: QtBot, session: Session, slide_path: Path) -> Iterator[MainWindow]:
    with main_window(qtbot, session) as window:
        session.open(slide_path)
        qtbot.waitUntil(lambda: session.places.bookmarks.is_ready)
        for x in (300, 900):
            session.viewport.look_at(x, 400, 1.0)
            qtbot.keyClick(window.canvas, Qt.Key.Key_B, CTRL)
        run_command(session, "bookmark.list")
        yield window


def place_of(rows: BookmarkList, row: int) -> QPoint:
    return rows.visualItemRect(rows.item(row)).center()


def names(rows: BookmarkList) -> list[str]:
    return [rows.item(row).text() for row in range(rows.count())]


def test_a_click_goes_there_and_keys_do_too(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.places.list
    assert names(rows) == ["Place 1", "Place 2"]
    assert rows.hasFocus()
    QTest.mouseClick(rows.viewport(), LEFT, NONE, place_of(rows, 0))
    assert session.viewport.center_l0 == (300, 400)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    assert session.viewport.center_l0 == (300, 400)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert session.viewport.center_l0 == (900, 400)
    assert "x 900  y 400 px  ·  20.0×" in rows.item(1).toolTip()


def test_a_double_click_renames_and_delete_removes_to_be_undone(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.places.list
    QTest.mouseClick(rows.viewport(), LEFT, NONE, place_of(rows, 0))
    QTest.mouseDClick(rows.viewport(), LEFT, NONE, place_of(rows, 0))
    editor = rows.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    qtbot.keyClicks(editor, "Mitosis")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.places.bookmarks.all[0].name == "Mitosis")
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert names(rows) == ["Place 2"]
    run_command(session, "edit.undo")
    assert names(rows) == ["Mitosis", "Place 2"]
    QTest.mouseClick(window.places.remove, LEFT)
    QTest.mouseClick(window.places.remove, LEFT)
    assert names(rows) == []
    assert not window.places.remove.isEnabled()
    assert not rows.isVisible()


def test_each_has_a_picture_of_its_place(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    rows = window.places.list

    def colours() -> int:
        image = rows.item(0).icon().pixmap(QSize(72, 48)).toImage()
        step = range(0, image.width(), 6)
        return len({image.pixel(x, image.height() // 2) for x in step if image.width()})

    qtbot.waitUntil(lambda: colours() > 3)

"""What is done to chosen annotations by keys, by the menu at a right-click and by dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
from hands import CTRL, LEFT, NONE
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from pathoview.annotations.feature import Feature
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.dialogs.annotation_properties import AnnotationPropertiesDialog
from pathoview.ui.dialogs.distance import DistanceDialog
from pathoview.ui.main_window import MainWindow

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def window(qtbot: QtBot, open_window: MainWindow, session: Session) -> MainWindow:
    """The window at one px a level-0 px, with two annotations, the second one chosen."""
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    open_window.canvas.overview.hide()
    session.viewport.look_at(1000, 700, 1.0)
    for left in (900, 1000):
        session.annotations.draw(shapely.box(left, 650, left + 50, 700), "Draw")
    qtbot.waitUntil(lambda: session.annotations.is_drawn)
    open_window.activateWindow()
    open_window.canvas.setFocus()
    return open_window


def drawn(session: Session) -> list[Feature]:
    return list(session.annotations.document or ())


def only(window: MainWindow, kind: type[Any]) -> Any:
    (found,) = [one for one in window.findChildren(kind) if one.isVisible()]
    return found


def right_click(window: MainWindow, session: Session, x_l0: float, y_l0: float) -> None:
    canvas = window.canvas
    at = QPoint(*(round(one) for one in session.viewport.to_view(x_l0, y_l0)))
    QTest.mousePress(canvas, RIGHT, NONE, at)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, canvas.mapToGlobal(at))
    QApplication.sendEvent(canvas, event)


def test_delete_takes_the_chosen_ones_away_only_where_the_slide_has_the_focus(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    window.docks.bring_front("classes")
    window.classes.name.setFocus()
    window.classes.name.setText("ab")
    qtbot.keyClick(window.classes.name, Qt.Key.Key_Backspace)
    assert window.classes.name.text() == "a"
    assert len(drawn(session)) == 2
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert len(drawn(session)) == 1
    run_command(session, "annotate.select_all")
    qtbot.keyClick(window.canvas, Qt.Key.Key_Backspace)
    assert drawn(session) == []


def test_keys_duplicate_lock_mark_and_choose(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    canvas = window.canvas
    qtbot.keyClick(canvas, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert len(drawn(session)) == 3
    qtbot.keyClick(canvas, Qt.Key.Key_A, CTRL | Qt.KeyboardModifier.AltModifier)
    assert session.annotations.n_selected == 3
    qtbot.keyClick(canvas, Qt.Key.Key_K, CTRL)
    assert all(one.is_locked for one in drawn(session))
    qtbot.keyClick(canvas, Qt.Key.Key_C, CTRL)
    qtbot.keyClick(canvas, Qt.Key.Key_V, CTRL)
    assert len(drawn(session)) == 6
    qtbot.keyClick(canvas, Qt.Key.Key_2)
    assert session.classes.count(2) == 3


def test_the_menu_offers_what_applies_to_the_annotation_under_the_pointer(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    first, second = drawn(session)
    right_click(window, session, 925, 675)
    menu = only(window, QMenu)
    assert session.annotations.selected == (first,)
    ids = [action.objectName() for action in menu.actions()]
    assert "annotate.delete" in ids
    assert "annotate.merge" not in ids, "there is one only"
    classes = menu.actions()[1].menu()
    (stroma,) = [action for action in classes.actions() if action.text().startswith("Stroma")]
    stroma.trigger()
    assert session.classes.count(2) == 1
    menu.close()
    session.annotations.select([first.id, second.id])
    right_click(window, session, 925, 675)
    menu = only(window, QMenu)
    assert session.annotations.n_selected == 2, "a click among the chosen ones keeps them"
    next(one for one in menu.actions() if one.objectName() == "annotate.merge").trigger()
    assert len(drawn(session)) == 1
    menu.close()


def test_beside_all_annotations_the_menu_offers_what_concerns_the_slide(
    window: MainWindow, session: Session
) -> None:
    right_click(window, session, 1025, 760)
    menu = only(window, QMenu)
    assert session.annotations.n_selected == 0
    ids = {action.objectName() for action in menu.actions()}
    assert {"annotate.full_image", "annotate.tissue", "annotate.select_all"} <= ids
    assert "annotate.delete" not in ids
    menu.close()


def test_a_tool_that_is_busy_gets_no_menu(window: MainWindow, session: Session) -> None:
    session.set_tool("polygon")
    QTest.mouseClick(window.canvas, LEFT, NONE, QPoint(300, 200))
    right_click(window, session, 925, 675)
    assert not [menu for menu in window.findChildren(QMenu) if menu.isVisible()]


def test_a_distance_is_asked_for_once_and_remembered(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    run_command(session, "annotate.expand")
    dialog = only(window, DistanceDialog)
    assert dialog.value.suffix() == " µm"
    dialog.activateWindow()
    qtbot.waitUntil(dialog.value.hasFocus)
    dialog.value.setValue(5)
    qtbot.keyClick(dialog.value, Qt.Key.Key_Return)
    assert drawn(session)[1].geometry.bounds == (990, 640, 1060, 710)
    run_command(session, "annotate.expand")
    dialog = only(window, DistanceDialog)
    assert dialog.value.value() == 5
    dialog.reject()
    assert session.settings.distances == {"expand um": 5}


def test_return_opens_the_properties_and_they_are_set_as_one_step(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    qtbot.keyClick(window.canvas, Qt.Key.Key_Return)
    dialog = only(window, AnnotationPropertiesDialog)
    assert "Area 625.0 µm²" in dialog.facts()[0]
    assert "perimeter 100.0 µm" in dialog.facts()[0]
    assert dialog.facts()[1].startswith("Drawn by ")
    dialog.name.setText("rim")
    dialog.description.setPlainText("seen at 40×")
    dialog.classes.setCurrentIndex(dialog.classes.findText("Stroma"))
    dialog.roles.setCurrentIndex(dialog.roles.findData("full"))
    dialog.marks["is_uncertain"].click()
    QTest.mouseClick(dialog.accept_button, LEFT)
    edited = drawn(session)[1]
    assert (edited.name, edited.role, edited.is_uncertain) == ("rim", "full", True)
    assert edited.metadata == {"ANNOTATION_DESCRIPTION": "seen at 40×"}
    assert edited.classification is not None
    assert edited.classification.name == "Stroma"
    assert session.history.undo_name == "Edit annotation"
    session.undo()
    assert drawn(session)[1].name == ""


def test_of_several_only_what_is_touched_changes(window: MainWindow, session: Session) -> None:
    run_command(session, "annotate.uncertain")
    session.operations.edit({"name": "rim"})
    run_command(session, "annotate.select_all")
    run_command(session, "annotate.properties")
    dialog = only(window, AnnotationPropertiesDialog)
    assert dialog.name.placeholderText() == "(several)"
    assert dialog.marks["is_uncertain"].checkState() is Qt.CheckState.PartiallyChecked
    dialog.marks["is_locked"].click()
    dialog.accept()
    assert [one.name for one in drawn(session)] == ["", "rim"]
    assert [one.is_uncertain for one in drawn(session)] == [False, True]
    assert all(one.is_locked for one in drawn(session))


def test_a_slide_without_a_scale_is_asked_for_px(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    from makers import make_plain

    session.open(make_plain(tmp_path / "bare.png"))
    qtbot.waitUntil(lambda: session.slide is not None and session.slide.info.mpp is None)
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    session.annotations.draw(shapely.box(10, 10, 30, 30), "Draw")
    run_command(session, "annotate.shrink")
    assert only(window, DistanceDialog).value.suffix() == " px"

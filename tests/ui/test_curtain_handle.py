from __future__ import annotations

import threading

import numpy as np
import pytest
from fakes import ArraySlide
from hands import LEFT, NONE, SHIFT, drag, move, picture, settle
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.core.pyramid import Plane
from pathoview.layers.layer import Layer
from pathoview.layers.slide_source import SlideSource
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.main_window import MainWindow

GREEN, RED = (0, 160, 60), (200, 0, 40)
ROW = 420
"""A row of the canvas over which nothing is written but the curtain."""
_BESIDE = 24
"""Half the curtain's grip, and a little more."""


def cover(session: Session, name: str, color: tuple[int, int, int]) -> Layer:
    """Put a layer of one colour over the whole slide."""
    pixels = np.broadcast_to(np.array(color, np.uint8), (1536, 2048, 3)).copy()
    layer = Layer(name, SlideSource(ArraySlide(pixels)))
    session.layers.add(layer)
    session.scheduler.add(layer.source, Plane())
    return layer


def cover_twice(session: Session) -> None:
    """Put red over the slide, and green, the chosen layer, over red."""
    cover(session, "Red", RED)
    session.layer_desk.active = cover(session, "Green", GREEN)
    session.viewport.look_at(1024, 768, 1.0)


@pytest.fixture
def covered(qtbot: QtBot, open_canvas: Canvas, session: Session) -> Canvas:
    """A canvas that shows red over the slide, and green, the chosen layer, over red."""
    cover_twice(session)
    open_canvas.setFocus()
    settle(qtbot, open_canvas, session)
    return open_canvas


def colors(canvas: Canvas, *xs: int) -> list[tuple[int, ...]]:
    row = picture(canvas)[ROW]
    return [tuple(row[x].tolist()) for x in xs]


def check_sides(canvas: Canvas, left: tuple[int, ...], right: tuple[int, ...], line: int) -> None:
    """See that everything left of the line has one colour, and everything right of it another."""
    row = picture(canvas)[ROW]
    assert (row[: max(0, line - _BESIDE)] == left).all()
    assert (row[line + _BESIDE :] == right).all()


@pytest.mark.parametrize("rotation", [0, 30, 90])
def test_each_side_of_the_curtain_shows_its_layer(
    qtbot: QtBot, covered: Canvas, session: Session, rotation: float
) -> None:
    session.viewport.turn(rotation)
    settle(qtbot, covered, session)
    check_sides(covered, GREEN, GREEN, 400)
    run_command(session, "compare.curtain")
    settle(qtbot, covered, session)
    check_sides(covered, GREEN, RED, 400)
    for position in (0.1, 0.73, 0.0, 1.0):
        covered.view.curtain.position = position
        check_sides(covered, GREEN, RED, round(position * 800))


def test_the_curtain_is_dragged_and_only_pixels_are_copied(
    qtbot: QtBot, covered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    settle(qtbot, covered, session)
    pictures = covered.view.compositor.picture, covered.view.curtain.picture
    handle = covered.curtain.handle
    x = handle.width() // 2
    QTest.mousePress(handle, LEFT, NONE, QPoint(x + 3, 300))
    for step in range(1, 5):
        # The handle moves with the hand: on it, each step is as long as the first.
        move(handle, QPoint(x + 3 + 50, 300), LEFT)
        assert covered.view.curtain.position == pytest.approx((400 + 50 * step) / 800)
        check_sides(covered, GREEN, RED, 400 + 50 * step)
    QTest.mouseRelease(handle, LEFT, NONE, QPoint(x + 3, 300))
    assert (covered.view.compositor.picture, covered.view.curtain.picture) == pictures
    assert session.viewport.center_l0 == (1024, 768)
    QTest.mouseDClick(handle, LEFT, NONE, QPoint(x, 300))
    assert covered.view.curtain.position == 0.5


def test_the_slide_is_still_moved_beside_the_line(
    qtbot: QtBot, covered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    assert covered.childAt(400, 100) is covered.curtain.handle
    assert covered.childAt(390, 100) is not covered.curtain.handle
    drag(covered, (300, 450), (250, 450), (200, 450))
    covered.glide.stop()
    assert session.viewport.center_l0[0] > 1024
    assert covered.view.curtain.position == 0.5
    settle(qtbot, covered, session)
    check_sides(covered, GREEN, RED, 400)


def test_keys_move_the_curtain_and_esc_takes_it_away(
    qtbot: QtBot, covered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    curtain, handle = covered.view.curtain, covered.curtain.handle
    qtbot.keyClick(handle, Qt.Key.Key_Left)
    assert curtain.position == pytest.approx(0.48)
    qtbot.keyClick(covered, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(covered, Qt.Key.Key_Right, SHIFT)
    assert curtain.position == pytest.approx(0.52)
    assert not covered.glide.is_moving
    qtbot.keyClick(handle, Qt.Key.Key_End)
    assert curtain.position == 1
    qtbot.keyClick(handle, Qt.Key.Key_Escape)
    assert not curtain.is_on
    assert not handle.isVisible()
    run_command(session, "compare.curtain")
    session.set_tool("region")
    qtbot.keyClick(covered, Qt.Key.Key_Escape)
    assert curtain.is_drawn, "the tool comes first"
    qtbot.keyClick(covered, Qt.Key.Key_Escape)
    assert not curtain.is_drawn
    settle(qtbot, covered, session)
    check_sides(covered, GREEN, GREEN, 400)


def test_names_tell_the_sides_and_let_one_choose_other_layers(
    qtbot: QtBot, covered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    left, right = covered.curtain.left_button, covered.curtain.right_button
    assert (left.text(), right.text()) == ("Green", "Without Green")
    assert left.geometry().right() < 400 < right.geometry().left()

    def choose(side: str, name: str) -> None:
        menu = (left if side == "left" else right).menu()
        menu.aboutToShow.emit()
        next(action for action in menu.actions() if action.text() == name).trigger()
        settle(qtbot, covered, session)

    choose("left", "Red")
    check_sides(covered, GREEN, GREEN, 400)
    choose("right", "Green")
    assert (left.text(), right.text()) == ("Red", "Green")
    check_sides(covered, RED, GREEN, 400)
    choose("left", "Green")
    session.layers[2].name = "Green, and a name that is far too long for the room there is"
    covered.view.curtain.position = 0.3
    assert left.text().startswith("Green, and")
    assert left.text().endswith("…")
    assert 0 <= left.x() < left.geometry().right() < 240
    covered.view.curtain.position = 0.01
    assert not left.isVisible()
    choose("right", "Take the curtain away")
    assert not right.isVisible()
    check_sides(covered, GREEN, GREEN, 400)


def test_the_names_do_not_hide_behind_the_overview(covered: Canvas, session: Session) -> None:
    run_command(session, "compare.curtain")
    covered.view.curtain.position = 0.75
    name, overview = covered.curtain.right_button, covered.overview
    assert overview.isVisible()
    assert not name.geometry().intersects(overview.geometry())
    covered.view.curtain.position = 0.3
    assert name.y() < overview.geometry().bottom()


def test_the_other_picture_follows_the_view_and_the_style(
    qtbot: QtBot, covered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    settle(qtbot, covered, session)
    session.viewport.zoom(0.7)
    session.viewport.pan(90, 20)
    settle(qtbot, covered, session)
    check_sides(covered, GREEN, RED, 400)
    session.layers[1].opacity = 0.0
    settle(qtbot, covered, session)
    assert colors(covered, 100) == [GREEN]
    assert colors(covered, 700) != [RED]


# -- flicker -------------------------------------------------------------------------------------


@pytest.fixture
def flickered(qtbot: QtBot, open_window: MainWindow, session: Session) -> Canvas:
    cover_twice(session)
    for name in ("slides", "history", "classes"):
        open_window.docks[name].hide()  # there is room for them on a larger screen
    open_window.activateWindow()
    open_window.canvas.setFocus()
    settle(qtbot, open_window.canvas, session)
    return open_window.canvas


def test_the_other_picture_is_seen_while_the_key_is_held(
    qtbot: QtBot, flickered: Canvas, session: Session
) -> None:
    assert colors(flickered, 100, 300) == [GREEN, GREEN]
    QTest.keyPress(flickered, Qt.Key.Key_X)
    settle(qtbot, flickered, session)
    assert colors(flickered, 100, 300) == [RED, RED]
    QTest.keyRelease(flickered, Qt.Key.Key_X)
    assert colors(flickered, 100, 300) == [GREEN, GREEN]
    QTest.keyPress(flickered, Qt.Key.Key_X)
    assert colors(flickered, 100, 300) == [RED, RED], "from the second time on at once"
    QTest.keyRelease(flickered, Qt.Key.Key_X)
    assert not session.views.active.curtain.is_on


def test_the_key_is_let_go_when_the_focus_goes(flickered: Canvas, session: Session) -> None:
    QTest.keyPress(flickered, Qt.Key.Key_X)
    assert session.views.active.curtain.is_flicked
    flickered.clearFocus()
    assert not session.views.active.curtain.is_flicked


def test_the_curtain_stays_while_the_other_picture_is_flicked(
    qtbot: QtBot, flickered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    flickered.view.curtain.position = 0.25
    settle(qtbot, flickered, session)
    QTest.keyPress(flickered, Qt.Key.Key_X)
    assert colors(flickered, 20, 300) == [RED, RED]
    assert not flickered.curtain.handle.isVisible()
    QTest.keyRelease(flickered, Qt.Key.Key_X)
    assert flickered.view.curtain.position == 0.25
    assert colors(flickered, 20, 300) == [GREEN, RED]


def test_the_command_switches_and_its_key_follows_the_key_map(
    qtbot: QtBot, flickered: Canvas, session: Session, open_window: MainWindow
) -> None:
    curtain, action = flickered.view.curtain, open_window.actions_by_id["compare.flicker"]
    action.trigger()
    assert curtain.is_flicked
    assert action.isChecked()
    action.trigger()
    assert not curtain.is_flicked
    open_window.keymap.choose_preset("asap")
    QTest.keyPress(flickered, Qt.Key.Key_X)
    assert not curtain.is_flicked
    QTest.keyPress(flickered, Qt.Key.Key_Q)
    assert curtain.is_flicked
    QTest.keyRelease(flickered, Qt.Key.Key_Q)
    assert not curtain.is_flicked


def test_a_slide_with_nothing_on_it_says_so(
    qtbot: QtBot, open_window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Canvas, "say", lambda _canvas, text: said.append(text))
    assert not open_window.actions_by_id["compare.curtain"].isEnabled()
    open_window.canvas.setFocus()
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_X)
    assert said == ["Nothing lies on the slide that could be compared"]


def test_a_curtain_in_one_of_two_views_goes_with_it_and_leaves_no_thread(
    qtbot: QtBot, flickered: Canvas, session: Session, open_window: MainWindow
) -> None:
    before = set(threading.enumerate())
    run_command(session, "compare.two")
    second = open_window.views.canvases[1]
    session.views.activate(second.view)
    run_command(session, "compare.curtain")
    settle(qtbot, second, session)
    assert second.curtain.handle.isVisible()
    assert not flickered.curtain.handle.isVisible()
    assert second.curtain.handle.geometry().center().x() == pytest.approx(second.width() / 2, abs=2)
    run_command(session, "compare.one")
    assert set(threading.enumerate()) <= before
    assert not session.views.active.curtain.is_on


def test_closing_the_slide_ends_a_comparison(
    qtbot: QtBot, flickered: Canvas, session: Session
) -> None:
    run_command(session, "compare.curtain")
    settle(qtbot, flickered, session)
    session.close_slide()
    assert not flickered.view.curtain.is_on
    assert not flickered.curtain.handle.isVisible()
    assert colors(flickered, 20, 300) not in ([GREEN, GREEN], [GREEN, RED])

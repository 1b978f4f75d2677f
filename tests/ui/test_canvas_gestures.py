from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from hands import CTRL, MIDDLE, NONE, SHIFT, drag, move, settle, wheel
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pathoview.core.geometry import Rect
from pathoview.session.session import Session
from pathoview.ui import gestures
from pathoview.ui.canvas import Canvas

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def near(qtbot: QtBot, open_canvas: Canvas, session: Session) -> Canvas:
    """The canvas in the middle of the slide at full size."""
    session.viewport.look_at(1024, 768, 1.0)
    open_canvas.setFocus()
    return open_canvas


def at_rest(qtbot: QtBot, canvas: Canvas) -> None:
    qtbot.waitUntil(lambda: not canvas.glide.is_moving)


@pytest.mark.parametrize("notches", [3, -2, 0.25])
def test_the_wheel_zooms_and_keeps_the_place_under_the_cursor(
    qtbot: QtBot, near: Canvas, session: Session, notches: float
) -> None:
    place_l0 = session.viewport.to_l0(620, 410)
    wheel(near, (620, 410), notches)
    at_rest(qtbot, near)
    assert session.viewport.scale == pytest.approx(1.25**notches)
    assert session.viewport.to_l0(620, 410) == pytest.approx(place_l0, abs=1e-6)


def test_a_trackpad_zooms_at_once_and_by_pixels(near: Canvas, session: Session) -> None:
    place_l0 = session.viewport.to_l0(200, 100)
    wheel(near, (200, 100), 0.5, trackpad_px=50)
    assert not near.glide.is_moving
    assert session.viewport.scale == pytest.approx(1.004**50)
    assert session.viewport.to_l0(200, 100) == pytest.approx(place_l0, abs=1e-6)


def test_a_trackpad_can_move_the_slide_and_then_zooms_with_shift(
    near: Canvas, session: Session
) -> None:
    session.settings.trackpad_pans = True
    place_l0 = session.viewport.to_l0(200, 100)
    wheel(near, (200, 100), 0.5, trackpad_px=50)
    assert session.viewport.scale == 1.0
    assert session.viewport.to_l0(200, 150) == pytest.approx(place_l0, abs=1e-6)
    wheel(near, (200, 100), 0.5, Qt.KeyboardModifier.ShiftModifier, trackpad_px=50)
    assert session.viewport.scale == pytest.approx(1.004**50)


def test_two_fingers_that_turn_turn_the_slide(near: Canvas, session: Session) -> None:
    at = QPointF(200, 100)
    QApplication.sendEvent(
        near,
        QNativeGestureEvent(
            Qt.NativeGestureType.RotateNativeGesture,
            QPointingDevice.primaryPointingDevice(),
            2,
            at,
            at,
            at,
            25.0,
            QPointF(),
        ),
    )
    assert session.viewport.rotation == 25


def test_a_pinch_zooms_about_the_fingers(near: Canvas, session: Session) -> None:
    place_l0 = session.viewport.to_l0(200, 100)
    at = QPointF(200, 100)
    QApplication.sendEvent(
        near,
        QNativeGestureEvent(
            Qt.NativeGestureType.ZoomNativeGesture,
            QPointingDevice.primaryPointingDevice(),
            2,
            at,
            at,
            QPointF(near.mapToGlobal(at)),
            0.3,
            QPointF(),
        ),
    )
    assert session.viewport.scale == pytest.approx(1.3)
    assert session.viewport.to_l0(200, 100) == pytest.approx(place_l0, abs=1e-6)


def test_a_drag_moves_the_picture_with_the_hand(
    qtbot: QtBot, near: Canvas, session: Session
) -> None:
    place_l0 = session.viewport.to_l0(300, 300)
    QTest.mousePress(near, LEFT, NONE, QPoint(300, 300))
    for x in (302, 310, 340, 351):
        move(near, QPoint(x, 333), LEFT)
    assert session.viewport.to_l0(351, 333) == pytest.approx(place_l0, abs=1e-6)
    qtbot.wait(80)
    QTest.mouseRelease(near, LEFT, NONE, QPoint(351, 333))
    assert not near.glide.is_moving, "the hand had come to rest"
    assert session.selection is None


def test_a_thrown_picture_runs_on_and_a_press_stops_it(
    qtbot: QtBot, near: Canvas, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(0, 0.008)
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr(gestures, "time", clock)
    drag(near, (300, 300), (320, 300), (340, 300), (360, 300), (380, 300), (400, 300))
    assert near.glide.is_moving
    before = session.viewport.center_l0[0]
    qtbot.waitUntil(lambda: session.viewport.center_l0[0] < before - 5)
    QTest.mousePress(near, LEFT, NONE, QPoint(300, 300))
    assert not near.glide.is_moving
    QTest.mouseRelease(near, LEFT, NONE, QPoint(300, 300))


@pytest.mark.parametrize("hand", ["space", "middle"])
@pytest.mark.usefixtures("steady_hand")
def test_space_and_the_middle_button_pan_with_any_tool(
    near: Canvas, session: Session, hand: str
) -> None:
    session.set_tool("region")
    place_l0 = session.viewport.to_l0(300, 300)
    if hand == "space":
        QTest.keyPress(near, Qt.Key.Key_Space)
        drag(near, (300, 300), (340, 320))
        QTest.keyRelease(near, Qt.Key.Key_Space)
    else:
        drag(near, (300, 300), (340, 320), button=MIDDLE)
    assert session.viewport.to_l0(340, 320) == pytest.approx(place_l0, abs=1e-6)
    assert session.region_l0 is None
    assert session.tool == "region"


def test_arrow_keys_pan_and_plus_and_minus_zoom(
    qtbot: QtBot, near: Canvas, session: Session
) -> None:
    for key, way in (
        (Qt.Key.Key_Left, (-80, 0)),
        (Qt.Key.Key_Right, (80, 0)),
        (Qt.Key.Key_Up, (0, -80)),
        (Qt.Key.Key_Down, (0, 80)),
    ):
        x, y = session.viewport.center_l0
        QTest.keyClick(near, key)
        at_rest(qtbot, near)
        assert session.viewport.center_l0 == pytest.approx((x + way[0], y + way[1]), abs=0.01)
    for key, modifiers, factor in (
        (Qt.Key.Key_Plus, NONE, 1.5),
        (Qt.Key.Key_Minus, NONE, 1 / 1.5),
        (Qt.Key.Key_Up, SHIFT, 1.5),
        (Qt.Key.Key_Down, SHIFT, 1 / 1.5),
    ):
        scale = session.viewport.scale
        QTest.keyClick(near, key, modifiers)
        at_rest(qtbot, near)
        assert session.viewport.scale == pytest.approx(scale * factor)


def test_keys_with_control_are_left_to_the_menus(near: Canvas, session: Session) -> None:
    QTest.keyClick(near, Qt.Key.Key_Left, CTRL)
    QTest.keyClick(near, Qt.Key.Key_Plus, CTRL)
    assert not near.glide.is_moving


def test_a_double_click_zooms_to_twice_the_size_there(
    qtbot: QtBot, near: Canvas, session: Session
) -> None:
    place_l0 = session.viewport.to_l0(200, 200)
    QTest.mouseDClick(near, LEFT, NONE, QPoint(200, 200))
    at_rest(qtbot, near)
    assert session.viewport.scale == pytest.approx(2.0)
    assert session.viewport.to_l0(200, 200) == pytest.approx(place_l0, abs=1e-6)


def test_the_zoom_ends_at_sixteen_and_at_half_the_fitted_slide(
    qtbot: QtBot, near: Canvas, session: Session
) -> None:
    wheel(near, (400, 300), 40)
    at_rest(qtbot, near)
    assert session.viewport.scale == 16
    wheel(near, (400, 300), -80)
    at_rest(qtbot, near)
    assert session.viewport.scale == pytest.approx(session.viewport.fit_scale / 2)


def test_the_rectangle_tool_gives_the_region_in_level_0_pixels(
    near: Canvas, session: Session
) -> None:
    session.set_tool("region")
    assert near.cursor().shape() == Qt.CursorShape.CrossCursor
    left, top = session.viewport.to_l0(500, 400)
    drag(near, (500, 400), (450, 390), (300, 200))
    assert session.region_l0 == Rect(left - 200, top - 200, 200, 200)
    assert session.tool == "move", "one pans after drawing"
    QTest.keyClick(near, Qt.Key.Key_Escape)
    assert session.region_l0 is None


def test_a_region_is_reshaped_by_its_handles_and_kept_on_the_slide(
    near: Canvas, session: Session
) -> None:
    session.set_region(Rect(900, 700, 200, 100))
    x, y = (round(side) for side in session.viewport.to_view(1100, 750))
    near.setMouseTracking(True)
    move(near, QPoint(x, y))
    assert near.cursor().shape() == Qt.CursorShape.SizeHorCursor
    drag(near, (x, y), (x + 30, y + 50))
    assert session.region_l0 == Rect(900, 700, 230, 100)
    session.viewport.look_at(0, 0)
    session.set_tool("region")
    drag(near, (450, 350), (300, 200))
    assert session.region_l0 == Rect(0, 0, 50, 50)


def test_shift_makes_a_square(near: Canvas, session: Session) -> None:
    session.set_tool("region")
    drag(near, (300, 200), (350, 280), modifiers=SHIFT)
    assert session.region_l0 is not None
    assert (session.region_l0.width, session.region_l0.height) == (80, 80)


def test_escape_drops_a_rectangle_that_is_being_drawn(near: Canvas, session: Session) -> None:
    session.set_tool("region")
    QTest.mousePress(near, LEFT, NONE, QPoint(300, 200))
    move(near, QPoint(400, 300), LEFT)
    assert near.gestures.drawn_region_l0 is not None
    QTest.keyClick(near, Qt.Key.Key_Escape)
    QTest.mouseRelease(near, LEFT, NONE, QPoint(400, 300))
    assert session.region_l0 is None
    assert session.tool == "region"


def test_nothing_moves_without_a_slide(qtbot: QtBot, canvas: Canvas, session: Session) -> None:
    before = (session.viewport.center_l0, session.viewport.scale)
    wheel(canvas, (400, 300), 3)
    drag(canvas, (10, 10), (60, 60))
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    settle(qtbot, canvas, session)
    assert (session.viewport.center_l0, session.viewport.scale) == before

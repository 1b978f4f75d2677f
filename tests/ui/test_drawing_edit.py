"""Annotations reshaped by mouse and keys: vertices, the box, nudges, several chosen at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hands import LEFT, NONE, SHIFT, drag, move
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from test_drawing import drawing, drawn, l0, only

from pathoview.annotations.feature import Feature
from pathoview.session.session import Session
from pathoview.session.tools.tool import Look
from pathoview.ui.canvas import Canvas

__all__ = ["drawing"]

ALT = Qt.KeyboardModifier.AltModifier
TURNS = [(0.0, False), (30.0, False), (90.0, True)]
TRIANGLE = [(200, 200), (400, 200), (300, 350)]


def put(session: Session, *places: tuple[int, int]) -> Feature:
    """Add a polygon through places of the view, and take the move tool."""
    made = session.annotations.draw(shapely.Polygon(l0(session, *places)), "Put")
    assert made is not None
    session.set_tool("move")
    return made


def corners(session: Session) -> list[tuple[float, float]]:
    """Return the vertices of the only annotation, px of the view."""
    places = shapely.get_coordinates(only(session))[:-1]
    return [session.viewport.to_view(x, y) for x, y in places.tolist()]


def has_corners(session: Session, *wanted: tuple[float, float]) -> bool:
    there = np.array(sorted(corners(session)))
    return there.shape == (len(wanted), 2) and np.allclose(there, sorted(wanted), atol=0.1)


def turn(session: Session, rotation: float, is_flipped: bool) -> None:
    session.viewport.set_turn(rotation, is_flipped)
    session.viewport.look_at(1000, 700, 1.0)


def shown(session: Session) -> tuple[int, int]:
    """Return how many handles and knobs there are."""
    tool = session.toolbox.drawing
    assert tool is not None
    rest = tool.at_rest(Look(session.viewport.affine, session.viewport.visible_l0))
    return len(rest.handles_l0), len(rest.knobs_l0)


def cursor(drawing: Canvas, x: int, y: int) -> Qt.CursorShape:
    move(drawing, QPoint(x, y))
    return drawing.cursor().shape()


# -- vertices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rotation", "is_flipped"), TURNS)
def test_a_vertex_is_dragged_where_it_is_seen(
    drawing: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    turn(session, rotation, is_flipped)
    before = put(session, *TRIANGLE)
    drag(drawing, (300, 350), (310, 360), (340, 400))
    assert has_corners(session, (200, 200), (400, 200), (340, 400))
    assert session.history.undo_name == "Move vertex"
    session.undo()
    assert drawn(session) == [before]


def test_a_vertex_that_would_tear_the_outline_stays_behind(
    drawing: Canvas, session: Session
) -> None:
    put(session, (200, 200), (400, 200), (400, 400), (300, 300), (200, 400))
    drag(drawing, (300, 300), (300, 290), (300, 280), (300, 100))
    assert only(session).is_valid
    assert has_corners(session, (200, 200), (400, 200), (400, 400), (300, 280), (200, 400))


def test_a_double_click_on_an_edge_inserts_a_vertex_and_elsewhere_zooms(
    qtbot: QtBot, drawing: Canvas, session: Session
) -> None:
    put(session, *TRIANGLE)
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(300, 202))
    QTest.mouseDClick(drawing, LEFT, NONE, QPoint(300, 202))
    assert has_corners(session, *TRIANGLE, (300, 202))
    assert session.history.undo_name == "Insert vertex"
    assert session.viewport.scale == 1.0
    QTest.mouseDClick(drawing, LEFT, NONE, QPoint(600, 500))
    qtbot.waitUntil(lambda: session.viewport.scale > 1.5)


def test_an_alt_click_inserts_and_takes_away(drawing: Canvas, session: Session) -> None:
    put(session, *TRIANGLE)
    QTest.mouseClick(drawing, LEFT, ALT, QPoint(300, 200))
    assert has_corners(session, *TRIANGLE, (300, 200))
    QTest.mouseClick(drawing, LEFT, ALT, QPoint(300, 200))
    assert has_corners(session, *TRIANGLE)
    assert session.history.undo_name == "Delete vertex"
    QTest.mouseClick(drawing, LEFT, ALT, QPoint(300, 350))
    assert has_corners(session, *TRIANGLE), "two corners are no polygon"


def test_a_vertex_is_inserted_and_dragged_as_one_step(drawing: Canvas, session: Session) -> None:
    before = put(session, *TRIANGLE)
    drag(drawing, (300, 200), (300, 180), (300, 150), modifiers=ALT)
    assert has_corners(session, *TRIANGLE, (300, 150))
    session.undo()
    assert drawn(session) == [before]


def test_delete_takes_away_the_vertex_under_the_pointer(drawing: Canvas, session: Session) -> None:
    drawing.setFocus()
    put(session, *TRIANGLE, (200, 300))
    move(drawing, QPoint(200, 300))
    QTest.keyClick(drawing, Qt.Key.Key_Delete)
    assert has_corners(session, *TRIANGLE)


def test_a_locked_annotation_has_no_handles_and_stays(drawing: Canvas, session: Session) -> None:
    made = put(session, *TRIANGLE)
    assert shown(session) == (3 + 4, 1)
    session.annotations.edit("Lock", [made], lambda one: replace(one, is_locked=True))
    assert shown(session) == (0, 0)
    drag(drawing, (300, 350), (310, 360), (340, 400))
    assert session.history.undo_name == "Lock"


def test_vertices_too_close_to_be_told_apart_have_no_handles(
    drawing: Canvas, session: Session
) -> None:
    circle = shapely.Point(1000, 700).buffer(100, quad_segs=16)  # 64 vertices
    session.annotations.draw(circle, "Put")
    session.set_tool("move")
    assert shown(session) == (4, 1)
    session.viewport.look_at(1100, 700, 4.0)
    assert shown(session)[0] > 4


# -- the box ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rotation", "is_flipped"), [(0.0, False), (90.0, False), (90.0, True)])
def test_a_rectangle_stays_one_when_its_corner_is_dragged(
    drawing: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    turn(session, rotation, is_flipped)
    put(session, (200, 200), (300, 200), (300, 260), (200, 260))
    assert shown(session) == (4, 1)
    drag(drawing, (300, 260), (310, 270), (350, 300))
    assert has_corners(session, (200, 200), (350, 200), (350, 300), (200, 300))
    assert session.history.undo_name == "Scale"


def test_an_ellipse_stays_one_when_it_is_scaled_and_not_when_it_is_turned(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("ellipse")
    drag(drawing, (200, 200), (260, 230), (320, 280))
    session.set_tool("move")
    drag(drawing, (320, 280), (330, 290), (360, 320))
    (feature,) = drawn(session)
    assert feature.is_ellipse
    assert feature.geometry.bounds == pytest.approx(
        [*l0(session, (200, 200))[0], *l0(session, (360, 320))[0]], abs=0.05
    )
    drag(drawing, (280, 176), (290, 176), (456, 260))
    assert session.history.undo_name == "Rotate 90°"
    assert not drawn(session)[0].is_ellipse


def test_a_corner_of_the_box_scales_all_and_shift_keeps_proportions(
    drawing: Canvas, session: Session
) -> None:
    put(session, *TRIANGLE)
    drag(drawing, (410, 360), (420, 370), (510, 435))
    assert has_corners(session, (200, 200), (500, 200), (350, 425))
    session.undo()
    drag(drawing, (410, 360), (420, 370), (510, 435), modifiers=SHIFT)
    left, top, right, bottom = only(session).bounds
    assert (right - left) / (bottom - top) == pytest.approx(200 / 150, rel=1e-3)


def test_several_are_scaled_together(drawing: Canvas, session: Session) -> None:
    first = put(session, (200, 200), (240, 200), (240, 240), (200, 240))
    put(session, (300, 300), (400, 300), (400, 400), (300, 400))
    session.annotations.select([first.id], add=True)
    drag(drawing, (410, 410), (420, 420), (310, 310))
    areas = sorted(one.geometry.area for one in drawn(session))
    assert areas == pytest.approx([400, 2500], rel=1e-3)
    session.undo()
    assert sorted(one.geometry.area for one in drawn(session)) == pytest.approx([1600, 10000])


@pytest.mark.parametrize(("rotation", "is_flipped"), TURNS)
def test_the_knob_turns_and_says_by_how_much(
    drawing: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    turn(session, rotation, is_flipped)
    session.annotations.draw(shapely.box(900, 650, 1100, 750), "Put")
    session.set_tool("move")
    tool = session.toolbox.drawing
    assert tool is not None
    (knob,) = tool.at_rest(Look(session.viewport.affine)).knobs_l0
    x, y = (round(value) for value in session.viewport.to_view(*knob))
    middle_x, middle_y = session.viewport.to_view(1000, 700)
    assert y < middle_y, "it is above, as it is seen"
    right = round(middle_x + (middle_y - y)), round(middle_y + (x - middle_x))
    drag(drawing, (x, y), (x + 10, y + 10), right)
    degrees = -90 if is_flipped else 90
    assert session.history.undo_name in {f"Rotate {degrees}°", f"Rotate {-degrees}°"}
    assert only(session).bounds == pytest.approx((950, 600, 1050, 800), abs=2)


def test_shift_turns_by_fifteen_degrees(drawing: Canvas, session: Session) -> None:
    put(session, (200, 200), (300, 200), (300, 260), (200, 260))
    drag(drawing, (250, 176), (255, 176), (277, 183), modifiers=SHIFT)
    assert session.history.undo_name == "Rotate 30°"


# -- several, keys, pointers -----------------------------------------------------------------------


@pytest.mark.parametrize(("rotation", "is_flipped"), TURNS)
def test_shift_and_a_drag_on_the_ground_choose_what_lies_in_a_rectangle_of_the_screen(
    qtbot: QtBot, drawing: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    turn(session, rotation, is_flipped)
    session.set_tool("points")
    for place in [(210, 390), (390, 210), (410, 300), (300, 190)]:
        QTest.mouseClick(drawing, LEFT, NONE, QPoint(*place))
    session.set_tool("move")
    session.annotations.select(())
    center = session.viewport.center_l0
    drag(drawing, (200, 200), (300, 300), (400, 400), modifiers=SHIFT)
    assert session.annotations.selected_ids == {one.id for one in drawn(session)[:2]}
    assert session.viewport.center_l0 == center


def test_alt_and_arrows_move_by_a_px_of_the_screen(drawing: Canvas, session: Session) -> None:
    drawing.setFocus()
    turn(session, 90.0, False)
    session.viewport.look_at(1000, 700, 2.0)
    before = put(session, *TRIANGLE)
    QTest.keyClick(drawing, Qt.Key.Key_Right, ALT)
    x, y = np.subtract(only(session).bounds[:2], before.geometry.bounds[:2])
    right = session.viewport.to_l0(1, 0)
    origin = session.viewport.to_l0(0, 0)
    assert (x, y) == pytest.approx((right[0] - origin[0], right[1] - origin[1]), abs=0.011)
    assert session.history.undo_name == "Move annotation"


def test_a_hand_that_trembles_moves_nothing(drawing: Canvas, session: Session) -> None:
    before = put(session, *TRIANGLE)
    drag(drawing, (300, 250), (301, 251), (300, 251))
    assert drawn(session) == [before]


def test_escape_gives_up_a_drag(drawing: Canvas, session: Session) -> None:
    drawing.setFocus()
    before = put(session, *TRIANGLE)
    QTest.mousePress(drawing, LEFT, NONE, QPoint(300, 250))
    move(drawing, QPoint(350, 300), LEFT)
    QTest.keyClick(drawing, Qt.Key.Key_Escape)
    QTest.mouseRelease(drawing, LEFT, NONE, QPoint(350, 300))
    assert drawn(session) == [before]


def test_the_pointer_says_what_a_press_would_do(drawing: Canvas, session: Session) -> None:
    put(session, *TRIANGLE)
    shapes = Qt.CursorShape
    assert cursor(drawing, 600, 500) is shapes.ArrowCursor
    assert cursor(drawing, 300, 350) is shapes.CrossCursor
    assert cursor(drawing, 300, 250) is shapes.SizeAllCursor
    assert cursor(drawing, 410, 360) is shapes.SizeFDiagCursor
    assert cursor(drawing, 410, 190) is shapes.SizeBDiagCursor
    session.viewport.set_turn(90, False)
    x, y = session.viewport.to_view(*l0_corner(session))
    assert cursor(drawing, round(x), round(y)) is shapes.SizeBDiagCursor


def l0_corner(session: Session) -> tuple[float, float]:
    """Return the lower right corner of the box."""
    _left, _top, right, bottom = only(session).bounds
    return right + 10, bottom + 10

"""Ellipse, line, polyline, eraser, scissors and selection mode, by mouse and keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hands import LEFT, NONE, SHIFT, Picture, drag, move, picture, settle
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from test_drawing import drawing, drawn, l0, only

from pathoview.annotations.feature import Role
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas

__all__ = ["drawing"]

CTRL = Qt.KeyboardModifier.ControlModifier
TURNS = [(0.0, False), (30.0, False), (90.0, True)]


def box(session: Session, *corners: tuple[int, int]) -> shapely.Geometry:
    return shapely.box(*shapely.MultiPoint(l0(session, *corners)).bounds)


def click(canvas: Canvas, *places: tuple[int, int]) -> None:
    for x, y in places:
        QTest.mouseClick(canvas, LEFT, NONE, QPoint(x, y))


@pytest.mark.parametrize(("rotation", "is_flipped"), TURNS)
def test_an_ellipse_fills_the_box_between_two_places_of_the_slide(
    drawing: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    session.viewport.set_turn(rotation, is_flipped)
    session.set_tool("ellipse")
    drag(drawing, (200, 200), (260, 230), (320, 280))
    (feature,) = drawn(session)
    assert feature.is_ellipse
    wanted = box(session, (200, 200), (320, 280))
    assert feature.geometry.bounds == pytest.approx(wanted.bounds, abs=0.02)
    assert feature.geometry.area == pytest.approx(wanted.area * 0.785, rel=0.01)
    assert session.history.undo_name == "Draw ellipse"


def test_shift_makes_a_circle(drawing: Canvas, session: Session) -> None:
    session.set_tool("ellipse")
    drag(drawing, (200, 200), (260, 230), (300, 220), modifiers=SHIFT)
    left, top, right, bottom = only(session).bounds
    assert right - left == pytest.approx(100, abs=0.05)
    assert bottom - top == pytest.approx(100, abs=0.05)


def test_an_annotation_that_is_clicked_is_chosen_whatever_shape_is_in_hand(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("ellipse")
    drag(drawing, (200, 200), (260, 230), (300, 300))
    session.annotations.select(())
    click(drawing, (250, 250))
    assert session.annotations.selected == tuple(drawn(session))


@pytest.mark.parametrize(
    ("role", "name"), [("ruler", "Draw ruler"), ("arrow", "Draw arrow"), ("", "Draw line")]
)
def test_a_line_is_a_ruler_an_arrow_or_just_a_line(
    drawing: Canvas, session: Session, role: Role, name: str
) -> None:
    session.toolbox.kit.set("line_role", role)
    session.set_tool("line")
    drag(drawing, (200, 200), (260, 230), (300, 320))
    (feature,) = drawn(session)
    assert list(feature.geometry.coords) == l0(session, (200, 200), (300, 320))
    assert feature.role == role
    assert session.history.undo_name == name


def test_a_ruler_says_its_length_and_angle_while_it_is_drawn(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("line")
    QTest.mousePress(drawing, LEFT, NONE, QPoint(200, 300))
    move(drawing, QPoint(300, 200), LEFT)
    tool = session.toolbox.drawing
    assert tool is not None
    assert tool.preview.text == "70.71 µm  ·  45°"  # 0.5 µm a px
    move(drawing, QPoint(300, 290), LEFT, SHIFT)
    assert tool.preview.text.endswith("·  0°")
    QTest.mouseRelease(drawing, LEFT, SHIFT, QPoint(300, 290))
    (_x, y), (_end_x, end_y) = only(session).coords
    assert end_y == y
    assert tool.preview.text == ""


def still_picture(qtbot: QtBot, drawing: Canvas, session: Session) -> Picture:
    qtbot.waitUntil(lambda: not drawing.drawing._afterglow)
    settle(qtbot, drawing, session)
    return picture(drawing)


def test_a_ruler_keeps_its_length_in_view_and_an_arrow_its_head(
    qtbot: QtBot, drawing: Canvas, session: Session
) -> None:
    session.set_tool("line")
    for role, y in (("ruler", 200), ("arrow", 400)):
        session.toolbox.kit.set("line_role", role)
        drag(drawing, (200, y), (260, y), (400, y))
    session.annotations.select(())
    with_marks = still_picture(qtbot, drawing, session).astype(int)
    for feature in drawn(session):
        session.annotations.edit("Plain", [feature], lambda one: replace(one, role=""))
    changed = np.abs(still_picture(qtbot, drawing, session) - with_marks).max(axis=2) > 40
    rows, columns = np.nonzero(changed[:500])
    is_ruler = rows < 300
    assert 140 < columns[is_ruler].min() < columns[is_ruler].max() < 460
    assert 205 <= rows[is_ruler].min() < rows[is_ruler].max() < 235
    assert columns[~is_ruler].min() > 380


def test_a_polyline_is_clicked_and_ended_by_a_double_click(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("polyline")
    click(drawing, (200, 200), (300, 200), (300, 300))
    QTest.mouseDClick(drawing, LEFT, NONE, QPoint(300, 300))
    (feature,) = drawn(session)
    assert list(feature.geometry.coords) == l0(session, (200, 200), (300, 200), (300, 300))
    assert feature.role == "scribble"
    assert session.history.undo_name == "Scribble"


def test_a_polyline_may_come_back_to_its_start_without_being_ended(
    drawing: Canvas, session: Session
) -> None:
    drawing.setFocus()
    session.toolbox.kit.set("polyline_role", "")
    session.set_tool("polyline")
    click(drawing, (200, 200), (300, 200), (300, 300), (200, 201), (150, 150))
    assert not drawn(session)
    QTest.keyClick(drawing, Qt.Key.Key_Return)
    (feature,) = drawn(session)
    assert len(feature.geometry.coords) == 5
    assert feature.role == ""


def test_a_polyline_is_drawn_freehand(drawing: Canvas, session: Session) -> None:
    session.set_tool("polyline")
    drag(drawing, (200, 200), (250, 180), (300, 200), (320, 250))
    shape = only(session)
    assert shape.geom_type == "LineString"
    assert shape.length > 150


def test_an_eraser_takes_away_and_leaves_the_ground_alone(
    qtbot: QtBot, drawing: Canvas, session: Session
) -> None:
    session.set_tool("ellipse")
    drag(drawing, (200, 200), (260, 230), (400, 400))
    (before,) = drawn(session)
    session.set_tool("eraser")
    drag(drawing, (300, 150), (300, 300), (300, 450))
    (after,) = drawn(session)
    assert after.geometry.geom_type == "MultiPolygon"
    assert not after.is_ellipse
    assert session.history.undo_name == "Erase"
    session.undo()
    assert drawn(session) == [before]
    session.annotations.select(())
    drag(drawing, (600, 500), (650, 500))
    assert drawn(session) == [before]
    drag(drawing, *[(x, y) for y in range(190, 420, 40) for x in (180, 420)])
    assert drawn(session) == [before], "it began beside"


def test_what_is_erased_altogether_is_gone(drawing: Canvas, session: Session) -> None:
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (205, 205), (215, 215))
    session.set_tool("eraser")
    drag(drawing, (207, 207), (212, 212))
    assert drawn(session) == []
    session.undo()
    assert len(drawn(session)) == 1


def test_a_brush_held_by_ctrl_and_shift_stays_inside_what_it_begins_in(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (205, 205), (300, 300))
    session.annotations.select(())
    session.annotations.choose_class(2)
    session.set_tool("brush")
    drag(drawing, (280, 250), (300, 250), (380, 250), modifiers=CTRL | SHIFT)
    region, painted = drawn(session)
    assert region.geometry.buffer(0.02).covers(painted.geometry)
    assert painted.geometry.area > 1000


def test_a_brush_of_one_size_on_the_slide_is_resized_there(
    drawing: Canvas, session: Session
) -> None:
    drawing.setFocus()
    settings = session.settings.drawing
    session.toolbox.kit.set("brush_follows_zoom", False)
    session.set_tool("brush")
    before = settings.brush_l0, settings.brush_view
    QTest.keyClick(drawing, Qt.Key.Key_BracketRight)
    assert settings.brush_l0 > before[0]
    assert settings.brush_view == before[1]


def test_a_brush_shows_the_colour_of_what_it_alters(drawing: Canvas, session: Session) -> None:
    session.annotations.choose_class(2)
    session.set_tool("brush")
    drag(drawing, (200, 300), (250, 300))
    session.annotations.choose_class(0)
    QTest.mousePress(drawing, LEFT, SHIFT, QPoint(240, 300))
    move(drawing, QPoint(280, 300), LEFT, SHIFT)
    tool = session.toolbox.drawing
    assert tool is not None
    said = drawn(session)[0].classification
    assert said is not None
    assert tool.preview.color == said.color
    QTest.mouseRelease(drawing, LEFT, SHIFT, QPoint(280, 300))


# -- scissors --------------------------------------------------------------------------------------


def test_scissors_cut_in_pieces_of_one_class_as_one_step(
    qtbot: QtBot, drawing: Canvas, session: Session
) -> None:
    session.annotations.choose_class(1)
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (260, 230), (400, 300))
    (before,) = drawn(session)
    session.set_tool("scissors")
    drag(drawing, (250, 150), (250, 250), (250, 350))
    pieces = drawn(session)
    assert sorted(one.geometry.area for one in pieces) == [5000, 15000]
    assert {one.classification for one in pieces} == {before.classification}
    largest = max(pieces, key=lambda one: one.geometry.area)
    assert largest.id == before.id
    assert session.annotations.selected_ids == {one.id for one in pieces}
    assert session.history.undo_name == "Cut"
    session.undo()
    assert drawn(session) == [before]


def test_scissors_cut_the_chosen_one_only_and_no_locked_one(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("rectangle")
    for top in (200, 320):
        drag(drawing, (200, top), (260, top + 30), (400, top + 100))
    session.set_tool("scissors")
    drag(drawing, (250, 150), (250, 450))
    assert len(drawn(session)) == 3, "the second one was chosen"
    session.annotations.select(())
    drag(drawing, (350, 150), (350, 450))
    assert len(drawn(session)) == 5


def test_scissors_that_do_not_come_out_again_cut_nothing(drawing: Canvas, session: Session) -> None:
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (260, 230), (400, 300))
    session.set_tool("scissors")
    drag(drawing, (250, 150), (250, 250))
    assert len(drawn(session)) == 1
    assert session.history.undo_name == "Draw rectangle"


def test_shift_cuts_straight(drawing: Canvas, session: Session) -> None:
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (260, 230), (400, 300))
    session.set_tool("scissors")
    drag(drawing, (250, 150), (390, 250), (250, 350), modifiers=SHIFT)
    assert sorted(one.geometry.area for one in drawn(session)) == [5000, 15000]


# -- selection mode --------------------------------------------------------------------------------


def points(drawing: Canvas, session: Session, *places: tuple[int, int]) -> None:
    session.set_tool("points")
    click(drawing, *places)
    session.annotations.select(())


@pytest.mark.parametrize("tool", ["rectangle", "ellipse", "polygon", "brush"])
def test_in_selection_mode_a_shape_chooses_what_lies_in_it(
    qtbot: QtBot, drawing: Canvas, session: Session, tool: str
) -> None:
    points(drawing, session, (240, 220), (260, 222), (500, 500))
    inside = drawn(session)[:2]
    session.toolbox.kit.set_selecting(on=True)
    session.set_tool(tool)  # type: ignore[arg-type]
    ways = {
        "polygon": [(200, 180), (300, 180), (300, 280), (200, 280)],
        "brush": [(240, 220), (260, 222)],
    }
    drag(drawing, *ways.get(tool, [(200, 180), (250, 200), (300, 260)]))
    assert session.annotations.selected_ids == {one.id for one in inside}
    assert len(drawn(session)) == 3


def test_the_move_tool_in_selection_mode_is_a_lasso(
    qtbot: QtBot, drawing: Canvas, session: Session
) -> None:
    points(drawing, session, (240, 220), (260, 222), (500, 500))
    session.set_tool("move")
    session.toolbox.kit.set_selecting(on=True)
    drag(drawing, (450, 450), (550, 450), (550, 550), (450, 550))
    assert session.annotations.selected == (drawn(session)[2],)
    drag(drawing, (200, 180), (300, 180), (300, 280), (200, 280), modifiers=SHIFT)
    assert len(session.annotations.selected) == 3

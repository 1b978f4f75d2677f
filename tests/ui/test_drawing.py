"""Drawing annotations by mouse and keys, as a person does it."""

from __future__ import annotations

import pytest
import shapely
from hands import drag, move
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pathoview.annotations.feature import Feature
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def drawing(qtbot: QtBot, open_canvas: Canvas, session: Session) -> Canvas:
    """The canvas at one px a level-0 px, ready to be drawn on."""
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    open_canvas.overview.hide()
    session.viewport.look_at(1000, 700, 1.0)
    return open_canvas


def drawn(session: Session) -> list[Feature]:
    assert session.annotations.document is not None
    return list(session.annotations.document)


def only(session: Session) -> shapely.Geometry:
    (feature,) = drawn(session)
    return feature.geometry


def l0(session: Session, *places: tuple[int, int]) -> list[tuple[float, float]]:
    return [session.viewport.to_l0(x, y) for x, y in places]


def test_a_rectangle_is_drawn_from_corner_to_corner(drawing: Canvas, session: Session) -> None:
    session.set_tool("rectangle")
    session.annotations.choose_class(2)
    drag(drawing, (200, 200), (260, 230), (300, 260))
    (feature,) = drawn(session)
    assert feature.geometry.equals(
        shapely.box(*l0(session, (200, 200))[0], *l0(session, (300, 260))[0])
    )
    assert feature.classification is not None
    assert feature.classification.name == "Stroma"
    assert feature.author
    assert session.annotations.selected == (feature,)
    assert session.history.undo_name == "Draw rectangle"
    session.undo()
    assert drawn(session) == []
    session.redo()
    assert drawn(session) == [feature]


def test_shift_makes_a_square(drawing: Canvas, session: Session) -> None:
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (260, 230), (300, 260), modifiers=SHIFT)
    left, top, right, bottom = only(session).bounds
    assert right - left == bottom - top == 100


def test_a_polygon_is_clicked_and_closed_by_a_double_click(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("polygon")
    for x, y in [(200, 200), (300, 200), (300, 300)]:
        QTest.mouseClick(drawing, LEFT, NONE, QPoint(x, y))
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(200, 300))
    QTest.mouseDClick(drawing, LEFT, NONE, QPoint(200, 300))
    assert only(session).equals(
        shapely.Polygon(l0(session, (200, 200), (300, 200), (300, 300), (200, 300)))
    )


def test_return_closes_a_polygon_backspace_takes_a_corner_back_and_escape_all(
    drawing: Canvas, session: Session
) -> None:
    drawing.setFocus()
    session.set_tool("polygon")
    for x, y in [(200, 200), (300, 200), (300, 300), (500, 500)]:
        QTest.mouseClick(drawing, LEFT, NONE, QPoint(x, y))
    QTest.keyClick(drawing, Qt.Key.Key_Backspace)
    QTest.keyClick(drawing, Qt.Key.Key_Return)
    assert only(session).equals(shapely.Polygon(l0(session, (200, 200), (300, 200), (300, 300))))
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(100, 100))
    QTest.keyClick(drawing, Qt.Key.Key_Escape)
    assert session.tool == "polygon"
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(100, 100))
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(150, 100))
    QTest.keyClick(drawing, Qt.Key.Key_Return)
    assert len(drawn(session)) == 1, "two corners are no polygon"


def test_a_polygon_is_drawn_freehand(drawing: Canvas, session: Session) -> None:
    session.set_tool("polygon")
    drag(drawing, (200, 200), (250, 180), (300, 200), (320, 250), (300, 300), (200, 300))
    shape = only(session)
    assert shape.is_valid
    assert 9000 < shape.area < 15000


def test_a_brush_paints_goes_on_and_takes_away(drawing: Canvas, session: Session) -> None:
    session.set_tool("brush")
    drag(drawing, (200, 300), (250, 300), (300, 300))
    first = only(session)
    assert first.contains(shapely.LineString(l0(session, (200, 300), (300, 300))))
    drag(drawing, (300, 300), (300, 350), (300, 400))
    grown = only(session)
    assert grown.area > first.area
    assert session.history.undo_name == "Brush stroke"
    drag(drawing, (250, 250), (250, 300), (250, 350), modifiers=ALT)
    cut = only(session)
    assert cut.geom_type == "MultiPolygon"
    assert session.history.undo_name == "Erase"
    for shape in (grown, first):
        session.undo()
        assert only(session).equals(shape)
    drag(drawing, (600, 100), (620, 100))
    assert len(drawn(session)) == 2


def test_shift_goes_on_with_the_chosen_annotation_elsewhere(
    drawing: Canvas, session: Session
) -> None:
    session.set_tool("brush")
    drag(drawing, (200, 300), (220, 300))
    drag(drawing, (500, 300), (520, 300), modifiers=SHIFT)
    assert only(session).geom_type == "MultiPolygon"


def test_keys_and_the_wheel_change_the_brush(drawing: Canvas, session: Session) -> None:
    drawing.setFocus()
    session.set_tool("brush")
    before = session.settings.drawing.brush_view
    QTest.keyClick(drawing, Qt.Key.Key_BracketRight)
    assert session.settings.drawing.brush_view > before
    QTest.keyClick(drawing, Qt.Key.Key_BracketLeft)
    assert session.settings.drawing.brush_view == pytest.approx(before)
    place = QPointF(300, 300)
    event = QWheelEvent(
        place,
        drawing.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        ALT,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    scale = session.viewport.scale
    QApplication.sendEvent(drawing, event)
    assert session.settings.drawing.brush_view > before
    assert session.viewport.scale == scale


def test_points_are_set_moved_and_deleted(qtbot: QtBot, drawing: Canvas, session: Session) -> None:
    session.set_tool("points")
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(200, 200))
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(300, 300))
    places = [feature.geometry.coords[0] for feature in drawn(session)]
    assert places == l0(session, (200, 200), (300, 300))
    qtbot.waitUntil(lambda: session.annotations.is_drawn)
    drag(drawing, (200, 200), (220, 220), (240, 210))
    assert drawn(session)[0].geometry.coords[0] == l0(session, (240, 210))[0]
    session.operations.do("delete")
    assert len(drawn(session)) == 1


def test_the_move_tool_chooses_and_moves(drawing: Canvas, session: Session) -> None:
    session.set_tool("rectangle")
    drag(drawing, (200, 200), (300, 300))
    drag(drawing, (400, 200), (500, 300))
    session.set_tool("move")
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(250, 250))
    first, second = drawn(session)
    assert session.annotations.selected == (first,)
    QTest.mouseClick(drawing, LEFT, SHIFT, QPoint(450, 250))
    assert session.annotations.selected == (first, second)
    drag(drawing, (250, 250), (260, 260), (280, 290))
    assert [one.geometry.bounds[:2] for one in drawn(session)] == l0(
        session, (230, 240), (430, 240)
    )
    session.undo()
    assert [one.geometry.bounds[:2] for one in drawn(session)] == l0(
        session, (200, 200), (400, 200)
    )
    QTest.mouseClick(drawing, LEFT, NONE, QPoint(700, 500))
    assert session.annotations.selected == ()


def test_what_is_drawn_is_seen_at_once_and_later_from_its_layer(
    qtbot: QtBot, drawing: Canvas, session: Session
) -> None:
    session.set_tool("rectangle")
    session.annotations.choose_class(1)
    drag(drawing, (200, 200), (300, 300))
    session.annotations.select(())

    def red_at_edge() -> bool:
        color = drawing.grab().toImage().pixelColor(200, 250)
        return color.red() > 150 and color.green() < 90

    assert red_at_edge()
    move(drawing, QPoint(600, 500))
    qtbot.waitUntil(lambda: not drawing.drawing._afterglow)
    assert red_at_edge()
    assert session.annotations.layer in session.layers

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hands import LEFT, NONE, Picture, drag, is_still, move, picture
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QAction, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSplitter
from pytestqt.qtbot import QtBot

from pathoview.core.pyramid import Plane
from pathoview.layers.layer import Layer
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.canvas import Canvas
from pathoview.ui.view_grid import ViewGrid
from pathoview.ui.view_header import ViewHeader


@pytest.fixture
def grid(qtbot: QtBot, session: Session, slide_path: Path) -> Iterator[ViewGrid]:
    """A grid of one canvas that shows the slide."""
    grid = ViewGrid(session)
    qtbot.addWidget(grid)
    grid.resize(1000, 700)
    grid.show()
    qtbot.waitExposed(grid)
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    yield grid
    grid.hide()


def split(qtbot: QtBot, grid: ViewGrid, session: Session, n: int) -> list[Canvas]:
    run_command(session, {1: "compare.one", 2: "compare.two", 4: "compare.four"}[n])
    qtbot.waitUntil(lambda: len({canvas.width() for canvas in grid.canvases}) == 1)
    settle(qtbot, grid, session)
    return list(grid.canvases)


def settle(qtbot: QtBot, grid: ViewGrid, session: Session) -> None:
    def is_at_rest() -> bool:
        return all(
            is_still(canvas, session) and not canvas.glide.is_moving for canvas in grid.canvases
        )

    qtbot.wait(20)
    qtbot.waitUntil(is_at_rest, timeout=20_000)
    qtbot.wait(20)


def middle(seen: Picture) -> Picture:
    return seen[60:-60, 20:-20].astype(int)


def look(canvas: Canvas) -> tuple[object, ...]:
    viewport = canvas.viewport
    return viewport.center_l0, viewport.scale, viewport.rotation, viewport.is_flipped


def leave(canvas: Canvas) -> None:
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def choose(header: ViewHeader, *names: str) -> None:
    """Click an entry of the header's menu, or of a menu in it."""
    menu = header.menu
    menu.aboutToShow.emit()
    for name in names:
        (action,) = [found for found in menu.actions() if found.text() == name]
        assert isinstance(action, QAction)
        if action.menu() is None:
            action.trigger()
        else:
            menu = action.menu()


def test_one_two_and_four_canvases_share_the_room(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    (only,) = grid.canvases
    assert not grid.headers[0].isVisible()
    for n in (2, 4, 2, 1):
        canvases = split(qtbot, grid, session, n)
        assert canvases[0] is only
        assert len(canvases) == n
        assert all(canvas.isVisible() for canvas in canvases)
        assert all(header.isVisible() == (n > 1) for header in grid.headers)
        assert [canvas.overview.isVisible() for canvas in canvases] == [True] + [False] * (n - 1)
    assert only.size() == grid.size()


def test_a_drag_in_one_moves_the_other_when_they_are_linked(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    first, second = split(qtbot, grid, session, 2)
    session.viewport.look_at(1024, 768, 1.0)
    session.viewport.turn(20)
    drag(second, (300, 300), (250, 280), (200, 250))
    second.glide.stop()
    assert look(first) == look(second)
    assert look(first)[0] != (1024, 768)
    leave(second)
    first.overview.hide()
    settle(qtbot, grid, session)
    assert (middle(picture(first)) == middle(picture(second))).all()


def test_a_drag_in_one_leaves_the_other_when_they_are_not_linked(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    first, second = split(qtbot, grid, session, 2)
    session.viewport.look_at(1024, 768, 1.0)
    qtbot.mouseClick(grid.headers[0].link_button, LEFT)
    assert not session.views.is_linked
    drag(second, (300, 300), (250, 280), (200, 250))
    second.glide.stop()
    assert look(first) == ((1024, 768), 1.0, 0, False)
    there = look(second)
    assert there != look(first)
    qtbot.mouseClick(grid.headers[1].link_button, LEFT)
    assert look(first) == look(second) == there


def test_a_press_on_one_canvas_stops_the_throw_of_another(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    first, second = split(qtbot, grid, session, 2)
    session.viewport.look_at(1024, 768, 1.0)
    first.glide.throw(400, 0)
    QTest.mousePress(second, LEFT, NONE, QPoint(200, 200))
    assert not first.glide.is_moving
    QTest.mouseRelease(second, LEFT, NONE, QPoint(200, 200))


def test_a_cross_shows_the_place_of_the_pointer_on_the_other_canvas(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    first, second = split(qtbot, grid, session, 2)
    session.viewport.look_at(1024, 768, 1.0)
    settle(qtbot, grid, session)
    before = picture(second)
    move(first, QPoint(200, 300))
    assert first.linked_cursor.place_view is None
    assert second.linked_cursor.place_view == QPointF(200, 300)
    changed = np.argwhere((picture(second) != before).any(axis=2))
    assert changed.min(axis=0) == pytest.approx((300 - 14, 200 - 14), abs=3)
    assert changed.max(axis=0) == pytest.approx((300 + 14, 200 + 14), abs=3)
    session.viewport.pan(40, 0)
    assert second.linked_cursor.place_view == QPointF(200, 300)
    session.views.is_linked = False
    assert second.linked_cursor.place_view is None
    session.views.is_linked = True
    leave(first)
    assert session.cursor_l0 is None
    assert second.linked_cursor.place_view is None


def test_the_one_canvas_has_no_cross(grid: ViewGrid, session: Session) -> None:
    session.set_cursor(100, 100)
    assert grid.canvases[0].linked_cursor.place_view is None


def test_separators_are_dragged_and_those_of_two_rows_are_one(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    canvases = split(qtbot, grid, session, 4)
    session.viewport.look_at(1024, 768, 1.0)
    rows = [
        next(found for found in grid.findChildren(QSplitter) if found.indexOf(cell) >= 0)
        for cell in (canvases[0].parentWidget(), canvases[2].parentWidget())
    ]
    width = canvases[0].width()
    for row, step in zip(rows, (-148, 60), strict=True):
        drag(row.handle(1), (1, 50), (1 + step, 50))
        QApplication.processEvents()
        width += step
        assert [canvas.width() for canvas in canvases[::2]] == [width, width]
        assert canvases[1].width() == canvases[3].width()
    assert {look(canvas) for canvas in canvases} == {((1024, 768), 1.0, 0, False)}


def test_the_active_canvas_is_marked_and_keys_work_on_it(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    first, second = split(qtbot, grid, session, 2)
    session.views.is_linked = False
    accent = QColor(theme.current().accent).getRgb()[:3]

    def marked() -> list[bool]:
        return [bool((picture(header)[0, 5] == accent).all()) for header in grid.headers]

    qtbot.mouseClick(first, LEFT, pos=QPoint(100, 300))
    assert marked() == [True, False]
    qtbot.mouseClick(grid.headers[1], LEFT, pos=QPoint(200, 14))
    assert marked() == [False, True]
    assert grid.active is second
    scale = first.viewport.scale
    run_command(session, "view.zoom_in")
    assert second.viewport.scale > scale == first.viewport.scale


def test_each_canvas_shows_the_layers_that_its_menu_says(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    first, second = split(qtbot, grid, session, 2)
    session.viewport.look_at(1024, 768, 1.0)
    cover = Layer("Cover", session.layers[0].source, opacity=0.5, blend="multiply")
    session.layers.add(cover)
    session.scheduler.add(cover.source, Plane())
    settle(qtbot, grid, session)
    header = grid.headers[1]
    assert header.layers_button.text() == "All layers"
    covered = middle(picture(first)).mean()
    choose(header, "Cover")
    settle(qtbot, grid, session)
    assert header.layers_button.text() == "Only Slide"
    assert middle(picture(first)).mean() == pytest.approx(covered, abs=0.01)
    assert middle(picture(second)).mean() > covered + 5
    choose(header, "Only one", "Cover")
    assert header.layers_button.text() == "Only Cover"
    choose(header, "All layers")
    assert header.layers_button.text() == "All layers"
    cover.visible = False
    header.menu.aboutToShow.emit()
    assert "Cover (hidden)" in [action.text() for action in header.menu.actions()]


def compositors() -> set[threading.Thread]:
    """Return the threads that compose views; those that read tiles come and go as needed."""
    return {thread for thread in threading.enumerate() if thread.name == "compositor"}


def test_canvases_that_go_leave_no_thread_and_hear_nothing_more(
    qtbot: QtBot, grid: ViewGrid, session: Session
) -> None:
    before = compositors()
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    session.set_tool("polygon")
    going = split(qtbot, grid, session, 4)[1:]
    going[2].setFocus()
    going[1].glide.throw(500, 0)
    move(going[0], QPoint(50, 60))
    assert len(compositors()) == 4
    split(qtbot, grid, session, 1)
    qtbot.waitUntil(lambda: compositors() == before)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    session.set_tool("region")  # the tool in hand is put away
    session.layers_changed.emit()
    session.set_cursor(3, 4)
    session.layers[0].opacity = 0.9
    session.viewport.pan(5, 5)
    settle(qtbot, grid, session)


def test_a_slide_is_closed_and_another_opened_while_the_view_is_split(
    qtbot: QtBot, grid: ViewGrid, session: Session, slide_path: Path
) -> None:
    canvases = split(qtbot, grid, session, 4)
    session.close_slide()
    assert [canvas.isVisible() for canvas in canvases] == [True, False, False, False]
    assert canvases[0].welcome.isVisible()
    assert not any(header.isVisible() for header in grid.headers)
    qtbot.waitUntil(lambda: canvases[0].size() == grid.size())
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    settle(qtbot, grid, session)
    assert all(canvas.isVisible() for canvas in canvases)
    assert len({look(canvas) for canvas in canvases}) == 1
    assert (middle(picture(canvases[1])) == middle(picture(canvases[3]))).all()

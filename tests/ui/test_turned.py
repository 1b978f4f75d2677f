"""The canvas turned and mirrored: everything on it works as before."""

from __future__ import annotations

import numpy as np
import pytest
from hands import LEFT, drag, picture, settle
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from test_canvas import show_squares

from pathoview.core.geometry import Rect
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.turn import TurnDialog
from pathoview.ui.turn_chip import turn_text

TURNS = [(30.0, False), (90.0, True), (205.0, True)]


@pytest.mark.parametrize(("rotation", "is_flipped"), TURNS)
def test_a_region_is_drawn_between_the_places_under_the_pointer(
    open_canvas: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    viewport = session.viewport
    viewport.look_at(1000, 700, 0.8)
    viewport.set_turn(rotation, is_flipped)
    session.set_tool("region")
    drag(open_canvas, (380, 200), (400, 300), (460, 420))
    assert session.region_l0 is not None
    first, last = viewport.to_l0(380, 200), viewport.to_l0(460, 420)
    xs, ys = sorted((first[0], last[0])), sorted((first[1], last[1]))
    wanted = Rect.from_corners(xs[0], ys[0], xs[1], ys[1])
    assert session.region_l0.center == pytest.approx(wanted.center, abs=1)
    assert session.region_l0.width == pytest.approx(wanted.width, abs=1)


def test_a_corner_of_a_region_is_dragged_where_it_is_seen(
    open_canvas: Canvas, session: Session
) -> None:
    viewport = session.viewport
    viewport.look_at(1000, 700, 0.8)
    viewport.set_turn(30, False)
    session.set_region(Rect(900, 600, 200, 100))
    x, y = (round(value) for value in viewport.to_view(1100, 700))
    drag(open_canvas, (x, y), (x + 10, y + 30), (x + 20, y + 60))
    assert session.region_l0 is not None
    right, bottom = viewport.to_l0(x + 20, y + 60)
    assert session.region_l0.right == pytest.approx(right, abs=2)
    assert session.region_l0.bottom == pytest.approx(bottom, abs=2)
    assert session.region_l0.x == pytest.approx(900, abs=1)


@pytest.mark.parametrize(("rotation", "is_flipped"), TURNS)
def test_a_click_selects_what_is_seen_there(
    qtbot: QtBot, open_canvas: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    assert session.path is not None
    show_squares(session.path, [(900, 640), (1200, 900)])
    session.open(session.path)
    qtbot.waitUntil(lambda: session.results is not None and session.results.statistics.n == 2)
    session.viewport.look_at(1000, 700, 0.9)
    session.viewport.set_turn(rotation, is_flipped)
    x, y = session.viewport.to_view(920, 660)
    QTest.mouseClick(open_canvas, LEFT, pos=QPoint(round(x), round(y)))
    assert session.selection is not None
    assert session.selection.outline_l0.min(axis=0).tolist() == [900, 640]


@pytest.mark.usefixtures("steady_hand")
def test_a_drag_moves_the_picture_with_the_pointer(open_canvas: Canvas, session: Session) -> None:
    viewport = session.viewport
    viewport.look_at(1000, 700, 1.5)
    viewport.set_turn(70, True)
    held_l0 = viewport.to_l0(400, 300)
    drag(open_canvas, (400, 300), (440, 320), (470, 350), (470, 350))
    assert viewport.to_view(*held_l0) == pytest.approx((470, 350), abs=6)


def test_the_picture_is_the_slide_turned(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    open_canvas.overview.hide()
    session.viewport.look_at(1000, 700, 1.0)
    settle(qtbot, open_canvas, session)
    upright = picture(open_canvas)[100:500, 200:600].astype(int)
    session.viewport.set_turn(90, False)
    settle(qtbot, open_canvas, session)
    turned = picture(open_canvas)[100:500, 200:600].astype(int)
    assert np.abs(np.rot90(upright, -1) - turned).mean() < 1
    assert np.abs(upright - turned).mean() > 5


def test_the_box_in_the_overview_is_turned(open_canvas: Canvas, session: Session) -> None:
    overview = open_canvas.overview
    session.viewport.look_at(1024, 768, 1.0)
    session.viewport.set_turn(45, False)
    accent = QColor(theme.ACCENT).getRgb()[:3]
    near = np.abs(picture(overview).astype(int) - accent).sum(axis=2) < 60
    around = session.viewport.visible_l0
    px_l0 = overview.width() / 2048, overview.height() / 1536
    seen = [
        near[y - 3 : y + 4, x - 3 : x + 4].any()
        for x_l0, y_l0 in (*session.viewport.corners_l0, (around.x, around.y))
        for x, y in [(round(x_l0 * px_l0[0]), round(y_l0 * px_l0[1]))]
    ]
    assert seen == [True, True, True, True, False]
    assert overview.to_l0(QPointF(overview.rect().center())) == pytest.approx((1024, 768), abs=12)


def test_a_chip_says_the_turn_and_a_click_takes_it_back(
    open_canvas: Canvas, session: Session
) -> None:
    chip = open_canvas.turn_chip
    assert not chip.isVisible()
    session.viewport.turn(30)
    assert chip.isVisible()
    assert chip.text() == "↻ 30°"
    session.viewport.flip()
    QTest.mouseClick(chip, LEFT)
    assert session.viewport.look().is_upright
    assert not chip.isVisible()


@pytest.mark.parametrize(
    ("rotation", "is_flipped", "text"),
    [(0, False, ""), (345, False, "↺ 15°"), (180, False, "↺ 180°"), (0, True, "mirrored")],
)
def test_a_turn_is_said_the_shorter_way(rotation: float, is_flipped: bool, text: str) -> None:
    assert turn_text(rotation, is_flipped) == text


def test_slider_and_number_turn_the_view_and_follow_it(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    dialog = TurnDialog(session, open_canvas)
    dialog.show()
    dialog.slider.setValue(-300)
    assert session.viewport.rotation == 330
    assert dialog.angle.value() == -30
    dialog.angle.setValue(12.5)
    assert session.viewport.rotation == 12.5
    assert dialog.slider.value() == 125
    QTest.mouseClick(dialog.flipped, LEFT, pos=QPoint(8, dialog.flipped.height() // 2))
    assert session.viewport.is_flipped
    session.viewport.set_turn(90, False)
    assert (dialog.angle.value(), dialog.flipped.isChecked()) == (90, False)
    QTest.mouseClick(dialog.upright, LEFT)
    assert session.viewport.look().is_upright
    dialog.close()
    session.viewport.turn(10)

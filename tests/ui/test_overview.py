from __future__ import annotations

import pytest
from hands import LEFT, MIDDLE, drag, picture, settle
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.canvas import Canvas


def shows_the_slide(overview: QWidget) -> bool:
    """Whether its picture, which is made elsewhere, is there."""
    return bool(picture(overview)[30:-10, 10:-10].mean() > 120)


def test_the_overview_has_the_slides_shape_and_picture(qtbot: QtBot, open_canvas: Canvas) -> None:
    overview = open_canvas.overview
    assert overview.width() / overview.height() == pytest.approx(2048 / 1536, rel=0.02)
    qtbot.waitUntil(lambda: shows_the_slide(overview))
    assert overview.geometry().right() < open_canvas.width()


def test_a_click_on_the_overview_jumps_there(open_canvas: Canvas, session: Session) -> None:
    overview = open_canvas.overview
    session.viewport.look_at(1024, 768, 2.0)
    at = QPoint(overview.width() // 4, overview.height() // 2)
    QTest.mouseClick(overview, LEFT, pos=at)
    wanted_l0 = overview.to_l0(QPointF(at))
    assert session.viewport.center_l0 == pytest.approx(wanted_l0)
    assert wanted_l0 == pytest.approx((512, 768), abs=30)
    assert session.viewport.scale == 2.0


def test_a_drag_on_the_overview_follows_the_pointer(open_canvas: Canvas, session: Session) -> None:
    overview = open_canvas.overview
    session.viewport.look_at(1024, 768, 2.0)
    drag(overview, (40, 60), (60, 70), (90, 80))
    assert session.viewport.center_l0 == pytest.approx(overview.to_l0(QPointF(90, 80)))
    QTest.mouseClick(overview, MIDDLE, pos=QPoint(20, 20))
    assert session.viewport.center_l0 == pytest.approx(overview.to_l0(QPointF(90, 80)))


def test_the_box_shows_what_is_seen(open_canvas: Canvas, session: Session) -> None:
    overview = open_canvas.overview
    session.viewport.look_at(*overview.to_l0(QPointF(60, 80)), 2.0)
    accent = QColor(theme.ACCENT).getRgb()[:3]
    seen = picture(overview)
    rows, columns = (abs(seen.astype(int) - accent).sum(axis=2) < 30).nonzero()
    assert rows.mean() == pytest.approx(80, abs=2)
    assert columns.mean() == pytest.approx(60, abs=2)


def test_the_overview_folds_up_and_comes_back(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    overview = open_canvas.overview
    size = overview.size()
    QTest.mouseClick(overview.fold_button, LEFT)
    assert overview.is_folded
    assert overview.width() < 40
    assert overview.geometry().right() > open_canvas.width() - 24
    assert overview.fold_button.accessibleName() == "Show the overview"
    QTest.mouseClick(overview.fold_button, LEFT)
    settle(qtbot, open_canvas, session)
    assert overview.size() == size
    qtbot.waitUntil(lambda: shows_the_slide(overview))

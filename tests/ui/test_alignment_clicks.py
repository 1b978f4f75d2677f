from __future__ import annotations

import numpy as np
from fakes import ArraySlide
from hands import picture
from makers import he_image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from pathoview.core.affine import Affine
from pathoview.layers.layer import Layer
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.session.commands import run_command
from pathoview.session.pointing import leave
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.canvas import Canvas

LANDMARKS = ((200, 150), (600, 180), (350, 450))
"""Places on the canvas, view px."""


def test_landmarks_are_clicked_on_the_canvas(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    inner = SlideSource(ArraySlide(he_image(800, 600)))
    source = RegisteredSource(inner, Affine(), 2048, 1536)
    session.layer_desk.add(Layer("Second", source))
    session.viewport.look_at(1024, 768, 0.5)
    run_command(session, "layer.align")
    qtbot.mouseMove(open_canvas, QPoint(300, 300))
    assert open_canvas.cursor().shape() == Qt.CursorShape.CrossCursor
    for x, y in LANDMARKS:
        for place in (QPoint(x + 10, y), QPoint(x, y)):
            qtbot.mouseClick(open_canvas, Qt.MouseButton.LeftButton, pos=place)
    np.testing.assert_allclose(source.placement.matrix(), Affine.moved(20, 0).matrix(), atol=1e-6)
    assert session.tool == "move"


def test_a_landmark_is_marked_until_all_are_there(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    inner = SlideSource(ArraySlide(he_image(800, 600)))
    session.layer_desk.add(Layer("Second", RegisteredSource(inner, Affine(), 2048, 1536)))

    def is_marked() -> bool:
        accent = QColor(theme.ACCENT).getRgb()[:3]
        around = picture(open_canvas)[290:311, 390:411].reshape(-1, 3)
        return bool((around == accent).all(axis=1).sum() > 10)

    run_command(session, "layer.align")
    assert not is_marked()
    qtbot.mouseClick(open_canvas, Qt.MouseButton.LeftButton, pos=QPoint(400, 300))
    assert is_marked()
    leave(session)
    assert not is_marked()


def test_esc_on_the_canvas_gives_up(qtbot: QtBot, open_canvas: Canvas, session: Session) -> None:
    inner = SlideSource(ArraySlide(he_image(800, 600)))
    layer = Layer("Second", RegisteredSource(inner, Affine(), 2048, 1536))
    session.layer_desk.add(layer)
    run_command(session, "layer.align")
    assert not layer.visible
    open_canvas.setFocus()
    qtbot.keyClick(open_canvas, Qt.Key.Key_Escape)
    assert session.tool == "move"
    assert layer.visible

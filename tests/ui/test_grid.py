from __future__ import annotations

import numpy as np
import pytest
from hands import Picture, picture, settle
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.pictures import picture_order
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.settings import SettingsDialog


def at(seen: Picture, session: Session, x_l0: float, y_l0: float) -> Picture:
    """Return the 3 × 3 px round a place of the slide."""
    x, y = (round(value) for value in session.viewport.to_view(x_l0, y_l0))
    return seen[y - 1 : y + 2, x - 1 : x + 2].astype(int)


@pytest.mark.parametrize(("rotation", "is_flipped"), [(0, False), (90, True), (33, False)])
def test_lines_lie_on_the_slide_as_far_apart_as_is_set(
    qtbot: QtBot, open_canvas: Canvas, session: Session, rotation: float, is_flipped: bool
) -> None:
    session.places.grid.step_um = 100  # 200 px of level 0
    session.viewport.look_at(1000, 800, 0.9)
    session.viewport.set_turn(rotation, is_flipped)
    settle(qtbot, open_canvas, session)
    plain = picture(open_canvas)
    run_command(session, "view.grid")
    lined = picture(open_canvas)
    for x_l0, y_l0 in ((1000, 700), (900, 800), (800, 900), (1100, 600)):
        assert np.abs(at(lined, session, x_l0, y_l0) - at(plain, session, x_l0, y_l0)).max() > 20
    for x_l0, y_l0 in ((900, 700), (1100, 900), (950, 650)):
        assert np.abs(at(lined, session, x_l0, y_l0) - at(plain, session, x_l0, y_l0)).max() == 0
    run_command(session, "view.grid")
    assert np.abs(picture(open_canvas).astype(int) - plain).max() <= 1


def test_by_the_zoom_lines_are_never_crowded(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    run_command(session, "view.grid")
    for scale in (0.3, 1.0, 4.0):
        session.viewport.look_at(1000, 800, scale)
        settle(qtbot, open_canvas, session)
        lined = picture(open_canvas).astype(int)
        run_command(session, "view.grid")
        plain = picture(open_canvas).astype(int)
        run_command(session, "view.grid")
        changed = np.abs(lined - plain)[120:480, :600].max(axis=2)
        (columns,) = np.nonzero((changed > 10).mean(axis=0) > 0.6)
        assert 2 <= len(columns) <= 10
        assert np.diff(columns).min() >= 70


def test_the_distance_is_a_setting(qtbot: QtBot, open_canvas: Canvas, session: Session) -> None:
    dialog = SettingsDialog(session, open_canvas)
    assert dialog.grid.text() == "By the zoom"
    dialog.grid.setValue(250)
    assert session.settings.grid.step_um == 250
    dialog.grid.setValue(0)
    assert session.settings.grid.step_um is None
    dialog.close()


def test_a_picture_of_the_view_has_the_grid_too(session: Session, open_canvas: Canvas) -> None:
    assert not picture_order(session, session.settings.picture).grid
    session.places.grid.step_um = 50
    session.places.grid.toggle()
    order = picture_order(session, session.settings.picture)
    assert (order.grid, order.grid_um) == (True, 50)

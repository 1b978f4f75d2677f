from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.go_to import GoToDialog


def test_a_place_is_typed_and_looked_at(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    dialog = GoToDialog(session, open_canvas)
    dialog.show()
    qtbot.keyClicks(dialog.place, "300, 9000")
    qtbot.keyClick(dialog.place, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert "not on the slide" in dialog.problem.text()
    assert "2,048 × 1,536 px" in dialog.problem.text()
    dialog.place.selectAll()
    qtbot.keyClicks(dialog.place, "150 µm, 100 µm @ 40x")
    assert not dialog.problem.isVisible()
    qtbot.keyClick(dialog.place, Qt.Key.Key_Return)
    assert session.viewport.center_l0 == pytest.approx((300, 200))
    assert session.viewport.scale == pytest.approx(2.0)

    again = GoToDialog(session, open_canvas)
    assert again.place.text() == "150 µm, 100 µm @ 40x"
    assert again.place.selectedText() == again.place.text()
    again.close()

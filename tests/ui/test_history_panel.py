"""The history panel: names of steps, and going back and on by clicks."""

from __future__ import annotations

import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.history import HistoryPanel

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: QtBot, open_window: MainWindow, session: Session) -> HistoryPanel:
    """The panel after three squares were drawn."""
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    for n in range(3):
        session.annotations.draw(shapely.box(50 * n, 0, 50 * n + 20, 20), f"Draw {n}")
    open_window.docks.bring_front("history")
    return open_window.history


def rows(panel: HistoryPanel) -> list[str]:
    model = panel.model
    return [model.index(row).data() for row in range(model.rowCount())]


def n_drawn(session: Session) -> int:
    assert session.annotations.document is not None
    return len(session.annotations.document)


def click(qtbot: QtBot, panel: HistoryPanel, row: int) -> None:
    place = panel.view.visualRect(panel.model.index(row)).center()
    QTest.mouseClick(panel.view.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: panel.model.n_done == row)


def test_every_step_is_named_and_a_click_goes_back_and_on(
    qtbot: QtBot, panel: HistoryPanel, session: Session
) -> None:
    assert rows(panel) == ["Slide opened", "Draw 0", "Draw 1", "Draw 2"]
    click(qtbot, panel, 1)
    assert n_drawn(session) == 1
    assert rows(panel) == ["Slide opened", "Draw 0", "Draw 1", "Draw 2"]
    click(qtbot, panel, 3)
    assert n_drawn(session) == 3
    click(qtbot, panel, 0)
    assert n_drawn(session) == 0
    session.annotations.draw(shapely.box(0, 0, 9, 9), "Draw another")
    assert rows(panel) == ["Slide opened", "Draw another"]


def test_the_history_is_there_again_when_the_slide_is_opened_again(
    qtbot: QtBot, panel: HistoryPanel, session: Session
) -> None:
    session.undo()
    path = session.path
    assert path is not None
    session.close_slide()
    assert rows(panel) == ["Slide opened"]
    session.open(path)
    qtbot.waitUntil(lambda: session.annotations.document is not None)
    assert rows(panel) == ["Slide opened", "Draw 0", "Draw 1", "Draw 2"]
    assert panel.model.n_done == 2
    assert n_drawn(session) == 2
    session.redo()
    assert n_drawn(session) == 3
    click(qtbot, panel, 0)
    assert n_drawn(session) == 0


def test_the_history_is_copied_as_command_lines(
    qtbot: QtBot, panel: HistoryPanel, session: Session
) -> None:
    studies = session.studies
    assert studies.do("Make tissue annotation", command={"verb": "annotate", "what": "tissue"})
    QGuiApplication.clipboard().setText("")
    QTest.mouseClick(panel.copy, LEFT)
    qtbot.waitUntil(lambda: bool(QGuiApplication.clipboard().text()))
    script = QGuiApplication.clipboard().text()
    assert 'pathoview annotate tissue "$SLIDE"' in script
    assert "# 3 steps were done by hand" in script

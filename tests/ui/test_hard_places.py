from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.core.geometry import Rect
from pathoview.ui.panels.hard_places import HardPlaces

PLACES = [(Rect(10, 20, 192, 192), 1.5), (Rect(300, 20, 192, 192), 0.25)]


def shown(qtbot: QtBot, flown: list[Rect]) -> HardPlaces:
    panel = HardPlaces(flown.append)
    qtbot.addWidget(panel)
    panel.resize(320, 300)
    panel.show()
    return panel


def test_a_place_that_is_clicked_is_flown_to(qtbot: QtBot) -> None:
    flown: list[Rect] = []
    panel = shown(qtbot, flown)
    panel.show_places(PLACES, 5)
    assert not panel.list.isVisible()
    qtbot.mouseClick(panel.toggle, Qt.MouseButton.LeftButton)
    assert [panel.list.item(n).text() for n in range(2)] == ["1. loss 1.50", "2. loss 0.25"]
    place = panel.list.visualItemRect(panel.list.item(1)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert flown == [PLACES[1][0]]


def test_places_are_walked_by_keys(qtbot: QtBot) -> None:
    flown: list[Rect] = []
    panel = shown(qtbot, flown)
    panel.show_places(PLACES, 2)
    panel.toggle.click()
    panel.list.setFocus()
    panel.list.setCurrentRow(0)
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert flown == [PLACES[0][0]]


def test_a_slide_without_any_is_said_so_and_a_model_without_any_shows_nothing(
    qtbot: QtBot,
) -> None:
    panel = shown(qtbot, [])
    panel.show_places([], 3)
    panel.toggle.click()
    assert not panel.list.isVisible()
    assert panel.isVisible()
    panel.show_places([], 0)
    assert not panel.isVisible()

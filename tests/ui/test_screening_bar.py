from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hands import LEFT, SHIFT, picture, settle
from makers import he_image, make_svs
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.session.screening import Screening
from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow
from pathoview.ui.screening_bar import progress_text


@pytest.fixture
def window(qtbot: QtBot, session: Session, tmp_path: Path) -> Iterator[MainWindow]:
    session.settings.accepted_research_use = True
    session.settings.screening.magnification = 20.0
    window = MainWindow(session)
    window.show()
    qtbot.waitExposed(window)
    session.open(make_svs(tmp_path / "a.svs", he_image(2400, 1800, glass_px=160)))
    qtbot.waitUntil(lambda: session.slide is not None)
    yield window
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    window.deleteLater()


@pytest.fixture
def screening(qtbot: QtBot, window: MainWindow, session: Session) -> Screening:
    qtbot.keyClick(window.canvas, Qt.Key.Key_S, SHIFT)
    qtbot.waitUntil(lambda: session.places.screening.is_active)
    return session.places.screening


def test_one_key_goes_from_field_to_field_and_the_bar_says_where(
    qtbot: QtBot, window: MainWindow, session: Session, screening: Screening
) -> None:
    bar = window.canvas.screening
    assert bar.isVisible()
    assert bar.words.text().startswith(f"Field 1 of {screening.n_fields}  ·  0 %")
    before = session.viewport.center_l0
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    assert bar.words.text().startswith("Field 2 of ")
    assert session.viewport.center_l0 != before
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageUp)
    assert session.viewport.center_l0 == before
    QTest.mouseClick(bar.buttons["screening.next"], LEFT)
    assert screening.index == 1
    QTest.mouseClick(bar.stop, LEFT)
    assert not bar.isVisible()
    assert not screening.is_active


def test_what_is_looked_at_long_enough_is_tinted_and_counted(
    qtbot: QtBot, window: MainWindow, session: Session, screening: Screening
) -> None:
    settle(qtbot, window.canvas, session)
    before = picture(window.canvas).astype(int)
    qtbot.waitUntil(lambda: screening.seen_share > 0)
    settle(qtbot, window.canvas, session)
    after = picture(window.canvas).astype(int)
    height, width = after.shape[:2]
    middle = np.s_[height // 4 : height * 2 // 3, width // 4 : width // 2]
    assert 1 < np.abs(after - before)[middle].mean() < 60
    assert not window.canvas.screening.words.text().endswith("  0 % of the tissue seen")


def test_the_panel_starts_it_and_its_choices_make_another_plan(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    window.docks.bring_front("places")
    box, screening = window.places.screening, session.places.screening
    QTest.mouseClick(box.toggle, LEFT)
    qtbot.waitUntil(lambda: screening.is_active)
    assert box.toggle.text() == "Stop screening"
    assert box.words.text() == progress_text(screening)
    n_fields = screening.n_fields
    box.overlap.setValue(50)
    qtbot.waitUntil(lambda: not screening.is_preparing)
    assert screening.n_fields > n_fields
    assert session.settings.screening.overlap == 0.5
    QTest.mouseClick(box.toggle, LEFT)
    assert box.toggle.text() == "Screen the tissue"
    assert not box.bar.isVisible()

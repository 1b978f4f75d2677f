"""From *Analyze* to the curtain: a pseudo-healthy run as a person sees it come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_jobs import InlineRunner
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from synthesis_methods import SPEC, has_synthesis, known_bleach, made_by

from pathoview.methods import registry
from pathoview.session import analysis_desk, orders
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.main_window import MainWindow


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    found = known_bleach(monkeypatch, tmp_path)
    monkeypatch.setattr(analysis_desk, "METHODS", registry.METHODS)
    return found


@pytest.fixture
def session(bridge: Bridge) -> Iterator[Session]:
    """Its analyses are done in a thread, so that they know the method."""
    runner = InlineRunner(bridge.post, {orders.ANALYZE})
    session = Session(bridge.post, Settings(cache_bytes=128 * 2**20), runner)
    yield session
    session.close()


def test_a_model_is_applied_and_its_picture_compared_from_the_notice(
    qtbot: QtBot, open_window: MainWindow, session: Session, model: Path
) -> None:
    job = session.analyze(SPEC.name, model=model)
    assert job is not None
    qtbot.waitUntil(lambda: has_synthesis(session), timeout=20_000)
    qtbot.waitUntil(lambda: job.is_over, timeout=20_000)
    assert not job.error
    row = open_window.jobs.row(job)
    qtbot.waitUntil(lambda: "taken for pathology" in row.text)
    assert row.next_step.text() == "Compare by curtain"
    QTest.mouseClick(row.next_step, Qt.MouseButton.LeftButton)
    curtain = session.views.active.curtain
    assert curtain.is_drawn
    assert curtain.left is made_by(session).picture_layer
    assert open_window.canvas.curtain.handle.isVisible()
    switch = open_window.actions_by_id["compare.healthy"]
    assert switch.isChecked()
    switch.trigger()
    assert not curtain.is_drawn

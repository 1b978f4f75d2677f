"""A minute of clicking: examples of two kinds of nuclei, a model, and every nucleus in colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hands import close_window, settle
from makers import he_scene, make_svs
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from teaching import centers

from pathoview.jobs.runner import Job, JobRunner, JobState
from pathoview.session import orders
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
_PATIENCE_MS = 300_000
_CLICKS = 8
SCENE = he_scene(1000, 800, 3)


def until(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    """Wait, patiently: others may use the computer as well."""
    qtbot.waitUntil(is_so, timeout=_PATIENCE_MS)


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, tmp_path: Path) -> Iterator[MainWindow]:
    """A window with a slide, at one px a level-0 px, and the method chosen."""
    settings = Settings(accepted_research_use=True, cache_bytes=128 * 2**20)
    session = Session(bridge.post, settings, JobRunner(bridge.post))
    window = MainWindow(session)
    window.show()
    qtbot.waitExposed(window)
    session.open(make_svs(tmp_path / "field.svs", SCENE.rgb))
    until(qtbot, lambda: session.annotations.document is not None)
    window.canvas.overview.hide()
    session.viewport.look_at(500, 400, 1.0)
    settle(qtbot, window.canvas, session)
    run_command(session, "teach.panel")
    window.teach.method.setCurrentIndex(window.teach.method.findData("object_classifier"))
    yield window
    for job in session.jobs:
        job.cancel()
    until(qtbot, lambda: all(job.is_over for job in session.jobs))
    close_window(qtbot, window)


def click(window: MainWindow, class_key: str, places: np.ndarray) -> None:
    session = window.session
    window.canvas.setFocus()
    QTest.keySequence(window.canvas, QKeySequence(class_key))
    session.set_tool("points")
    for place in places.tolist():
        x, y = session.viewport.to_view(*place)
        QTest.mouseClick(window.canvas, LEFT, pos=QPoint(round(x), round(y)))
    session.set_tool("move")


def ended(qtbot: QtBot, job: Job) -> None:
    until(qtbot, lambda: job.is_over)
    assert job.state is JobState.DONE, f"{job.error} {job.details}"


@pytest.mark.slow
def test_clicks_of_two_kinds_colour_every_nucleus(qtbot: QtBot, window: MainWindow) -> None:
    session, panel = window.session, window.teach
    seen = session.viewport.visible_l0.expanded(-60)
    places = np.array([(one.x, one.y) for one in centers(SCENE)])
    sizes = np.bincount(SCENE.labels.ravel())[1:]
    sizes = sizes[sizes > 0]
    is_seen = np.array([seen.contains(*one) for one in places.tolist()])
    by_size = np.argsort(np.where(is_seen, sizes, np.median(sizes)))
    click(window, "1", places[by_size[-_CLICKS:]])
    click(window, "2", places[by_size[:_CLICKS]])
    until(qtbot, lambda: panel.run.isEnabled())
    QTest.mouseClick(panel.run, LEFT)
    until(qtbot, lambda: session.teaching.job is not None)
    job = session.teaching.job
    assert job is not None
    ended(qtbot, job)
    until(qtbot, lambda: panel.rounds.list.count() == 1)
    QTest.mouseClick(panel.rounds.apply, LEFT)
    applied = session.jobs[-1]
    assert applied.request.task == orders.CLASSIFY
    ended(qtbot, applied)
    until(qtbot, lambda: session.results is not None)
    assert session.results is not None
    results = session.results
    until(qtbot, lambda: results.statistics.n > 100)
    counts = {
        one.detection_class.name: one.n
        for one in results.statistics.classes
        if one.detection_class is not None
    }
    assert set(counts) == {"Tumor", "Stroma"}
    assert min(counts.values()) > 20
    area = results.column("Area µm²")
    assert np.isfinite(area).all()
    assert "Probability of Tumor" in results.measurement_names

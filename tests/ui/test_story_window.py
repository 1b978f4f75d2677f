"""One person, one slide, real gestures, a real worker process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from makers import he_image, make_svs
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from pathoview.jobs.runner import Job, JobRunner, JobState
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.dialogs.confirm import ConfirmDialog
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.layer_controls.detections import DetectionControls

LEFT = Qt.MouseButton.LeftButton
_PATIENCE_MS = 60_000


@pytest.fixture
def runner(bridge: Bridge) -> JobRunner:
    return JobRunner(bridge.post)


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, runner: JobRunner) -> Iterator[MainWindow]:
    settings = Settings(accepted_research_use=True, cache_bytes=128 * 2**20)
    session = Session(bridge.post, settings, runner)
    window = MainWindow(session)
    window.show()
    qtbot.waitExposed(window)
    yield window
    for job in session.jobs:
        job.cancel()
    qtbot.waitUntil(lambda: all(job.is_over for job in session.jobs), timeout=_PATIENCE_MS)
    for dialog in window.findChildren(Dialog):
        dialog.close()
    window.close()
    window.deleteLater()


@pytest.fixture
def session(window: MainWindow) -> Session:
    return window.session


def open_slide(qtbot: QtBot, session: Session, path: Path) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: session.slide is not None)


def wait_for(qtbot: QtBot, job: Job) -> None:
    qtbot.waitUntil(lambda: job.is_over, timeout=_PATIENCE_MS)


def click_analyze(qtbot: QtBot, window: MainWindow) -> Job:
    qtbot.mouseClick(window.analyze.run, LEFT)
    return window.session.jobs[-1]


def test_open_analyze_click_a_nucleus_export_and_import_again(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    open_slide(qtbot, session, make_svs(tmp_path / "case.svs", he_image(1100, 800)))
    job = click_analyze(qtbot, window)
    qtbot.waitUntil(lambda: session.results is not None, timeout=_PATIENCE_MS)
    wait_for(qtbot, job)
    assert job.state is JobState.DONE, job.error
    results = session.results
    assert results is not None
    qtbot.waitUntil(lambda: results.statistics.n == job.result["n_objects"])  # type: ignore[index]
    n_found = results.statistics.n
    assert n_found > 20
    qtbot.waitUntil(lambda: window.results.count.text().startswith(f"{n_found:,} "))
    assert window.results.histogram.shown is not None
    qtbot.waitUntil(lambda: f"{n_found:,}" in window.jobs.row(job).text)
    recolour(qtbot, window)

    centre = results.source.detections.centroids_l0()[n_found // 2]
    session.viewport.look_at(float(centre[0]), float(centre[1]), 2.0)
    x_view, y_view = session.viewport.to_view(float(centre[0]), float(centre[1]))
    qtbot.mouseClick(window.canvas, LEFT, pos=QPoint(round(x_view), round(y_view)))
    qtbot.waitUntil(lambda: session.selection is not None)
    assert "µm²" in window.results.selection.text

    qtbot.mouseClick(window.results.export, LEFT)
    (dialog,) = window.findChildren(ExportDialog)
    target = tmp_path / "case.geojson"
    assert dialog.file.text() == str(target)
    qtbot.mouseClick(dialog.accept_button, LEFT)
    wait_for(qtbot, session.jobs[-1])
    assert target.stat().st_size > 1000

    n_jobs = len(session.jobs)
    session.exchange.import_file(target)
    qtbot.waitUntil(lambda: len(session.jobs) > n_jobs)
    wait_for(qtbot, session.jobs[-1])
    qtbot.waitUntil(lambda: len(session.runs) == 2)
    imported = session.results
    assert imported is not None
    qtbot.waitUntil(lambda: imported.statistics.n == n_found)
    assert imported.record.kind == "import"
    run_command(session, "edit.undo")
    assert session.results is results


def swatches(window: MainWindow) -> list[QToolButton]:
    return [
        button
        for button in window.results.findChildren(QToolButton)
        if button.isVisible() and button.accessibleName() == "Colour of Unclassified…"
    ]


def recolour(qtbot: QtBot, window: MainWindow) -> None:
    """Click the colour of the nuclei and choose another one."""
    # The panel makes its lines anew while the last numbers come in.
    qtbot.waitUntil(lambda: len(swatches(window)) == 1)
    (swatch,) = swatches(window)
    qtbot.mouseClick(swatch, LEFT)
    (dialog,) = window.findChildren(QColorDialog)
    dialog.setCurrentColor(QColor(10, 200, 30))
    dialog.accept()
    results = window.session.results
    assert results is not None
    assert results.source.style.color == (10, 200, 30)


def test_the_layers_panel_follows_the_keys_and_explains_the_colours(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    open_slide(qtbot, session, make_svs(tmp_path / "case.svs", he_image(600, 500)))
    wait_for(qtbot, click_analyze(qtbot, window))
    (style,) = window.layers.controls
    assert isinstance(style, DetectionControls)
    qtbot.waitUntil(lambda: style.color_by.findText("Area µm²") > 0)
    qtbot.keyClick(window.canvas, Qt.Key.Key_F)
    assert style.fill.isChecked()
    assert style.ramp.isHidden()
    style.color_by.setFocus()
    qtbot.keyClick(style.color_by, Qt.Key.Key_Down)
    qtbot.keyClick(style.color_by, Qt.Key.Key_Down)
    assert session.settings.overlay.measurement == "Area µm²"
    assert not style.ramp.isHidden()


def paused_in_the_middle(qtbot: QtBot, window: MainWindow, session: Session, path: Path) -> Job:
    """Start an analysis of a larger slide and hold it after its first tile."""
    open_slide(qtbot, session, make_svs(path, he_image(3000, 2500)))
    tiles: list[Any] = []
    job = click_analyze(qtbot, window)
    job.event.connect(lambda kind, data: tiles.append(data) if kind == "tile" else None)
    qtbot.waitUntil(lambda: bool(tiles), timeout=_PATIENCE_MS)
    job.pause()
    return job


def test_a_killed_worker_is_told_in_a_sentence_and_the_run_resumes(
    qtbot: QtBot, window: MainWindow, session: Session, runner: JobRunner, tmp_path: Path
) -> None:
    job = paused_in_the_middle(qtbot, window, session, tmp_path / "large.svs")
    pid = runner.worker_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(qtbot, job)
    assert job.state is JobState.DIED
    qtbot.waitUntil(lambda: bool(window.notices.bars))
    (bar,) = window.notices.bars
    assert "ended unexpectedly" in bar.notice.text
    assert window.isVisible()
    qtbot.mouseClick(bar.action, LEFT)
    resumed = session.jobs[-1]
    assert resumed is not job
    wait_for(qtbot, resumed)
    assert resumed.state is JobState.DONE, resumed.error
    assert len(session.runs) == 1


def test_closing_during_a_run_asks_and_what_is_done_can_be_resumed(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    job = paused_in_the_middle(qtbot, window, session, tmp_path / "large.svs")
    window.close()
    (box,) = window.findChildren(ConfirmDialog)
    assert window.isVisible()
    (stop,) = [one for one in box.findChildren(QPushButton) if one.text() == "Stop and close"]
    qtbot.mouseClick(stop, LEFT)
    qtbot.waitUntil(lambda: not window.isVisible())
    wait_for(qtbot, job)
    assert job.state is JobState.CANCELLED

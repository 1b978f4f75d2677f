"""Teaching through the window: labels by gestures, a button, the map meanwhile, the result."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hands import close_window, drag, settle
from makers import he_scene, make_svs
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot
from teaching import centers

from pathoview.jobs.runner import Job, JobRunner, JobState
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.session import orders
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.teach import TeachPanel

LEFT = Qt.MouseButton.LeftButton
_PATIENCE_MS = 300_000
_NARROW_PX = 340
_SEED = 3


def until(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    """Wait, patiently: others may use the computer as well."""
    qtbot.waitUntil(is_so, timeout=_PATIENCE_MS)


@pytest.fixture
def runner(bridge: Bridge) -> JobRunner:
    return JobRunner(bridge.post)


@pytest.fixture
def session(bridge: Bridge, runner: JobRunner) -> Session:
    settings = Settings(accepted_research_use=True, cache_bytes=128 * 2**20)
    return Session(bridge.post, settings, runner)


@pytest.fixture
def window(qtbot: QtBot, session: Session) -> Iterator[MainWindow]:
    window = MainWindow(session)
    window.show()
    qtbot.waitExposed(window)
    yield window
    for job in session.jobs:
        job.cancel()
    until(qtbot, lambda: all(job.is_over for job in session.jobs))
    close_window(qtbot, window)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rgb = he_scene(1000, 800, _SEED).rgb
    rgb[:, 500:] = np.minimum(rgb[:, 500:].astype(int) + 50, 250)  # the right half is paler
    return make_svs(tmp_path_factory.mktemp("slides") / "field.svs", rgb)


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow, session: Session, field: Path) -> TeachPanel:
    """The panel of a window with a slide, at one px a level-0 px."""
    session.open(field)
    until(qtbot, lambda: session.slide is not None)
    until(qtbot, lambda: session.annotations.document is not None)
    window.canvas.overview.hide()
    session.viewport.look_at(500, 400, 1.0)
    settle(qtbot, window.canvas, session)
    run_command(session, "teach.panel")
    return window.teach


def choose_method(panel: TeachPanel, name: str) -> None:
    panel.method.setCurrentIndex(panel.method.findData(name))


def view(session: Session, x_l0: float, y_l0: float) -> tuple[int, int]:
    x, y = session.viewport.to_view(x_l0, y_l0)
    return round(x), round(y)


def stroke(window: MainWindow, class_key: str, *places_l0: tuple[float, float]) -> None:
    """Choose a class by its key, take the brush and paint."""
    window.canvas.setFocus()
    QTest.keySequence(window.canvas, QKeySequence(class_key))
    window.session.set_tool("brush")
    drag(window.canvas, *(view(window.session, *place) for place in places_l0))


def press(button: QAbstractButton) -> None:
    assert button.isVisible()
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, LEFT)


def began(qtbot: QtBot, panel: TeachPanel) -> Job:
    press(panel.run)
    teaching = panel._session.teaching
    until(qtbot, lambda: teaching.job is not None and not teaching.job.is_over)
    assert teaching.job is not None
    return teaching.job


def ended(qtbot: QtBot, job: Job) -> None:
    until(qtbot, lambda: job.is_over)
    assert job.state is JobState.DONE, f"{job.error} {job.details}"


# -- the panel without a training ------------------------------------------------------------------


def test_the_next_step_is_said_and_offered(
    qtbot: QtBot, panel: TeachPanel, session: Session
) -> None:
    choose_method(panel, "point_nuclei")
    until(qtbot, lambda: "points tool" in panel.hint)
    assert not panel.run.isEnabled()
    assert "points" in panel.tool.text().lower()
    press(panel.tool)
    assert session.tool == "points"
    assert panel.tool.isHidden()
    choose_method(panel, "pixel_forest")
    until(qtbot, lambda: panel.run.isEnabled())
    assert panel.begin_with.isHidden()
    press(panel.tool)
    assert session.tool == "brush"


def test_all_slides_need_a_study(
    qtbot: QtBot, panel: TeachPanel, session: Session, tmp_path: Path
) -> None:
    (whole,) = [
        one for one in panel.scope.findChildren(QAbstractButton) if one.objectName() == "study"
    ]
    assert not whole.isEnabled()
    assert "study" in whole.toolTip()
    session.study_files.create(tmp_path / "mine.pathoview")
    until(qtbot, lambda: session.studies.is_named and whole.isEnabled())
    press(whole)
    assert session.teaching.scope == "study"


def test_what_is_set_is_remembered(qtbot: QtBot, panel: TeachPanel, session: Session) -> None:
    choose_method(panel, "point_nuclei")
    choose_method(panel, "pixel_forest")
    assert panel.form is not None
    panel.form.set_values({"n_trees": 33})
    assert session.settings.teach_method == "pixel_forest"
    assert session.settings.teach_params["pixel_forest"]["n_trees"] == 33
    again = TeachPanel(session)
    qtbot.addWidget(again)
    assert again.form is not None
    assert again.form.values()["n_trees"] == 33


def test_the_method_that_is_taught_is_shown_whoever_chose_it(
    qtbot: QtBot, panel: TeachPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaching = session.teaching
    other = next(one.name for one in teaching.methods if one.name != panel.method.currentData())
    teaching.choose_method(other)
    until(qtbot, lambda: panel.method.currentData() == other)
    assert panel.form is panel._forms[other]
    assert panel.method.isEnabled()
    with monkeypatch.context() as patched:
        patched.setattr(type(teaching), "is_teaching", property(lambda _desk: True))
        teaching.changed.emit()
        assert not panel.method.isEnabled()
    teaching.changed.emit()
    assert panel.method.isEnabled()


def test_the_panel_fits_into_a_narrow_column(qtbot: QtBot, panel: TeachPanel) -> None:
    alone = TeachPanel(panel._session)
    qtbot.addWidget(alone)
    alone.resize(_NARROW_PX, 700)
    alone.show()
    for spec in panel._session.teaching.methods:
        choose_method(alone, spec.name)
        qtbot.wait(10)
        assert alone.minimumSizeHint().width() <= _NARROW_PX
        shown = [one for one in alone.findChildren(QAbstractButton) if one.isVisible()]
        for one in shown:
            right = one.mapTo(alone, one.rect().topRight()).x()
            assert right <= _NARROW_PX, one.accessibleName() or one.text()


def test_the_switch_is_there_where_there_is_something_to_see(
    qtbot: QtBot, panel: TeachPanel, session: Session
) -> None:
    teaching = session.teaching
    teaching.methods = [
        replace(one, pseudo_labels_entry="some:entry") if one.name == "point_nuclei" else one
        for one in teaching.methods
    ]
    choose_method(panel, "pixel_forest")
    assert panel.pseudo.isHidden()
    choose_method(panel, "point_nuclei")
    until(qtbot, lambda: not panel.pseudo.isHidden())
    switched: list[bool] = []
    teaching.pseudo.switch = switched.append  # type: ignore[method-assign]
    panel.pseudo.clicked.disconnect()
    panel.pseudo.clicked.connect(lambda on: teaching.pseudo.switch(on))
    press(panel.pseudo)
    assert switched == [True]


# -- stories ---------------------------------------------------------------------------------------


def test_strokes_start_map_keep_best_apply(
    qtbot: QtBot, panel: TeachPanel, window: MainWindow, session: Session
) -> None:
    choose_method(panel, "pixel_forest")
    assert panel.form is not None
    panel.form.set_values({"n_trees": 10})
    stroke(window, "1", (300, 250), (360, 300), (420, 330))
    stroke(window, "2", (620, 250), (680, 300), (740, 330))
    job = began(qtbot, panel)
    assert job.request.task == orders.LIVE
    answers: list[float] = []
    job.event.connect(lambda kind, data: kind == "answer" and answers.append(data["seconds"]))
    until(qtbot, lambda: bool(session.runs) and bool(answers))
    assert session.results is None
    assert window.docks.is_seen("teach")
    run_map = session.runs[0].map
    assert run_map is not None
    source = run_map.class_layer.source
    assert isinstance(source, ClassMapSource)
    until(qtbot, lambda: source.class_at(350, 300) == 1 and source.class_at(700, 300) == 2)

    n_answers = len(answers)
    stroke(window, "2", (620, 550), (700, 560))
    until(qtbot, lambda: len(answers) > n_answers)
    until(qtbot, lambda: "answered in" in panel.training.text)

    press(panel.training.finish)
    ended(qtbot, job)
    until(qtbot, lambda: panel.rounds.list.count() == 1)
    assert not session.runs, "the preview has gone"
    until(qtbot, lambda: "was trained in" in window.jobs.row(job).text)
    press(panel.rounds.apply)
    ended(qtbot, session.jobs[-1])
    until(qtbot, lambda: session.results is not None)
    assert window.docks.is_seen("results")
    results = session.results
    assert results is not None
    assert results.map is not None
    areas = {one.detection_class.name: one.share for one in results.map.areas}
    assert min(areas["Tumor"], areas["Stroma"]) > 0.1


def click_nuclei(window: MainWindow, n: int) -> None:
    session = window.session
    window.canvas.setFocus()
    QTest.keySequence(window.canvas, QKeySequence("1"))
    session.set_tool("points")
    seen = session.viewport.visible_l0.expanded(-60)
    places = [(one.x, one.y) for one in centers(he_scene(1000, 800, _SEED))]
    for place in [one for one in places if seen.contains(*one)][:n]:
        QTest.mouseClick(window.canvas, LEFT, pos=QPoint(*view(session, *place)))
    session.set_tool("move")


_TINY = {"n_steps": 3, "n_parting_steps": 3, "batch": 2, "crop_px": 64}


@pytest.mark.slow
def test_clicks_start_model_apply(
    qtbot: QtBot, panel: TeachPanel, window: MainWindow, session: Session
) -> None:
    choose_method(panel, "point_nuclei")
    assert panel.form is not None
    panel.form.set_values(_TINY)
    click_nuclei(window, 12)
    until(qtbot, lambda: panel.run.isEnabled())
    job = began(qtbot, panel)
    assert job.request.task == orders.TRAIN
    ended(qtbot, job)
    until(qtbot, lambda: panel.rounds.list.count() == 1)
    press(panel.rounds.apply)
    ended(qtbot, session.jobs[-1])
    until(qtbot, lambda: session.results is not None)


@pytest.mark.slow
def test_a_killed_training_is_offered_again_and_no_label_is_lost(
    qtbot: QtBot, panel: TeachPanel, window: MainWindow, session: Session, runner: JobRunner
) -> None:
    choose_method(panel, "point_nuclei")
    assert panel.form is not None
    panel.form.set_values({**_TINY, "n_steps": 15})
    click_nuclei(window, 12)
    labels = list(session.annotations.document or ())
    until(qtbot, lambda: panel.run.isEnabled())
    job = began(qtbot, panel)
    until(qtbot, lambda: bool(session.teaching.curve))
    pid = runner.worker_pid("learn")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(qtbot, lambda: job.state is JobState.DIED)
    until(qtbot, lambda: any(bar.notice.level == "error" for bar in window.notices.bars))
    bar = window.notices.bars[-1]
    assert "ended unexpectedly" in bar.notice.text
    assert "ended unexpectedly" in panel.training.text
    until(qtbot, lambda: bar.action.isVisible())
    press(bar.action)
    until(qtbot, lambda: session.teaching.job is not job)
    again = session.teaching.job
    assert again is not None
    ended(qtbot, again)
    assert list(session.annotations.document or ()) == labels
    assert session.studies.n_unsaved == 0

"""What a run has found is corrected, and questions are answered, by hand and by keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hands import SHIFT, close_window, drag
from makers import he_image, make_svs
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from run_files import new_run, squares

from pathoview.annotations.detections import CONFIDENCE
from pathoview.annotations.feature import Feature
from pathoview.jobs.runner import JobRunner, JobState
from pathoview.session.commands import run_command
from pathoview.session.runs import RunView
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.slides.opening import open_slide
from pathoview.ui.bridge import Bridge
from pathoview.ui.main_window import MainWindow

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
_PATIENCE_MS = 60_000
ASKED = [(100.0, 100.0), (500.0, 120.0), (850.0, 500.0), (200.0, 600.0)]


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge) -> Iterator[MainWindow]:
    settings = Settings(accepted_research_use=True, cache_bytes=128 * 2**20)
    window = MainWindow(Session(bridge.post, settings, JobRunner(bridge.post)))
    window.show()
    qtbot.waitExposed(window)
    yield window
    close_window(qtbot, window)


@pytest.fixture
def session(window: MainWindow) -> Session:
    return window.session


def all_of(session: Session) -> list[Feature]:
    return list(session.annotations.document or ())


def open_it(qtbot: QtBot, session: Session, path: Path) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: session.slide is not None)
    qtbot.waitUntil(lambda: session.annotations.document is not None)


def analyze(qtbot: QtBot, window: MainWindow) -> RunView:
    session = window.session
    qtbot.mouseClick(window.analyze.run, LEFT)
    job = session.jobs[-1]
    qtbot.waitUntil(lambda: job.is_over, timeout=_PATIENCE_MS)
    assert job.state is JobState.DONE, job.error
    n = job.result["n_objects"]  # type: ignore[index]
    return shown(qtbot, session, n)


def shown(qtbot: QtBot, session: Session, n: int) -> RunView:
    """Wait until the last run is shown with all of its objects."""
    qtbot.waitUntil(lambda: session.results is not None and session.results.statistics.n == n)
    assert session.results is not None
    return session.results


def at(session: Session, place_l0: tuple[float, float]) -> QPoint:
    x, y = session.viewport.to_view(*place_l0)
    return QPoint(round(x), round(y))


def picked(run: RunView, place_l0: tuple[float, float]) -> bool:
    return run.source.pick(*place_l0) is not None


def two_apart(run: RunView) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the middles of a nucleus amid the slide and of the one next to it, by size."""
    places = run.source.detections.centroids_l0().tolist()
    inner = [(x, y) for x, y in places if 250 < x < 850 and 200 < y < 600 and picked(run, (x, y))]
    first = inner[0]
    second = min(inner[1:], key=lambda one: np.hypot(one[0] - first[0], one[1] - first[1]))
    return first, second


def test_nuclei_are_corrected_by_hand_each_by_one_step(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    open_it(qtbot, session, make_svs(tmp_path / "case.svs", he_image(1100, 800)))
    run = analyze(qtbot, window)
    window.docks.bring_front("review")
    canvas = window.canvas
    first, second = two_apart(run)
    session.viewport.look_at(*first, 4.0)

    qtbot.mouseClick(canvas, LEFT, pos=at(session, first))
    assert window.docks.is_seen("review"), "what is chosen does not bring another panel before it"
    assert window.review.chosen.text() == "1 detection chosen"
    qtbot.keyClick(canvas, Qt.Key.Key_Y)
    assert len(all_of(session)) == 1
    assert not picked(run, first)
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)
    assert picked(run, first)

    qtbot.mouseClick(canvas, LEFT, pos=at(session, first))
    qtbot.keyClick(canvas, Qt.Key.Key_Delete)
    assert [one.geometry.geom_type for one in all_of(session)] == ["Point"]
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)

    qtbot.mouseClick(canvas, LEFT, pos=at(session, first))
    qtbot.keyClick(canvas, Qt.Key.Key_2)
    assert session.classes.count(2) == 1
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)

    qtbot.mouseClick(canvas, LEFT, pos=at(session, first))
    qtbot.mouseClick(canvas, LEFT, SHIFT, at(session, second))
    assert window.review.chosen.text() == "2 detections chosen"
    qtbot.keyClick(canvas, Qt.Key.Key_J)
    assert len(all_of(session)) == 1
    assert not picked(run, first)
    assert not picked(run, second)
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)

    qtbot.mouseClick(canvas, LEFT, pos=at(session, first))
    qtbot.keyClick(canvas, Qt.Key.Key_K)
    x, y = session.viewport.to_view(*first)
    drag(canvas, *((round(x + dx), round(y + dy)) for dx, dy in ((-90, -7), (0, 0), (90, 7))))
    assert len(all_of(session)) >= 2
    assert not picked(run, first)
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)
    assert all_of(session) == []
    assert picked(run, first)
    assert picked(run, second)


def test_applying_again_alters_no_label(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    open_it(qtbot, session, make_svs(tmp_path / "case.svs", he_image(1100, 800)))
    run = analyze(qtbot, window)
    first, second = two_apart(run)
    session.viewport.look_at(*first, 4.0)
    qtbot.mouseClick(window.canvas, LEFT, pos=at(session, first))
    qtbot.mouseClick(window.review.accept, LEFT)
    qtbot.mouseClick(window.canvas, LEFT, pos=at(session, second))
    run_command(session, "annotate.delete")
    labels = all_of(session)
    assert len(labels) == 2
    again = analyze(qtbot, window)
    assert again is not run
    assert all_of(session) == labels
    assert not picked(again, first), "the same nuclei found again are covered, too"
    assert not picked(again, second)


def store_asked(path: Path) -> None:
    sure = {CONFIDENCE: np.array([0.52, 0.6, 0.7, 0.8], np.float32)}
    table = dataclasses.replace(squares(ASKED), measurements=sure)
    with open_slide(path) as slide, new_run(slide, state="done") as run:
        run.add_tile(0, 0, table)


def test_the_queue_is_walked_by_keys_and_is_as_left_when_opened_again(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    path = make_svs(tmp_path / "case.svs", he_image(1100, 800))
    store_asked(path)
    open_it(qtbot, session, path)
    panel = window.review
    qtbot.waitUntil(lambda: window.actions_by_id["review.next"].isEnabled())
    window.docks.bring_front("review")
    canvas = window.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: panel.where.text().startswith("1 of 4"))
    assert "52% sure" in panel.why.text()
    qtbot.keyClick(canvas, Qt.Key.Key_Y)
    assert panel.where.text().startswith("2 of 4")
    qtbot.keyClick(canvas, Qt.Key.Key_Delete)
    qtbot.keyClick(canvas, Qt.Key.Key_C)
    qtbot.keyClick(canvas, Qt.Key.Key_C, SHIFT)
    assert panel.where.text().startswith("3 of 4")
    qtbot.keyClick(canvas, Qt.Key.Key_U)
    assert panel.where.text().startswith("4 of 4")
    assert panel.where.text().endswith("3 answered")
    labels = all_of(session)
    assert [one.geometry.geom_type for one in labels] == ["Polygon", "Point", "Polygon"]

    session.places.keeper.flush()
    session.close_slide()
    assert panel.question.isHidden()
    open_it(qtbot, session, path)
    qtbot.waitUntil(lambda: panel.where.text().startswith("4 of 4"))
    assert all_of(session) == labels
    results = shown(qtbot, session, 4)
    qtbot.waitUntil(lambda: panel.where.text().endswith("3 answered"))
    seen = [picked(results, (x + 10, y + 10)) for x, y in ASKED]
    assert seen == [False, False, False, True]
    for _step in labels:
        qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)
    assert all(picked(results, (x + 10, y + 10)) for x, y in ASKED)
    assert panel.where.text().endswith("0 answered")

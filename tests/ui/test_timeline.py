"""The timeline of a clip: a peak is clicked, and its frame is seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from bag_runs import CLASSES
from hands import picture
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from run_files import new_run

from pathoview.session.session import Session
from pathoview.slides.opening import open_slide
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import PICTURES_KEY
from pathoview.ui.main_window import MainWindow

N_FRAMES, PEAK = 20, 12
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder of frames, each of its own grey, with a run that saw the second class once."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(N_FRAMES):
        grey = np.full((48, 64, 3), 10 * number + 20, np.uint8)
        cv2.imwrite(str(folder / f"f{number}.png"), grey)
    frames = np.arange(N_FRAMES, dtype=np.int32)
    shown = np.exp(-np.square(frames - PEAK) / 4).astype(np.float32)
    attention = shown / shown.sum()
    with open_slide(folder) as slide:
        facts = {
            "gives": "bag",
            "state": "done",
            "title": "Findings",
            "classes": CLASSES,
            "probabilities": (0.1, 0.9),
            "scale_l0": 64.0,
            "grid_px": (N_FRAMES, 1),
            "mpp": None,
            "context": {PICTURES_KEY: N_FRAMES, "thresholds": [0.5, 0.5]},
        }
        with new_run(slide, **facts) as run:
            evidence = np.stack([np.zeros_like(shown), shown], axis=1)
            of_classes = np.stack([np.full(N_FRAMES, 0.05, np.float32), attention], axis=1)
            tiles = BagTiles(frames, np.zeros_like(frames), attention, evidence, of_classes)
            run.bag_rows().store(tiles)
    return folder


def test_a_click_on_a_peak_shows_its_frame(
    qtbot: QtBot, window: MainWindow, session: Session, path: Path
) -> None:
    assert window.docks["timeline"].isHidden()
    session.open(path)
    qtbot.waitUntil(lambda: window.timeline.course is not None)
    lanes = window.timeline.lanes
    qtbot.waitUntil(lambda: lanes.isVisible() and lanes.width() > 300)
    assert session.plane.t == 0
    before = picture(lanes)
    place = QPoint(int(lanes.x_of(PEAK)), int(lanes.lane(1).center().y()))
    QTest.mouseClick(lanes, LEFT, pos=place)
    assert session.plane.t == PEAK
    assert f"Frame {PEAK + 1} of {N_FRAMES}" in window.timeline.said.text()
    assert (picture(lanes) != before).any(), "the mark of the frame has moved"
    column = picture(lanes)[:, int(lanes.x_of(PEAK)) - 4]
    beside = picture(lanes)[:, int(lanes.x_of(2))]
    assert np.ptp(column.astype(int), axis=0).max() > np.ptp(beside.astype(int), axis=0).max()


def test_keys_go_from_frame_to_frame_and_to_what_is_seen(
    qtbot: QtBot, window: MainWindow, session: Session, path: Path
) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: window.timeline.course is not None)
    lanes = window.timeline.lanes
    qtbot.waitUntil(lanes.isVisible)
    QTest.keyClick(lanes, Qt.Key.Key_Right)
    assert session.plane.t == 1
    QTest.keyClick(lanes, Qt.Key.Key_PageDown)
    course = window.timeline.course
    assert course is not None
    (segment,) = course.segments[1]
    assert session.plane.t == segment.first
    QTest.keyClick(lanes, Qt.Key.Key_Left)
    assert session.plane.t == segment.first - 1
    QTest.keyClick(lanes, Qt.Key.Key_PageUp)
    assert session.plane.t == segment.first - 1, "there is none before"


def test_dragging_goes_along_and_stays_within_the_clip(
    qtbot: QtBot, window: MainWindow, session: Session, path: Path
) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: window.timeline.course is not None)
    lanes = window.timeline.lanes
    qtbot.waitUntil(lambda: lanes.isVisible() and lanes.width() > 300)
    QTest.mousePress(lanes, LEFT, pos=QPoint(int(lanes.x_of(5)), 10))
    QTest.mouseMove(lanes, QPoint(lanes.width() + 50, 10))
    QTest.mouseRelease(lanes, LEFT, pos=QPoint(lanes.width() + 50, 10))
    assert session.plane.t in (5, N_FRAMES - 1)
    session.close_slide()
    assert window.timeline.course is None
    assert not lanes.isVisible()

"""A training in the panel: what can be pressed, and what is said meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState
from pathoview.session import orders
from pathoview.ui.panels.teach_training import TeachTraining


@pytest.fixture
def job() -> Job:
    runner = JobRunner(lambda call: call())
    job = Job(JobRequest(orders.TRAIN, {}, "Teaching", "learn"), runner)
    job.state, job.text = JobState.RUNNING, "Learning"
    return job


@pytest.fixture
def training(qtbot: QtBot, job: Job) -> TeachTraining:
    teaching = SimpleNamespace(
        job=job, curve=[], curve_grew=Mock(), finish=job.finish, stop=job.cancel
    )
    training = TeachTraining(teaching)  # type: ignore[arg-type]
    qtbot.addWidget(training)
    training.show()
    return training


def test_keep_best_is_pressed_once_and_said_to_be_done(training: TeachTraining, job: Job) -> None:
    assert "Learning" in training.text
    QTest.mouseClick(training.finish, Qt.MouseButton.LeftButton)
    training.refresh()
    assert job.is_finishing
    assert "best so far" in training.text
    assert not training.finish.isEnabled()
    assert training.stop.isEnabled()
    job.state = JobState.DONE
    training.refresh()
    assert "Trained" in training.text
    assert not training.finish.isVisible()

"""What computes, and how: asked of a worker, measured, pinned."""

from __future__ import annotations

import os
from typing import Any

import pytest
from stage import FakeRunner, end

from pathoview.jobs.runner import JobState
from pathoview.session.session import Session
from pathoview.session.settings import load_settings

CPU = {"name": "cpu", "reason": "No GPU was found.", "gpus": []}
GPU = {
    "name": "cuda:0",
    "reason": "Using it.",
    "gpus": [{"title": "H", "used_bytes": 2, "total_bytes": 8}],
}
ROW = {"seconds": 0.5, "speed_up": 2.0, "max_error": 1e-3, "tolerance": 0.02, "problem": ""}
MEASURED = {"paths": [{"path": "bf16", **ROW}], "fastest": "bf16"}


def looked(session: Session, runner: FakeRunner, answer: dict[str, Any]) -> int:
    """Look, answer what was asked, and return how often was asked so far."""
    session.models.device.look()
    for job in runner.taken:
        if not job.is_over:
            end(job, JobState.DONE, answer)
    return len(runner.taken)


def test_a_processor_is_asked_of_once_and_a_gpu_each_time(
    session: Session, runner: FakeRunner
) -> None:
    assert looked(session, runner, GPU) == 1
    assert looked(session, runner, CPU) == 2
    assert looked(session, runner, CPU) == 2
    facts = session.models.device.facts
    assert facts is not None
    assert facts.reason == "No GPU was found."
    assert {job.request.lane for job in runner.taken} == {"io"}


def test_the_fastest_path_is_pinned_and_kept(session: Session, runner: FakeRunner) -> None:
    desk = session.models.device
    desk.measure()
    desk.measure()
    (job,) = runner.taken
    seen = [desk.is_measuring]
    job.text = "Measuring bf16"
    assert desk.progress == "Measuring bf16"
    end(job, JobState.DONE, MEASURED)
    assert [*seen, desk.is_measuring] == [True, False]
    assert desk.numerics == load_settings().numerics == "bf16"
    assert [one.path for one in desk.measured] == ["bf16"]
    desk.pin("float32")
    assert load_settings().numerics == "float32"


def test_a_measurement_that_failed_says_why_and_changes_nothing(
    session: Session, runner: FakeRunner
) -> None:
    desk = session.models.device
    desk.measure()
    runner.taken[0].error, runner.taken[0].hint = "There is no model.", "Teach one."
    end(runner.taken[0], JobState.FAILED)
    assert desk.problem == "There is no model. Teach one."
    assert desk.numerics == "float32"
    desk.measure()
    assert desk.problem == ""
    desk.stop()
    end(runner.taken[1], JobState.CANCELLED)
    assert desk.problem == "Stopped."


def test_the_load_is_a_share_of_the_processors(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (3.0, 0.0, 0.0), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert session.models.device.cpu_load == 0.75
    monkeypatch.delattr(os, "getloadavg")
    assert session.models.device.cpu_load is None

"""Jobs in real worker processes: results, errors, steering, death, closing."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pathoview.core.geometry import Rect
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState

_PATIENCE_S = 20.0


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    runner = JobRunner(
        lambda call: call(), warm_up_entry="tasks_for_tests:warm_up", cancel_grace_s=0.3
    )
    yield runner
    runner.close()


def request(task: str, lane: Any = "compute", **payload: Any) -> JobRequest:
    return JobRequest(f"tasks_for_tests:{task}", payload, task, lane)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "\nState:\tZ" not in status.read_text()


def finished(runner: JobRunner, asked: JobRequest) -> Job:
    job = runner.submit(asked)
    assert job.wait(_PATIENCE_S)
    return job


def test_a_task_gives_its_result_and_tells_how_far_it_is(runner: JobRunner) -> None:
    told: list[tuple[JobState, float, str]] = []
    runner.changed.connect(lambda job: told.append((job.state, job.fraction, job.text)))
    job = finished(runner, request("add", a=1, b=2))
    assert job.state is JobState.DONE
    assert job.result is not None
    assert job.result["sum"] == 3
    assert (JobState.RUNNING, 0.5, "half way") in told
    assert told[0][0] is JobState.QUEUED
    assert told[-1][:2] == (JobState.DONE, 1.0)
    assert job.metrics == {"speed": 2.0}


def test_events_arrive_in_order_before_the_end(runner: JobRunner) -> None:
    heard: list[object] = []
    first = runner.submit(request("work_until_told", until_focus=2.0))
    second = runner.submit(request("add", a=1, b=2))
    second.event.connect(lambda kind, data: heard.append((kind, data)))
    second.changed.connect(lambda job: heard.append(job.state))
    first.set_focus(Rect(2.0, 0, 1, 1))
    assert second.wait(_PATIENCE_S)
    assert heard.index(("tile", {"col": 1})) < heard.index(JobState.DONE)


def test_a_lane_of_its_own_is_warmed_up_once(runner: JobRunner) -> None:
    runner.warm_up("learn", "tasks_for_tests:warm_up")
    pid = runner.worker_pid("learn")
    assert pid is not None
    runner.warm_up("learn", "tasks_for_tests:warm_up")
    result = finished(runner, request("add", lane="learn", a=1, b=2)).result
    assert result is not None
    assert result["warm"] == ["warm"]
    assert runner.worker_pid("learn") == pid
    runner.warm_up("learn", "tasks_for_tests:warm_up_more")
    result = finished(runner, request("add", lane="learn", a=1, b=2)).result
    assert result is not None
    assert result["warm"] == ["warm", "more"]
    assert runner.worker_pid("compute") is None


def test_one_warm_worker_does_job_after_job(runner: JobRunner) -> None:
    runner.warm_up()
    pid = runner.worker_pid()
    jobs = [runner.submit(request("add", a=n, b=0)) for n in range(3)]
    assert all(job.wait(_PATIENCE_S) for job in jobs)
    assert [job.result["pid"] for job in jobs if job.result] == [pid] * 3
    assert jobs[0].result is not None
    assert jobs[0].result["warm"] == ["warm"]


def test_lanes_run_side_by_side(runner: JobRunner) -> None:
    busy = runner.submit(request("work_until_told"))
    other = finished(runner, request("add", "io", a=1, b=1))
    assert other.state is JobState.DONE
    assert busy.state is JobState.RUNNING
    assert runner.worker_pid("io") != runner.worker_pid("compute")
    assert runner.is_busy


def test_reports_are_thinned_out_but_the_last_one_arrives(runner: JobRunner) -> None:
    heard: list[float] = []
    runner.changed.connect(lambda job: heard.append(job.metrics.get("step", -1)))
    finished(runner, request("report_often", n=5000))
    assert len(set(heard)) < 100
    assert heard[-1] == 4999


def test_the_worker_leaves_the_window_its_share_of_the_computer(runner: JobRunner) -> None:
    result = finished(runner, request("circumstances")).result
    assert result is not None
    assert result["niceness"] >= os.nice(0) + 5 or result["niceness"] == 19
    assert result["preempts"] == (sys.platform != "linux")
    assert result["cv2_threads"] == 1
    assert result["blas_threads"] == "1"
    assert not result["has_qt"]


def test_a_refusal_keeps_its_sentence_and_its_hint(runner: JobRunner) -> None:
    job = finished(runner, request("refuse"))
    assert job.state is JobState.FAILED
    assert (job.error, job.hint) == ("The slide is torn.", "Glue it.")


def test_a_stumble_is_one_sentence_with_the_traceback_as_details(runner: JobRunner) -> None:
    job = finished(runner, request("stumble"))
    assert job.state is JobState.FAILED
    assert "ZeroDivisionError" in job.error
    assert "\n" not in job.error
    assert "in stumble" in job.details
    assert finished(runner, request("add", a=1, b=1)).state is JobState.DONE


def test_an_unknown_task_fails_and_the_worker_goes_on(runner: JobRunner) -> None:
    assert finished(runner, request("nothing_of_that_name")).state is JobState.FAILED
    assert finished(runner, request("add", a=1, b=1)).state is JobState.DONE


def test_the_worker_s_log_is_written_by_the_window(
    runner: JobRunner, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="pathoview.somewhere"):
        finished(runner, request("speak"))
    assert "heard afar" in caplog.text


def test_pause_holds_the_task_and_resume_lets_it_go_on(runner: JobRunner) -> None:
    job = runner.submit(request("work_until_told", until_focus=7.0))
    until(lambda: job.text == "working")
    job.pause()
    assert job.state is JobState.PAUSED
    time.sleep(0.1)
    job.set_focus(Rect(7.0, 0, 1, 1))
    assert not job.wait(0.3)
    job.resume()
    assert job.wait(_PATIENCE_S)
    assert job.state is JobState.DONE


def test_a_focus_set_before_the_start_reaches_the_task(runner: JobRunner) -> None:
    first = runner.submit(request("work_until_told"))
    second = runner.submit(request("work_until_told", until_focus=3.0))
    second.set_focus(Rect(3.0, 0, 1, 1))
    first.cancel()
    assert second.wait(_PATIENCE_S)
    assert second.result == {"focus": 3.0}


def test_cancel_stops_a_task_that_listens_and_keeps_its_worker(runner: JobRunner) -> None:
    job = runner.submit(request("work_until_told"))
    until(lambda: job.text == "working")
    pid = runner.worker_pid()
    job.pause()
    job.cancel()
    assert job.wait(_PATIENCE_S)
    assert job.state is JobState.CANCELLED
    assert runner.worker_pid() == pid


def test_cancel_ends_a_task_that_does_not_listen(runner: JobRunner) -> None:
    heard: list[str] = []
    job = runner.submit(request("never_listen"))
    job.event.connect(lambda kind, data: heard.append(kind))
    until(lambda: heard == ["deaf"])
    pid = runner.worker_pid()
    job.cancel()
    assert job.wait(_PATIENCE_S)
    assert job.state is JobState.CANCELLED
    assert finished(runner, request("add", a=1, b=1)).state is JobState.DONE
    assert runner.worker_pid() != pid


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_job_asked_to_finish_ends_well(runner: JobRunner, is_paused: bool) -> None:
    job = runner.submit(request("work_until_finishing", lane="learn"))
    until(lambda: job.state is JobState.RUNNING)
    if is_paused:
        job.pause()
    job.finish()
    assert job.wait(_PATIENCE_S)
    assert job.result == {"ended": "well"}


def test_a_training_holds_up_no_analysis(runner: JobRunner) -> None:
    training = runner.submit(request("work_until_finishing", lane="learn"))
    assert finished(runner, request("add", a=1, b=2)).result is not None
    assert not training.is_over


def test_a_waiting_job_is_cancelled_at_once(runner: JobRunner) -> None:
    busy = runner.submit(request("work_until_told"))
    waiting = runner.submit(request("add", a=1, b=1))
    waiting.cancel()
    assert waiting.state is JobState.CANCELLED
    assert not busy.is_over


def test_a_killed_worker_is_told_in_a_sentence_and_the_next_job_gets_a_fresh_one(
    runner: JobRunner,
) -> None:
    job = runner.submit(request("work_until_told"))
    until(lambda: job.text == "working")
    pid = runner.worker_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert job.wait(_PATIENCE_S)
    assert job.state is JobState.DIED
    assert "signal 9" in job.error
    assert "Start it again" in job.hint
    assert finished(runner, request("add", a=1, b=1)).state is JobState.DONE


def test_an_idle_worker_that_was_killed_is_replaced(runner: JobRunner) -> None:
    finished(runner, request("add", a=1, b=1))
    pid = runner.worker_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: runner.worker_pid() is None)
    assert finished(runner, request("add", a=1, b=1)).state is JobState.DONE


@pytest.mark.parametrize("task", ["work_until_told", "never_listen"])
def test_closing_ends_the_children_fast(runner: JobRunner, task: str) -> None:
    job = runner.submit(request(task))
    waiting = runner.submit(request("add", a=1, b=1))
    finished(runner, request("add", "io", a=1, b=1))
    pids = [runner.worker_pid("compute"), runner.worker_pid("io")]
    started = time.monotonic()
    runner.close(grace_s=0.5)
    assert time.monotonic() - started < 3
    assert job.state is JobState.CANCELLED
    assert waiting.state is JobState.CANCELLED
    assert not any(is_alive(pid) for pid in pids if pid)
    with pytest.raises(RuntimeError):
        runner.submit(request("add", a=1, b=1))


_PARENT = """
import sys, time
from pathoview.jobs.runner import JobRequest, JobRunner
if __name__ == "__main__":
    runner = JobRunner(lambda call: call(), warm_up_entry="tasks_for_tests:warm_up")
    runner.submit(JobRequest("tasks_for_tests:never_listen", {"pid_file": sys.argv[1]}, "x"))
    time.sleep(60)
"""


def test_no_worker_outlives_a_killed_window(tmp_path: Path) -> None:
    script, pid_file = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(_PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    parent = subprocess.Popen([sys.executable, str(script), str(pid_file)], env=environment)
    try:
        until(lambda: pid_file.exists() and pid_file.read_text() != "")
        pid = int(pid_file.read_text())
        assert is_alive(pid)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not is_alive(pid))


def test_a_worker_starts_below_the_console_script(tmp_path: Path) -> None:
    """The child imports the parent's main module; a console script has no ``.py`` and a guard."""
    script = tmp_path / "pathoview"
    script.write_text(
        "import sys\n"
        "from pathoview.cli import main\n"
        "if __name__ == '__main__':\n"
        "    from pathoview.jobs.runner import JobRequest, JobRunner\n"
        "    runner = JobRunner(lambda call: call(), warm_up_entry='tasks_for_tests:warm_up')\n"
        "    job = runner.submit(JobRequest('tasks_for_tests:add', {'a': 2, 'b': 3}, 'x'))\n"
        "    assert job.wait(20)\n"
        "    sys.exit(job.result['sum'])\n"  # without close(): the end of the window is enough
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, str(script)], env=environment, timeout=60, check=False)
    assert done.returncode == 5

from __future__ import annotations

from pathlib import Path

import pytest
from leak_folders import folders
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobState
from pathoview.session.session import Session
from pathoview.tasks.leaks import run


def test_a_check_goes_to_the_worker_and_its_page_comes_back(
    session: Session, loop: Loop, runner: FakeRunner, ears: Ears, tmp_path: Path
) -> None:
    desk = session.leaks
    desk.check({"folders": folders(tmp_path, leaks=True)}, {"seed": 3})
    (job,) = runner.taken
    assert desk.is_busy
    result = run(job.request.payload, SilentProgress())
    end(job, JobState.DONE, result)
    loop.run_until(lambda: desk.page)
    assert desk.page is not None
    assert (desk.page.n_errors, desk.is_busy) == (1, False)
    assert desk.page.findings[0].pairs[0].items[0].png.startswith(b"\x89PNG")
    assert ears.notices == []
    desk.save(tmp_path / "kept.html")
    loop.run_until(lambda: ears.notices)
    assert (tmp_path / "kept.html").read_bytes().startswith(b"<!doctype html>")
    folder = Path(job.request.payload["page"]).parent
    desk.forget()
    assert not folder.exists()
    assert desk.page is None


def test_a_report_that_cannot_be_saved_is_told_of(
    session: Session, loop: Loop, runner: FakeRunner, ears: Ears, tmp_path: Path
) -> None:
    session.leaks.check({"folders": folders(tmp_path, leaks=False)}, {})
    end(runner.taken[0], JobState.DONE, run(runner.taken[0].request.payload, SilentProgress()))
    loop.run_until(lambda: session.leaks.page)
    session.leaks.save(tmp_path / "none" / "kept.html")
    loop.run_until(lambda: ears.notices)
    assert "folder does not exist" in ears.notices[0].text


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED])
def test_a_check_that_ended_badly_says_why(
    session: Session, runner: FakeRunner, state: JobState
) -> None:
    session.leaks.check({"tiles": "nowhere"}, {})
    runner.taken[0].error, runner.taken[0].hint = "No tiles.", "Name others."
    end(runner.taken[0], state)
    assert session.leaks.problem == (
        "Stopped." if state == "cancelled" else "No tiles. Name others."
    )
    assert not session.leaks.is_busy
    session.leaks.forget()


def test_without_a_study_there_is_none_to_check(session: Session) -> None:
    assert session.leaks.study is None

"""A model that tells objects apart is ordered, resumed and told of as an analysis is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.geometry import Rect
from pathoview.jobs.runner import JobState
from pathoview.methods.registry import METHODS
from pathoview.session import orders
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.model import SlideRecord

OpenSlide = Callable[[Path], None]
METHOD = "object_classifier"


@pytest.fixture
def opened(tmp_path: Path, open_slide_of: OpenSlide) -> Path:
    path = make_svs(tmp_path / "tissue.svs")
    open_slide_of(path)
    return path


def test_classes_of_objects_are_a_task_of_their_own(
    session: Session, opened: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.safetensors"
    job = session.analyze(METHOD, {}, Rect(10, 20, 30, 40), model)
    assert job is not None
    assert job.request.task == orders.CLASSIFY
    payload = job.request.payload
    assert payload["slide"] == str(opened)
    assert payload["model"] == str(model)
    assert payload["region_l0"] == [10, 20, 30, 40]
    assert "run" not in payload
    record = SlideRecord(slide_hash="0" * 32, path=str(opened))
    assert orders.analysis_of(record, METHODS.get(METHOD), model).task == orders.CLASSIFY


def test_new_classes_are_shown_and_told(
    session: Session, ears: Ears, loop: Loop, opened: Path, tmp_path: Path
) -> None:
    assert session.slide is not None
    job = session.analyze(METHOD, {}, "slide", tmp_path / "model.safetensors")
    assert job is not None
    with new_run(session.slide, gives="object", method=METHOD) as run:
        job.event.emit("started", {"run_file": str(run.path)})
        run.add_tile(0, 0, squares([(10, 10), (50, 50)], class_name="Immune"))
        job.event.emit("tile", {"col": 0, "row": 0})
        run.update_record(state="done", n_objects=2)
        end(job, JobState.DONE, {"n_objects": 2, "gives": "object"})
    assert ears.notices[-1].text == "2 nuclei classified."
    loop.run_until(lambda: session.results and session.results.statistics.n == 2)
    assert session.results is not None
    (shown,) = session.results.statistics.classes
    assert shown.detection_class is not None
    assert (shown.detection_class.name, shown.n) == ("Immune", 2)


def test_a_stopped_run_goes_on_with_the_same_objects(
    session: Session, ears: Ears, runner: FakeRunner, opened: Path, tmp_path: Path
) -> None:
    assert session.slide is not None
    job = session.analyze(METHOD, {}, "slide", tmp_path / "model.safetensors")
    assert job is not None
    facts = {"gives": "object", "method": METHOD, "source_run": "a" * 32}
    with new_run(session.slide, **facts) as run:
        job.event.emit("started", {"run_file": str(run.path)})
        end(job, JobState.CANCELLED)
    notice = ears.notices[-1]
    assert notice.action is not None
    run_command(session, notice.action[1], notice.argument)
    payload = runner.taken[-1].request.payload
    assert runner.taken[-1].request.task == orders.CLASSIFY
    assert (payload["run"], payload["resume"]) == ("a" * 32, True)

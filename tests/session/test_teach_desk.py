from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import shapely
from makers import he_image, make_svs
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.errors import StorageError
from pathoview.jobs.runner import Job, JobState
from pathoview.methods.library import new_model_path
from pathoview.methods.model import Model, ModelCard, write_model
from pathoview.session import orders
from pathoview.session.session import Session
from pathoview.session.teach_desk import TeachDesk

OpenSlide = Callable[[Path], None]


@pytest.fixture
def teaching(session: Session, loop: Loop, open_slide_of: OpenSlide, tmp_path: Path) -> TeachDesk:
    """A slide with a stroke in each of two classes, and the forest chosen."""
    open_slide_of(make_svs(tmp_path / "tissue.svs", he_image(1024, 768)))
    loop.run_until(lambda: session.annotations.document is not None)
    session.teaching.choose_method("pixel_forest")
    for number, x in ((1, 100), (2, 500)):
        session.annotations.choose_class(number)
        session.annotations.draw(shapely.box(x, 100, x + 80, 130), "Stroke", "scribble")
    session.teaching.refresh()
    loop.run_until(lambda: len((session.teaching.summary or counted()).counts) == 2)
    return session.teaching


def counted() -> Any:
    return SimpleNamespace(counts={})


def begun(teaching: TeachDesk, loop: Loop, **params: Any) -> Job:
    teaching.start(params or {"n_trees": 10})
    loop.run_until(lambda: teaching.job is not None and not teaching.job.is_over)
    assert teaching.job is not None
    return teaching.job


def model(title: str, study_id: str, created: str = "2026-01-02") -> Path:
    path = new_model_path(title)
    card = ModelCard(
        title=title,
        method="pixel_forest",
        kind="pixel",
        mpp=1.0,
        study_id=study_id,
        created=created,
    )
    write_model(path, Model(card, {}))
    return path


def test_nothing_is_counted_without_a_slide(session: Session) -> None:
    session.teaching.refresh()
    assert session.teaching.summary is None
    assert session.teaching.start() is None
    assert not session.teaching.is_teaching


def test_labels_are_counted_as_they_are_now(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    assert teaching.summary is not None
    assert dict(teaching.summary.counts) == {"Stroma": 1, "Tumor": 1}
    session.undo()
    teaching.refresh()
    loop.run_until(lambda: dict((teaching.summary or counted()).counts) == {"Tumor": 1})
    assert teaching.summary is not None
    assert "Tumor" in teaching.summary.problem


def test_a_round_is_ordered_when_all_labels_are_on_disk(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    job = begun(teaching, loop)
    assert session.studies.n_unsaved == 0
    payload = job.request.payload
    assert (job.request.task, job.request.lane) == (orders.TRAIN, "learn")
    assert payload["method"] == "pixel_forest"
    assert payload["params"]["n_trees"] == 10
    assert payload["slides"] == [str(session.path)]
    assert payload["preview"]["slide"] == str(session.path)
    assert payload["round"] == 1
    assert session.settings.teach_params["pixel_forest"]["n_trees"] == 10
    assert job.focus_l0 == session.viewport.visible_l0


def test_one_round_at_a_time(teaching: TeachDesk, loop: Loop, runner: FakeRunner) -> None:
    begun(teaching, loop)
    n = len(runner.taken)
    teaching.start({})
    loop.run_for(0.1)
    assert len(runner.taken) == n


def test_what_does_not_suffice_is_told(
    teaching: TeachDesk, session: Session, loop: Loop, ears: Ears
) -> None:
    session.undo()
    session.undo()
    teaching.refresh()
    loop.run_until(lambda: not (teaching.summary or counted()).counts)
    teaching.start({})
    assert "stroke" in ears.notices[-1].text
    assert not teaching.is_teaching


def test_a_wrong_parameter_is_told(teaching: TeachDesk, ears: Ears) -> None:
    teaching.start({"n_trees": -5})
    assert "n_trees" in ears.notices[-1].text
    assert not teaching.is_teaching


def test_labels_the_disk_refuses_hold_up_the_training(
    teaching: TeachDesk, session: Session, loop: Loop, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = session.studies.book
    assert book is not None
    refused = StorageError("The disk is full.")
    monkeypatch.setattr(type(book.study.writer), "error", refused)
    teaching.start({})
    loop.run_until(lambda: not teaching.is_teaching)
    assert any("disk is full" in one.text for one in ears.notices)
    assert teaching.job is None


def test_the_curve_grows_with_what_the_training_says(teaching: TeachDesk, loop: Loop) -> None:
    grown: list[int] = []
    teaching.curve_grew.connect(lambda: grown.append(len(teaching.curve)))
    job = begun(teaching, loop)
    job.event.emit("curve", {"step": 1, "loss": 0.5})
    job.event.emit("curve", {"step": 2, "loss": 0.4, "macro_f1": 0.7})
    assert grown == [1, 2]
    assert teaching.curve[-1] == {"step": 2, "loss": 0.4, "macro_f1": 0.7}


def test_rounds_are_models_of_this_study_the_newest_first(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    study = session.studies.study
    assert study is not None
    job = begun(teaching, loop)
    model("old", study.info.id, "2026-01-01")
    model("new", study.info.id, "2026-01-02")
    model("of another study", "other", "2026-01-03")
    end(job, JobState.DONE, {"model": "", "summary": "done", "seconds": 3})
    loop.run_until(lambda: len(teaching.rounds) == 2)
    assert [one.card.title for one in teaching.rounds] == ["new", "old"]
    assert len(teaching.beginnings) >= 3
    assert not teaching.is_teaching


def test_a_round_is_applied_to_the_slide(
    teaching: TeachDesk, session: Session, loop: Loop, runner: FakeRunner
) -> None:
    study = session.studies.study
    assert study is not None
    path = model("round", study.info.id)
    end(begun(teaching, loop), JobState.CANCELLED)
    loop.run_until(lambda: len(teaching.rounds) == 1)
    teaching.apply(teaching.rounds[0])
    payload = runner.taken[-1].request.payload
    assert runner.taken[-1].request.task == orders.ANALYZE
    assert payload["model"] == str(path)
    assert session.settings.method != "pixel_forest"

"""Annotations come from files into the study of the open slide, and go out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import shapely
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, FakeRunner, Loop, end

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.jobs.runner import JobState
from pathoview.session.exchange_desk import ImportQuestion
from pathoview.session.session import Session
from pathoview.session.settings import ExportSettings
from pathoview.slides.opening import open_slide
from pathoview.study.lock import StudyLock
from pathoview.study.results import RunFile, find_runs
from pathoview.study.study import private_path

OpenSlide = Callable[[Path], None]
ODD = DetectionClass("Mitosis", (10, 20, 30))


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "case.svs")


@pytest.fixture
def labelled(session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide) -> Session:
    open_slide_of(svs)
    loop.run_until(lambda: session.annotations.document is not None)
    return session


def boxes(n: int, name: DetectionClass | None = ODD) -> list[Feature]:
    return [
        Feature(shapely.box(20 * place, 0, 20 * place + 10, 10), classification=name)
        for place in range(n)
    ]


def arrive(session: Session, drawn: list[Feature], *, n_detections: int = 0) -> Path:
    """Import as the worker would have done it; return the result file."""
    slide = session.slide
    assert slide is not None
    job = session.exchange.import_as(Path("given.xml"), "asap")
    assert job is not None
    n = n_detections
    facts = {"n_annotations": len(drawn), "n_objects": len(drawn) + n, "state": "done"}
    with new_run(slide, kind="import", title="given.xml", **facts) as run:
        run.add_annotations(drawn)
        if n:
            job.event.emit("started", {"run_file": str(run.path)})
            run.add_tile(0, 0, squares([(50.0 * place, 50) for place in range(n)]))
        path = run.path
    result = {"run_file": str(path), "n_annotations": len(drawn), "n_objects": n, "n_features": 0}
    end(job, JobState.DONE, result)
    return path


def count(session: Session) -> int:
    return session.exchange.n_annotations


def test_annotations_of_a_file_are_one_step_of_the_study_with_their_classes(
    labelled: Session, loop: Loop, ears: Ears
) -> None:
    path = arrive(labelled, boxes(3))
    loop.run_until(lambda: count(labelled) == 3)
    assert labelled.history.undo_name == "Import given.xml"
    assert "Mitosis" in [one.name for one in labelled.classes.listed]
    assert ears.notices[-1].text == "3 objects imported."
    loop.run_until(lambda: not path.exists())
    assert labelled.runs == ()
    labelled.undo()
    assert count(labelled) == 0
    assert "Mitosis" not in [one.name for one in labelled.classes.listed]
    labelled.redo()
    assert count(labelled) == 3
    book = labelled.studies.book
    assert book is not None
    command = book.step(book.steps[-1].number).command
    assert command == {"verb": "import", "file": "given.xml", "format": "asap"}


def test_detections_of_the_same_file_stay_a_result(labelled: Session, loop: Loop) -> None:
    path = arrive(labelled, boxes(2), n_detections=4)
    loop.run_until(lambda: count(labelled) == 2)
    loop.run_until(lambda: labelled.results and labelled.results.statistics.n == 4)
    slide = labelled.slide
    assert slide is not None
    loop.run_until(lambda: find_runs(slide.content_hash)[0][1].n_annotations == 0)
    assert path.exists()
    labelled.undo()
    assert (count(labelled), len(labelled.runs)) == (0, 1)


def test_a_file_that_is_read_again_adds_only_what_is_new(
    labelled: Session, loop: Loop, ears: Ears
) -> None:
    first = boxes(3)
    arrive(labelled, first)
    loop.run_until(lambda: count(labelled) == 3)
    moved = Feature(shapely.box(0, 50, 10, 60), id=first[0].id, classification=ODD)
    arrive(labelled, [moved, *first[1:]])
    loop.run_until(lambda: count(labelled) == 4)
    assert "2 annotations of given.xml were there already." in [one.text for one in ears.notices]


def test_a_study_that_is_only_read_shows_them_as_a_result(
    session: Session, loop: Loop, ears: Ears, svs: Path, open_slide_of: OpenSlide
) -> None:
    with open_slide(svs) as slide:
        lock = StudyLock.take(private_path(slide.content_hash))
    assert isinstance(lock, StudyLock)
    open_slide_of(svs)
    loop.run_until(lambda: session.studies.book is not None)
    assert not session.annotations.can_edit
    arrive(session, boxes(3))
    loop.run_until(lambda: session.results is not None and len(session.results.features) == 3)
    assert count(session) == 0
    assert "only read" in ears.notices[-1].text
    lock.release()


def test_a_list_of_runs_that_was_read_before_does_not_take_annotations_twice(
    session: Session, loop: Loop, ears: Ears, svs: Path, open_slide_of: OpenSlide
) -> None:
    with open_slide(svs) as slide:
        lock = StudyLock.take(private_path(slide.content_hash))
    assert isinstance(lock, StudyLock)
    open_slide_of(svs)
    loop.run_until(lambda: session.studies.book is not None)
    path = arrive(session, boxes(3))
    with RunFile.open(path) as run:
        session._desk.annotations_found.emit(path, run.record)
    loop.run_until(lambda: session.results is not None)
    loop.run_for(0.2)
    assert session.results is not None
    assert len(session.results.features) == 3
    assert len([one for one in ears.notices if "shown as a result" in one.text]) == 1
    lock.release()


def test_annotations_wait_for_their_slide_when_another_one_is_open(
    labelled: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    slide = labelled.slide
    assert slide is not None
    job = labelled.exchange.import_as(Path("given.xml"), "asap")
    assert job is not None
    facts = {"n_annotations": 2, "n_objects": 2, "state": "done"}
    with new_run(slide, kind="import", title="given.xml", **facts) as run:
        run.add_annotations(boxes(2))
    labelled.close_slide()
    end(job, JobState.DONE, {"run_file": str(run.path), "n_annotations": 2})
    open_slide_of(svs)
    loop.run_until(lambda: count(labelled) == 2)
    loop.run_until(lambda: not run.path.exists())
    loop.run_for(0.1)
    assert count(labelled) == 2


def test_annotations_that_an_earlier_session_left_are_taken_at_the_next_opening(
    labelled: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    slide = labelled.slide
    assert slide is not None
    facts = {"n_annotations": 2, "n_objects": 2, "state": "done"}
    with new_run(slide, kind="import", title="given.xml", **facts) as run:
        run.add_annotations(boxes(2))
    labelled.close_slide()
    open_slide_of(svs)
    loop.run_until(lambda: count(labelled) == 2)
    assert labelled.runs == ()


def test_what_a_file_does_not_say_is_asked_and_remembered(
    labelled: Session, loop: Loop, runner: FakeRunner, tmp_path: Path
) -> None:
    asked: list[ImportQuestion] = []
    labelled.exchange.options_needed.connect(asked.append)
    path = tmp_path / "points.csv"
    path.write_text("x,y\n1,2\n")
    labelled.exchange.import_file(path)
    loop.run_until(lambda: asked)
    assert (asked[0].dialect.name, list(asked[0].names)) == ("points", ["unit"])
    assert runner.taken == []
    labelled.exchange.import_as(path, "points", {"unit": "um"})
    assert runner.taken[-1].request.payload["options"] == {"unit": "um"}
    assert labelled.settings.import_options == {"points": {"unit": "um"}}
    path.write_text("x_px,y_px\n1,2\n")
    labelled.exchange.import_file(path)
    loop.run_until(lambda: len(runner.taken) == 2)
    assert len(asked) == 1


def test_files_that_are_none_are_refused_with_a_sentence(
    labelled: Session, loop: Loop, ears: Ears, runner: FakeRunner, tmp_path: Path
) -> None:
    (tmp_path / "what.xml").write_text("<html></html>")
    labelled.exchange.import_file(tmp_path / "what.xml")
    loop.run_until(lambda: ears.notices)
    assert "no annotation file" in ears.notices[-1].text
    labelled.exchange.import_as(tmp_path / "a.png", "labels", {"offset": "here"})
    assert "no offset" in ears.notices[-1].text
    labelled.close_slide()
    labelled.exchange.import_file(tmp_path / "what.xml")
    assert "Open the slide first" in ears.notices[-1].text
    assert runner.taken == []


def test_only_the_chosen_annotations_can_be_written(
    labelled: Session, loop: Loop, runner: FakeRunner, tmp_path: Path
) -> None:
    features = boxes(3)
    arrive(labelled, features)
    loop.run_until(lambda: count(labelled) == 3)
    labelled.annotations.select([features[1].id])
    options = ExportSettings(what="annotations", format="asap")
    labelled.exchange.export(tmp_path / "o.xml", options, only_chosen=True)
    loop.run_until(lambda: len(runner.taken) == 2)
    study = labelled.studies.study
    assert study is not None
    payload = runner.taken[-1].request.payload
    assert (payload["study"], payload["run_file"]) == (str(study.path), "")
    assert payload["ids"] == [features[1].id.hex]
    assert payload["format"] == "asap"
    assert study.writer.n_waiting == 0
    orjson.dumps(dict(payload))


def test_tiles_are_cut_by_a_job_once_everything_is_on_disk(
    labelled: Session, loop: Loop, runner: FakeRunner, tmp_path: Path, svs: Path
) -> None:
    arrive(labelled, boxes(3))
    loop.run_until(lambda: count(labelled) == 3)
    labelled.exchange.export_tiles(tmp_path / "tiles", {"tile_px": 64}, ["Mitosis"])
    loop.run_until(lambda: len(runner.taken) == 2)
    payload = runner.taken[-1].request.payload
    assert (payload["slides"], payload["classes"]) == ([str(svs)], ["Mitosis"])
    assert labelled.settings.tiles == {"tile_px": 64}
    end(runner.taken[-1], JobState.DONE, {"n_tiles": 12, "warnings": []})

"""A disk that refuses: a clear word, work goes on in memory, and all is written when it can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from makers import make_svs
from stage import Ears, Loop

from pathoview.session.session import Session
from pathoview.study import writer
from pathoview.study.study import Study, private_path
from pathoview.study.study_file import StudyFile

_N_GESTURES = 6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(writer, "_FIRST_PAUSE_S", 0.02)


@pytest.fixture
def labelled(
    session: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> Session:
    """A slide with one annotation that is on disk."""
    open_slide_of(make_svs(tmp_path / "a.svs"))
    loop.run_until(lambda: session.annotations.document is not None)
    draw(session, 0)
    loop.run_until(lambda: not session.studies.n_unsaved)
    return session


def draw(session: Session, n: int) -> None:
    # Many corners, so that a full file is full after a few.
    session.annotations.draw(shapely.Point(100, 100).buffer(20 + n, 200), f"Draw {n}")


def study_of(session: Session) -> Study:
    assert session.studies.study is not None
    return session.studies.study


def connection_of(study: Study) -> sqlite3.Connection:
    connection = study.writer._connection
    assert connection is not None
    return connection


def n_on_disk(session: Session) -> int:
    assert session.slide is not None
    with StudyFile.open(private_path(session.slide.content_hash)) as file:
        assert file.check() == []
        return len(file.features(session.slide.content_hash))


def fill_disk(session: Session) -> None:
    """Let the file grow no more: SQLite says then what it says on a full disk."""
    connection = connection_of(study_of(session))
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


def free_disk(session: Session) -> None:
    connection_of(study_of(session)).execute("PRAGMA max_page_count = 1000000")


def refuse_writes(study: Study) -> None:
    """Let nothing be written, as in a read-only folder.

    The connection stays the writer's: its thread may be using it at any moment.
    """
    connection_of(study).execute("PRAGMA query_only = ON")


def allow_writes(study: Study) -> None:
    connection_of(study).execute("PRAGMA query_only = OFF")


def test_on_a_full_disk_work_goes_on_and_is_written_when_there_is_room(
    labelled: Session, loop: Loop
) -> None:
    fill_disk(labelled)
    for n in range(1, _N_GESTURES):
        draw(labelled, n)
    loop.run_until(lambda: labelled.studies.error is not None)
    assert "the disk is full" in str(labelled.studies.error)
    assert labelled.studies.n_unsaved
    document = labelled.annotations.document
    assert document is not None
    assert len(document) == _N_GESTURES
    labelled.undo()
    labelled.redo()
    assert len(document) == _N_GESTURES
    assert n_on_disk(labelled) < _N_GESTURES
    free_disk(labelled)
    loop.run_until(lambda: not labelled.studies.n_unsaved)
    assert labelled.studies.error is None
    assert n_on_disk(labelled) == _N_GESTURES


def test_what_waits_for_a_full_disk_survives_opening_another_slide_and_coming_back(
    labelled: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    first = labelled.path
    assert first is not None
    fill_disk(labelled)
    connection = connection_of(study_of(labelled))
    for n in range(1, _N_GESTURES):
        draw(labelled, n)
    loop.run_until(lambda: labelled.studies.error is not None)
    open_slide_of(make_svs(tmp_path / "b.svs", mpp=0.4))
    assert labelled.studies.n_unsaved, "it is not forgotten"
    open_slide_of(first)
    loop.run_until(lambda: labelled.annotations.document is not None)
    document = labelled.annotations.document
    assert document is not None
    assert len(document) == _N_GESTURES
    connection.execute("PRAGMA max_page_count = 1000000")
    loop.run_until(lambda: not labelled.studies.n_unsaved)
    assert n_on_disk(labelled) == _N_GESTURES


def test_what_waits_for_two_studies_of_one_slide_is_kept_apart(
    labelled: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    path, private, slide = labelled.path, study_of(labelled), labelled.slide
    assert path is not None
    assert slide is not None
    refuse_writes(study_of(labelled))
    draw(labelled, 1)
    labelled.study_files.create(tmp_path / "named.pathoview")
    open_slide_of(path)
    loop.run_until(lambda: labelled.annotations.document is not None)
    named = study_of(labelled)
    loop.run_until(lambda: not named.writer.n_waiting)
    refuse_writes(study_of(labelled))
    draw(labelled, 2)
    labelled.study_files.close()
    assert labelled.studies.n_unsaved == 2
    open_slide_of(path)
    loop.run_until(lambda: labelled.annotations.document is not None)
    assert study_of(labelled) is private
    assert len(labelled.annotations.document or ()) == 2
    for study in (private, named):
        allow_writes(study)
    loop.run_until(lambda: not labelled.studies.n_unsaved)
    assert n_on_disk(labelled) == 2
    with StudyFile.open(named.path) as file:
        assert len(file.features(slide.content_hash)) == 1


def test_where_nothing_may_be_written_one_is_told_and_can_go_on(
    session: Session,
    loop: Loop,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs"))
    loop.run_until(lambda: session.annotations.document is not None)
    draw(session, 0)
    loop.run_until(lambda: not session.studies.n_unsaved)
    refuse_writes(study_of(session))
    draw(session, 1)
    loop.run_until(lambda: session.studies.error is not None)
    assert "could not be opened or saved" in str(session.studies.error)
    assert "Check that you may write" in session.studies.error.hint
    allow_writes(study_of(session))
    loop.run_until(lambda: not session.studies.n_unsaved)
    assert n_on_disk(session) == 2


def test_a_slide_whose_study_is_open_elsewhere_is_only_looked_at(
    labelled: Session, loop: Loop, ears: Ears
) -> None:
    slide, path = labelled.slide, labelled.path
    assert slide is not None
    assert path is not None
    labelled.close_slide()
    elsewhere = Study(private_path(slide.content_hash), lambda *_: None)
    labelled.open(path)
    loop.run_until(lambda: labelled.annotations.document is not None)
    assert "only read here" in ears.notices[-1].text
    assert not labelled.annotations.can_edit
    draw(labelled, 5)
    labelled.undo()
    assert labelled.history.undo_name == "Draw 0"
    document = labelled.annotations.document
    assert document is not None
    assert len(document) == 1
    elsewhere.close()


def test_older_steps_carry_classes_as_they_are_called_now_though_the_disk_does_not_know_it_yet(
    labelled: Session, loop: Loop, open_slide_of: Callable[[Path], None]
) -> None:
    path, n_steps = labelled.path, 12  # more than are read at once
    assert path is not None
    labelled.annotations.choose_class(1)
    for n in range(n_steps):
        draw(labelled, n)
    loop.run_until(lambda: not labelled.studies.n_unsaved)
    labelled.close_slide()
    open_slide_of(path)
    loop.run_until(lambda: labelled.annotations.document is not None)
    assert labelled.classes.rename(1, "Carcinoma")
    loop.run_until(lambda: not labelled.studies.n_unsaved)
    refuse_writes(study_of(labelled))
    for _step in range(n_steps + 1):
        labelled.undo()
    for _step in range(n_steps):
        labelled.redo()
    document = labelled.annotations.document
    assert document is not None
    assert [one.classification.name for one in document if one.classification] == ["Tumor"] * 12
    allow_writes(study_of(labelled))

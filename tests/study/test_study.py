"""A study: written in order, read again as it was, with all of its history."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.document import AnnotationDocument
from pathoview.annotations.feature import Feature
from pathoview.core.errors import StorageError
from pathoview.core.pyramid import Plane
from pathoview.study import migration, study_file
from pathoview.study.lock import lock_path
from pathoview.study.model import Case, LabelClass, SlideLabel, SlideRecord, StudyInfo
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study, private_path
from pathoview.study.study_file import StudyFile

SLIDE = "5a" * 16
TUMOR = LabelClass(number=1, name="Tumor", color=(200, 0, 0), shortcut="x")

OpenStudy = Callable[..., Study]


@pytest.fixture
def open_study(tmp_path: Path) -> Iterator[OpenStudy]:
    """Open the study, made when it is not there; all are closed in the end."""
    opened: list[Study] = []

    def open_(name: str = "s.pathoview", **options: bool) -> Study:
        study = Study(tmp_path / name, lambda *_: None, info=StudyInfo(name="s"), **options)
        opened.append(study)
        return study

    yield open_
    for study in opened:
        study.close()


def square(x: float = 0, **members: object) -> Feature:
    return Feature(shapely.box(x, 0, x + 10, 10), **members)  # type: ignore[arg-type]


def step(number: int, change: Change, *records: RecordChange, name: str = "Draw") -> StudyStep:
    return StudyStep(number, SLIDE, name, "2026-01-01", "Ada", change, records)


def read(study: Study) -> StudyFile:
    assert study.writer.flush(10), study.writer.error
    assert study.file is not None
    return study.file


RICH = Feature(
    shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(2, 2), (4, 2), (4, 4)]]),
    object_type="cell",
    classification=DetectionClass("Tumor: Positive", (1, 2, 3)),
    name="Rand – 边",
    color=(9, 8, 7),
    is_locked=True,
    is_ellipse=True,
    plane=Plane(1, 2, 3),
    nucleus=shapely.Point(3, 3).buffer(1),
    measurements={"a": 0.1, "b": float("inf")},
    metadata={"k": "v"},
    parent_id=square().id,
    role="full",
    is_hidden=True,
    is_uncertain=True,
    is_disputed=True,
    author="Ada",
    created="2026",
    changed="2027",
    origin="run/1/2",
)


def test_all_that_an_annotation_says_is_kept(open_study: OpenStudy) -> None:
    study = open_study()
    plain = square(classification=TUMOR.drawn)
    point, line = Feature(shapely.Point(0.5, 0.25)), Feature(shapely.LineString([(0, 0), (1, 2)]))
    several = Feature(shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]))
    features = [RICH, plain, point, line, several]
    study.put(TUMOR)
    study.do(step(1, Change.adding(features)))
    assert read(study).features(SLIDE) == features
    assert read(study).count_classes(SLIDE) == {0: 4, 1: 1}
    assert read(study).count_annotations() == {SLIDE: 5}
    assert read(study).features("00") == []


def test_a_class_that_is_renamed_is_renamed_on_all_its_annotations(open_study: OpenStudy) -> None:
    study = open_study()
    study.put(TUMOR)
    study.do(step(1, Change.adding([square(classification=TUMOR.drawn)])))
    renamed = TUMOR.model_copy(update={"name": "Carcinoma", "color": (1, 1, 1)})
    study.do(step(2, Change(), RecordChange.of(TUMOR, renamed)))
    (feature,) = read(study).features(SLIDE)
    assert feature.classification == DetectionClass("Carcinoma", (1, 1, 1))
    study.undo(2)
    (feature,) = read(study).features(SLIDE)
    assert feature.classification == TUMOR.drawn


def test_records_come_back_as_they_were(open_study: OpenStudy) -> None:
    study = open_study()
    case = Case(name="Case 1")
    label = SlideLabel(label_kind="survival", name="OS", value=12.5, has_event=False)
    slide = SlideRecord(slide_hash=SLIDE, labels=(label,), tags=("a", "b"), metadata={"age": "7"})
    study.do(step(1, Change(), RecordChange.of(None, case), RecordChange.of(None, slide)))
    assert read(study).records(Case) == [case]
    assert read(study).record(SlideRecord, SLIDE) == slide
    study.undo(1)
    assert read(study).records(Case) == []
    study.redo(1)
    assert read(study).records(Case) == [case]


def test_steps_survive_closing_and_a_new_one_forgets_those_taken_back(
    open_study: OpenStudy,
) -> None:
    study = open_study()
    first, second = square(0), square(20)
    study.do(step(1, Change.adding([first])))
    study.do(step(2, Change((first,), (replace(first, name="x"), second)), name="Edit"))
    study.undo(2)
    assert study.close()
    again = open_study()
    kept = read(again).steps(SLIDE)
    assert [(one.number, one.name, one.is_undone) for one in kept] == [
        (1, "Draw", False),
        (2, "Edit", True),
    ]
    assert read(again).step(2).change == Change((first,), (replace(first, name="x"), second))
    assert read(again).last_number() == 2
    again.do(step(3, Change.removing([first])))
    assert [one.number for one in read(again).steps(SLIDE)] == [1, 3]
    assert read(again).features(SLIDE) == []


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_what_is_on_disk_is_what_is_seen_whatever_is_done_and_undone(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("study") / "s.pathoview"
    study = Study(path, lambda *_: None, info=StudyInfo())
    study.put(TUMOR)
    document, done, undone, number = AnnotationDocument(), [], [], 0
    for _ in range(data.draw(st.integers(1, 12))):
        what = data.draw(st.sampled_from(["do", "do", "undo", "redo"]))
        if what == "do":
            number += 1
            there = [one for one in document if data.draw(st.booleans())]
            kept = [replace(one, name=str(number)) for one in there if data.draw(st.booleans())]
            new = [square(number + n) for n in range(data.draw(st.integers(0, 2)))]
            made = step(number, Change(tuple(there), (*kept, *new)))
            document.apply(made.change)
            study.do(made)
            done.append(made)
            undone.clear()
        elif what == "undo" and done:
            undone.append(done.pop())
            document.apply(undone[-1].change.inverse)
            study.undo(undone[-1].number)
        elif what == "redo" and undone:
            done.append(undone.pop())
            document.apply(done[-1].change)
            study.redo(done[-1].number)
    try:
        file = read(study)
        assert file.features(SLIDE) == list(document)
        assert [one.number for one in file.steps(SLIDE)] == [
            one.number for one in [*done, *reversed(undone)]
        ]
        assert file.check() == []
    finally:
        study.close()


def test_thousands_are_deleted_and_brought_back(open_study: OpenStudy) -> None:
    study = open_study()
    features = [square(n) for n in range(3000)]
    study.do(step(1, Change.adding(features)))
    study.do(step(2, Change.removing(features[:2500])))
    assert read(study).features(SLIDE) == features[2500:]
    assert read(study).step(2).change.before == tuple(features[:2500])
    study.undo(2)
    assert read(study).features(SLIDE) == features


def test_a_private_study_is_made_with_its_first_write(tmp_path: Path) -> None:
    path = private_path(SLIDE)
    study = Study(path, lambda *_: None, info=StudyInfo(is_private=True))
    assert study.file is None
    assert study.info.is_private
    study.do(step(1, Change.adding([square()])))
    assert len(read(study).features(SLIDE)) == 1
    assert read(study).info.is_private
    study.close()


def test_a_second_opener_reads_only_and_is_told_who_writes(open_study: OpenStudy) -> None:
    first = open_study()
    first.do(step(1, Change.adding([square()])))
    read(first)
    second = open_study()
    assert second.is_read_only
    assert second.holder is not None
    assert second.file is not None
    assert len(second.file.features(SLIDE)) == 1
    with pytest.raises(StorageError, match="only read here"):
        second.put(TUMOR)
    first.close()
    assert not open_study().is_read_only


def test_the_lock_of_a_process_that_has_died_is_taken_over(
    open_study: OpenStudy, tmp_path: Path
) -> None:
    open_study().close()
    study = open_study()
    read_lock = lock_path(study.path).read_text()
    study.close()
    lock_path(study.path).write_text(read_lock.replace('"birth":"', '"birth":"9'))
    assert not open_study().is_read_only
    lock_path(study.path).unlink()
    lock_path(study.path).write_text("")  # died while it wrote
    assert not open_study().is_read_only


def test_a_lock_of_another_machine_stands(open_study: OpenStudy) -> None:
    study = open_study()
    lock = lock_path(study.path)
    study.close()
    lock.write_text('{"host":"elsewhere","user":"Bo","process":1,"since":"2026"}')
    other = open_study()
    assert other.holder is not None
    assert other.holder.user == "Bo"


def test_an_older_study_is_migrated_with_a_backup(
    open_study: OpenStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study()
    study.put(TUMOR)
    study.close()
    monkeypatch.setattr(migration, "VERSION", 2)
    monkeypatch.setattr(migration, "MIGRATIONS", {1: ("CREATE TABLE new (a)",)})
    again = open_study()
    assert again.backup is not None
    with StudyFile.open(again.backup) as backup:
        assert backup.version == 1
        assert backup.classes()[:1] == [TUMOR]
    assert read(again).version == 2
    assert read(again).classes()[:1] == [TUMOR]


def test_a_migration_that_fails_leaves_everything_as_it_was(
    open_study: OpenStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study()
    study.put(TUMOR)
    study.close()
    monkeypatch.setattr(migration, "VERSION", 2)
    monkeypatch.setattr(migration, "MIGRATIONS", {1: ("CREATE TABLE new (a)", "NONSENSE")})
    with pytest.raises(StorageError):
        open_study()
    monkeypatch.undo()
    again = open_study()
    assert not again.is_read_only
    assert read(again).classes()[:1] == [TUMOR]


def test_a_newer_study_is_only_read(open_study: OpenStudy) -> None:
    study = open_study()
    study.put(TUMOR)
    study.close()
    connection = sqlite3.connect(study.path)
    connection.execute(f"PRAGMA user_version = {study_file.VERSION + 1}")
    connection.close()
    newer = open_study()
    assert newer.is_newer
    assert newer.is_read_only
    assert newer.file is not None
    assert newer.file.classes()[:1] == [TUMOR]
    with pytest.raises(StorageError, match="newer"):
        newer.put(TUMOR)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.pathoview"
    with pytest.raises(StorageError, match="There is no file"):
        Study(text, lambda *_: None)
    text.write_text("hello, this is no database at all " * 9)
    with pytest.raises(StorageError, match="not a file of PathoView"):
        Study(text, lambda *_: None)
    other = tmp_path / "b.pathoview"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE a (b)")
    connection.close()
    with pytest.raises(StorageError, match="not a study"):
        Study(other, lambda *_: None)


def test_the_audit_trail_says_who_did_what_also_when_the_history_has_forgotten_it(
    open_study: OpenStudy,
) -> None:
    study = open_study()
    study.do(step(1, Change.adding([square()]), name="Draw rectangle"))
    study.undo(1, "Bo")
    study.redo(1, "Bo")
    study.undo(1, "Cy")
    study.do(step(2, Change.adding([square()]), name="Draw polygon"))
    assert [one.number for one in read(study).steps(SLIDE)] == [2]
    lines = [(author, text) for _time, author, slide, text in read(study).audit() if slide == SLIDE]
    assert lines == [
        ("Ada", "Draw rectangle"),
        ("Bo", "Taken back: Draw rectangle"),
        ("Bo", "Taken again: Draw rectangle"),
        ("Cy", "Taken back: Draw rectangle"),
        ("Ada", "Draw polygon"),
    ]

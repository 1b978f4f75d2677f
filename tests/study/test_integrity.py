"""Studies that are damaged: it is said in words, and what can be read is rescued."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from studies import OTHER_SLIDE, SLIDE, draw, features, opened, square

from pathoview.annotations.change import Change
from pathoview.core.errors import StorageError
from pathoview.study.integrity import check_study
from pathoview.study.model import Block, Case, SlideRecord
from pathoview.study.rescue import rescue
from pathoview.study.step import RecordChange
from pathoview.study.study_file import StudyFile

FIRST = [square(20 * n) for n in range(3)]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Three squares, one of them edited; a case with a block and a slide."""
    path = tmp_path / "s.pathoview"
    case = Case(name="C")
    block = Block(case_id=case.id, name="B")
    slide = SlideRecord(slide_hash=SLIDE, block_id=block.id)
    draw(
        path,
        Change.adding(FIRST),
        Change((FIRST[0],), (replace(FIRST[0], name="edited"),)),
        records=[RecordChange.of(None, one) for one in (case, block, slide)],
    )
    return path


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def texts(path: Path) -> str:
    return " ".join(map(str, check_study(path)))


def test_a_sound_study_has_no_problem(study: Path) -> None:
    assert check_study(study) == []
    with opened(study):
        assert check_study(study) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM annotation WHERE version = 4", "1 annotation has lost its shape"),
        ("DELETE FROM annotation WHERE version = 1", "2 steps of the history cannot"),
        ("UPDATE annotation SET wkb = x'00' WHERE version < 3", "2 versions of annotations cannot"),
        ("UPDATE annotation SET more = x'7b' WHERE version = 3", "1 version of an annotation"),
        ("UPDATE step SET versions = x'01' WHERE number = 2", "1 step of the history"),
        ("UPDATE step SET records = x'01' WHERE number = 1", "1 step of the history"),
        ("UPDATE record SET json = '[' WHERE kind = 'slide'", "1 record of the kind “slide”"),
        ("DELETE FROM record WHERE kind = 'study'", "lost its name"),
        ("DELETE FROM record WHERE kind = 'case'", "The case of block “B” is gone"),
        ("DELETE FROM record WHERE kind = 'block'", "The block of slide “5a5a5a5a” is gone"),
        ("UPDATE annotation SET class = 99", "3 annotations have a class that is gone"),
    ],
)
def test_what_is_wrong_is_said_in_words_and_what_to_do(
    study: Path, statement: str, said: str
) -> None:
    alter(study, statement)
    assert said in texts(study)
    assert all(problem.advice for problem in check_study(study))


def test_a_damaged_page_is_found(study: Path) -> None:
    overwrite_page(study, "annotation")
    assert "damaged" in texts(study)
    assert "backup" in texts(study)


def overwrite_page(path: Path, table: str, nth: int = 0) -> None:
    """Write nonsense over a leaf of a table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        pages = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,)
        ).fetchall()
    with path.open("r+b") as file:
        file.seek((pages[nth][0] - 1) * size)
        file.write(b"\xff" * size)


def test_a_sound_study_is_rescued_in_whole(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "t.pathoview"
    report = rescue(study, target, "Ada")
    assert report.lost == ()
    assert (report.n_annotations, report.n_steps) == (3, 2)
    assert features(target) == features(study)
    assert check_study(target) == []
    with StudyFile.open(study) as old, StudyFile.open(target) as new:
        assert new.info == old.info
        assert new.records(SlideRecord) == old.records(SlideRecord)
        assert [new.step(n) for n in (1, 2)] == [old.step(n) for n in (1, 2)]
        assert [*new.audit()][:-1] == [*old.audit()]
    with pytest.raises(StorageError, match="exists already"):
        rescue(study, target)


def test_single_rows_that_are_damaged_are_left_out_and_named(study: Path, tmp_path: Path) -> None:
    draw(study, Change.adding([square(90)]), slide=OTHER_SLIDE)
    alter(
        study,
        "UPDATE annotation SET wkb = x'00' WHERE version IN (2, 4)",
        "UPDATE record SET json = '[' WHERE kind = 'case'",
    )
    target = tmp_path / "t.pathoview"
    report = rescue(study, target)
    kept = features(target)
    assert {one.id for one in kept} == {FIRST[0].id, FIRST[2].id}
    assert [one.name for one in kept if one.id == FIRST[0].id] == [""]  # as before the edit
    said = " ".join(report.lost)
    assert "2 versions of annotations" in said
    assert "1 annotation is as it was earlier" in said
    assert "1 annotation is lost" in said
    assert "2 steps of the history" in said
    assert "“case”" in said
    assert len(features(target, OTHER_SLIDE)) == 1
    with StudyFile.open(target) as file:
        assert [one.slide_hash for one in (file.step(3),)] == [OTHER_SLIDE]


@pytest.mark.parametrize("nth", [0, 3, -1])
@pytest.mark.parametrize("table", ["annotation", "live", "step", "record", "audit"])
def test_what_a_damaged_page_leaves_is_rescued(tmp_path: Path, table: str, nth: int) -> None:
    path, target = tmp_path / "s.pathoview", tmp_path / "t.pathoview"
    drawn = [square(20 * n, name="x" * 60) for n in range(400)]
    cases = [Case(name="x" * 90) for _ in range(300)]
    parts = [drawn[n : n + 2] for n in range(0, 400, 2)]
    draw(
        path,
        *(Change.adding(part) for part in parts),
        records=[RecordChange.of(None, one) for one in cases],
    )
    with opened(path) as study:
        for n in range(300):
            study.tell("Ada", SLIDE, f"{n} " + "x" * 90)
    overwrite_page(path, table, nth)
    assert check_study(path) != []
    report = rescue(path, target)
    assert report.lost
    assert check_study(target) == []
    there = {one.id for one in features(target)}
    n_lost = len({one.id for one in drawn} - there)
    assert n_lost == 0 if table != "annotation" else 0 < n_lost < 80
    if table != "record":
        with StudyFile.open(target) as file:
            assert len(file.records(Case)) == 300
    draw(target, Change.adding([square()]))  # work goes on


def test_a_file_that_says_nothing_any_more_is_refused(study: Path, tmp_path: Path) -> None:
    data = study.read_bytes()
    study.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    with pytest.raises(StorageError):
        rescue(study, tmp_path / "t.pathoview")
    assert not (tmp_path / "t.pathoview").exists()

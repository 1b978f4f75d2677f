"""The verbs ``study …`` as a person meets them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson
import pytest
from studies import SLIDE, draw, features, opened, square

from pathoview import cli
from pathoview.annotations.change import Change
from pathoview.core.paths import data_folder
from pathoview.core.privacy import scrub
from pathoview.study.model import Block, Case, SlideRecord
from pathoview.study.step import RecordChange
from pathoview.study.study_file import StudyFile

Said = pytest.CaptureFixture[str]


def run(verb: str, *arguments: str | Path) -> int:
    return cli._run(["study", verb, *(str(argument) for argument in arguments)])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A case with a slide that was drawn on."""
    path = tmp_path / "liver.pathoview"
    case = Case(name="Huber")
    block = Block(case_id=case.id, name="A")
    slide = SlideRecord(
        slide_hash=SLIDE, path="/a/huber.svs", pseudonym="slide-5a", block_id=block.id, stain="PAS"
    )
    records = [RecordChange.of(None, one) for one in (case, block, slide)]
    draw(path, Change.adding([square(), square(20)]), time="2024-01-01", records=records)
    return path


def test_a_new_study_is_made_once(tmp_path: Path, capsys: Said) -> None:
    path = tmp_path / "new.pathoview"
    assert run("new", path) == 0
    assert run("new", path) == 4
    assert "exists already" in capsys.readouterr().err
    with StudyFile.open(path) as file:
        assert (file.info.name, len(file.classes())) == ("new", 7)


def test_info_says_what_is_in_it_and_who_has_it_open(study: Path, capsys: Said) -> None:
    assert run("info", study) == 0
    assert "Tumor, Stroma" in capsys.readouterr().out
    with opened(study):
        assert run("info", study, "--json") == 0
    facts = orjson.loads(capsys.readouterr().out)
    assert (facts["cases"], facts["slides"], facts["annotations"], facts["steps"]) == (1, 1, 2, 1)
    assert "@" in facts["open"]
    assert run("info", study.with_name("none.pathoview")) == 4
    assert "There is no file" in capsys.readouterr().err


def test_slides_are_listed_and_blinded_ones_tell_nothing(study: Path, capsys: Said) -> None:
    assert run("slides", study) == 0
    assert capsys.readouterr().out == "5a5a5a5a5a5a\thuber.svs\tlabelled\t2\tPAS\tHuber\tA\n"
    assert run("slides", study, "--blinded", "--json") == 0
    said = capsys.readouterr().out
    assert orjson.loads(said)[0]["name"] == "slide-5a"
    assert "uber" not in said


def test_the_audit_trail_is_printed(study: Path, capsys: Said) -> None:
    assert run("audit", study) == 0
    assert "Study made" in capsys.readouterr().out
    assert run("audit", study, "--json") == 0
    assert orjson.loads(capsys.readouterr().out)[0]["text"] == "Study made"


def test_what_is_wrong_is_said_with_an_exit_code(study: Path, capsys: Said) -> None:
    with opened(study):
        assert run("check", study) == 0
    assert "sound" in capsys.readouterr().out
    connection = sqlite3.connect(study)
    with connection:
        connection.execute("DELETE FROM annotation WHERE version = 1")
    connection.close()
    assert run("check", study) == 3
    assert "1 annotation has lost its shape" in capsys.readouterr().out
    rescued = study.with_name("rescued.pathoview")
    assert run("rescue", study, rescued) == 0
    said = capsys.readouterr()
    assert "1 annotation is lost" in said.err
    assert "1 annotation: " in said.out
    assert run("check", rescued) == 0


def test_a_copy_is_made_and_merged_again(study: Path, capsys: Said) -> None:
    target = study.with_name("copy.pathoview")
    with opened(study):
        assert run("copy", study, target) == 0
    assert run("copy", study, target) == 4
    assert run("copy", study, target, "--replace") == 0
    draw(target, Change.adding([square(40)]))
    capsys.readouterr()
    assert run("merge", study, target, "--dry-run") == 0
    assert "1 annotation came." in capsys.readouterr().out
    assert len(features(study)) == 2
    with opened(study):
        assert run("merge", study, target) == 4
    assert "has it open on" in capsys.readouterr().err
    assert run("merge", study, target, "--author", "Eve") == 0
    assert len(features(study)) == 3
    with StudyFile.open(study) as file:
        assert file.steps(SLIDE)[-1].author == "Eve"


def test_backups_are_listed_and_restored(study: Path, capsys: Said) -> None:
    assert run("restore", study) == 3
    assert "There is no backup" in capsys.readouterr().err
    assert run("backups", study, "--now") == 0
    assert "\tdaily\t" in capsys.readouterr().out
    draw(study, Change.adding([square(40)]))
    assert run("restore", study) == 0
    assert "What was there is now" in capsys.readouterr().out
    assert len(features(study)) == 2


def test_history_is_dropped_only_when_told_twice(study: Path, capsys: Said) -> None:
    assert run("compact", study, "--before", "yesterday") == 2
    assert run("compact", study, "--before", "2025-01-01") == 0
    assert "It would drop 1 step" in capsys.readouterr().out
    with StudyFile.open(study) as file:
        assert file.count_steps() == 1
    assert run("compact", study, "--before", "2025-01-01", "--yes") == 0
    assert "Dropped: 1 step" in capsys.readouterr().out
    with StudyFile.open(study) as file:
        assert file.count_steps() == 0


def test_a_case_is_erased_only_when_told_twice(study: Path, capsys: Said) -> None:
    bookmark = data_folder() / "bookmarks" / f"{SLIDE}.json"
    bookmark.parent.mkdir()
    bookmark.touch()
    assert run("erase-case", study, "Hubert", "--yes") == 3
    assert run("erase-case", study, "Huber") == 0
    said = capsys.readouterr().out
    assert "It would erase 1 slide, 2 annotations" in said
    assert str(bookmark) in said
    assert len(features(study)) == 2
    assert run("erase-case", study, "Huber", "--yes", "--with-files") == 0
    assert "Erased: 1 slide," in capsys.readouterr().out
    assert features(study) == []
    assert not bookmark.exists()


def test_the_name_of_a_study_stays_out_of_the_log(study: Path) -> None:
    assert run("info", study) == 0
    assert "liver" not in scrub(f"opened {study.name}")

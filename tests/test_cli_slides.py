"""The verbs ``slides …`` as a person meets them."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest
from clips import frame, write_frames
from makers import make_slides
from studies import opened

from pathoview import cli
from pathoview.core.privacy import scrub
from pathoview.study.model import Case, SlideOrder, SlideRecord
from pathoview.study.slide_labels import label_text
from pathoview.study.study_file import StudyFile

Said = pytest.CaptureFixture[str]


def run(verb: str, *arguments: str | Path) -> int:
    return cli._run(["slides", verb, *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_slides(tmp_path_factory.mktemp("originals"), "huber1", "huber2")


@pytest.fixture
def folder(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals, tmp_path / "slides"))


@pytest.fixture
def study(folder: Path, tmp_path: Path, capsys: Said) -> Path:
    path = tmp_path / "trial.pathoview"
    assert run("add", path, folder) == 0
    assert "2 slides added." in capsys.readouterr().out
    return path


def records(study: Path) -> dict[str, SlideRecord]:
    with StudyFile.open(study) as file:
        return {Path(one.path).stem: one for one in file.records(SlideRecord)}


def steps(study: Path) -> list[str]:
    with StudyFile.open(study) as file:
        return [one.name for one in file.steps("")]


def test_each_clip_of_a_folder_is_added_as_one_slide(
    study: Path, tmp_path: Path, capsys: Said
) -> None:
    for name in ("b", "a"):
        write_frames(tmp_path / "clips" / name, [frame(ord(name)), frame(3)])
    assert run("add", study, "--clips", tmp_path / "clips") == 0
    assert "2 slides added." in capsys.readouterr().out
    assert run("list", study, "--sort", "name") == 0
    listed = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["a", "b", "huber1.svs", "huber2.svs"]
    assert run("add", study) == 2
    assert "Nothing is named" in capsys.readouterr().err


def test_slides_are_added_once_and_what_is_none_is_told(
    study: Path, folder: Path, capsys: Said
) -> None:
    (folder / "letter.svs").write_text("Dear colleague")
    assert run("add", study, folder) == 0
    said = capsys.readouterr()
    assert "0 slides added. 2 were there already." in said.out
    assert "letter.svs" in said.err
    assert steps(study) == ["Add 2 slides"]
    assert run("add", study, folder / "letter.svs") == 3
    assert "huber1" not in scrub(str(folder / "huber1.svs"))


def test_slides_are_labelled_and_labels_taken_away(study: Path, capsys: Said) -> None:
    labels = ["--add", "Tumor", "--add", "grade:ISUP=3@0-4", "--author", "Bo"]
    assert run("label", study, "huber1", "huber2.svs", *labels) == 0
    assert "2 slides changed." in capsys.readouterr().out
    assert run("label", study, "huber1", "--remove", "Tumor", "--add", "ISUP", "--uncertain") == 0
    one, two = records(study)["huber1"], records(study)["huber2"]
    assert [*map(label_text, one.labels)] == ["grade:ISUP=3@0-4", "ISUP"]
    assert [*map(label_text, two.labels)] == ["Tumor", "grade:ISUP=3@0-4"]
    assert (one.labels[0].author, one.labels[1].is_uncertain) == ("Bo", True)
    assert steps(study)[-2:] == ["Label slide", "Label slide"]


def test_a_slide_that_is_not_there_and_a_wrong_label_are_refused(study: Path, capsys: Said) -> None:
    assert run("label", study, "meier", "--add", "Tumor") == 3
    assert "no slide “meier”" in capsys.readouterr().err
    assert run("label", study, "huber1", "--add", "grade:ISUP") == 2
    assert run("label", study, "huber1") == 2
    assert run("label", study.with_name("none.pathoview"), "huber1", "--add", "Tumor") == 4
    assert not study.with_name("none.pathoview").exists()


def test_slides_are_described_and_listed_with_what_is_said(study: Path, capsys: Said) -> None:
    said = ["--case", "C 1", "--block", "A", "--stain", "pas", "--patient", "4711", "--tag", "rare"]
    assert run("describe", study, "huber2", *said, "--metadata", "Age=61", "--reviewed") == 0
    assert run("describe", study, "huber2", "--block", "B", "--metadata", "Age") == 2
    assert run("describe", study, "huber2", "--block", "B") == 0
    capsys.readouterr()
    assert run("list", study, "--json", "--search", "c rare") == 0
    (facts,) = orjson.loads(capsys.readouterr().out)
    assert (facts["case"], facts["block"], facts["stain"]) == ("C 1", "B", "PAS")
    assert (facts["status"], facts["metadata"], facts["tags"]) == (
        "reviewed",
        {"Age": "61"},
        ["rare"],
    )
    assert run("list", study) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("huber2.svs\tC 1 · B\treviewed\tPAS")


def test_a_blinded_study_is_listed_by_pseudonyms(study: Path, capsys: Said) -> None:
    with opened(study) as written:
        written.put(SlideOrder(sort="random", seed=4, is_blinded=True))
    assert run("list", study) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("slide-") for line in lines)
    assert run("list", study, "--csv", study.with_name("list.csv")) == 0
    assert "huber" not in study.with_name("list.csv").read_text("utf-8-sig")
    assert run("list", study, "--no-blinded", "--sort", "name") == 0
    assert "huber1.svs" in capsys.readouterr().out
    assert run("list", study, "--sort", "size") == 2


def test_a_table_is_tried_and_then_imported(study: Path, capsys: Said) -> None:
    table = study.with_name("table.csv")
    table.write_text("Slide;Center;Age;case\nhuber1;Oslo;61;C 1\nmeier;Rom;50;C 1\n")
    column = ["--column", "Center=metadata"]
    assert run("import-metadata", study, table, *column, "--dry-run") == 0
    said = capsys.readouterr()
    assert "1 slide found, 1 would change." in said.out
    assert "Not in the study: meier" in said.err
    assert records(study)["huber1"].metadata == {}
    assert run("import-metadata", study, table, *column) == 0
    assert records(study)["huber1"].metadata == {"Center": "Oslo", "Age": "61"}
    with StudyFile.open(study) as file:
        assert [case.name for case in file.records(Case)] == ["C 1"]
    assert run("import-metadata", study, table, "--column", "Center=town") == 2


def test_slides_are_removed_and_found_again(study: Path, folder: Path, capsys: Said) -> None:
    assert run("remove", study, "huber1") == 0
    assert list(records(study)) == ["huber2"]
    (folder / "huber2.svs").rename(folder / "other.svs")
    assert run("find", study, folder) == 0
    assert "1 slide was found again." in capsys.readouterr().out
    assert list(records(study)) == ["other"]


def test_a_study_that_is_open_elsewhere_is_not_altered(study: Path, capsys: Said) -> None:
    with opened(study):
        assert run("label", study, "huber1", "--add", "Tumor") == 4
        assert run("list", study) == 0
    assert "open" in capsys.readouterr().err

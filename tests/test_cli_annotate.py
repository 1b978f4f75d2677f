"""``pathoview annotate`` and ``pathoview tissue`` work on a study as the window does."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import shapely
from makers import make_svs

from pathoview import cli
from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.slides.opening import open_slide
from pathoview.study.default_classes import default_classes
from pathoview.study.model import SlideRecord, StudyInfo
from pathoview.study.step import StudyStep
from pathoview.study.study import Study, private_path
from pathoview.study.study_file import StudyFile

TUMOR, STROMA = (one.drawn for one in default_classes()[:2])


def run(*arguments: str | Path) -> int:
    return cli._run([str(argument) for argument in arguments])


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "a.svs")


def hash_of(slide: Path) -> str:
    with open_slide(slide) as opened:
        return opened.content_hash


@pytest.fixture
def study(tmp_path: Path, slide: Path) -> Path:
    """A study in which two tumours that overlap and some stroma were drawn."""
    path = tmp_path / "s.pathoview"
    drawn = [
        Feature(shapely.box(100, 100, 200, 200), classification=TUMOR),
        Feature(shapely.box(150, 100, 250, 200), classification=TUMOR),
        Feature(shapely.box(400, 400, 500, 500), classification=STROMA),
    ]
    study = Study(path, lambda *_told: None, info=StudyInfo())
    study.do(StudyStep(1, hash_of(slide), "Draw", "2026", change=Change.adding(drawn)))
    assert study.close()
    return path


def features(study: Path, slide: Path) -> list[Feature]:
    with StudyFile.open(study) as file:
        return file.features(hash_of(slide))


def last_step(study: Path, slide: Path) -> StudyStep:
    with StudyFile.open(study) as file:
        return file.step(file.steps(hash_of(slide))[-1].number)


def test_annotations_of_a_class_are_expanded_as_one_step(
    study: Path, slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("annotate", "expand", "--class", "Tumor", "--um", 5, slide, "--study", study) == 0
    assert capsys.readouterr().out == "2 annotations changed\n"
    assert [one.geometry.bounds[0] for one in features(study, slide)] == [90, 140, 400]
    step = last_step(study, slide)
    assert step.name == "Expand annotations (5 µm)"
    assert step.command == {"verb": "annotate", "what": "expand", "class": ["Tumor"], "um": 5}
    assert step.author


def test_operations_follow_one_another_and_the_workflow_repeats_them(
    study: Path, slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("annotate", "merge", slide, "--class", "Tumor", "--study", study) == 0
    assert run("annotate", "set-class", slide, "--class", "Stroma", "--study", study) == 0
    assert run("tissue", slide, "--to", "Region*", "--study", study) == 0
    assert "2 annotations became 1" in capsys.readouterr().out
    assert run("workflow", slide, "--study", study) == 0
    other = make_svs(tmp_path / "b.svs", mpp=0.25)
    places = {"$SLIDE": str(other), "$STUDY": str(study)}
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("pathoview")]
    assert len(lines) == 3
    for line in lines:
        assert run(*(places.get(word, word) for word in shlex.split(line)[1:])) == 0
    (tissue,) = features(study, other)
    assert tissue.name == "Tissue"
    assert tissue.classification is not None
    assert tissue.classification.name == "Region*"
    with StudyFile.open(study) as file:
        assert {one.slide_hash for one in file.records(SlideRecord)} >= {hash_of(other)}


def test_without_a_study_the_private_one_of_the_slide_is_worked_on(slide: Path) -> None:
    assert run("annotate", "full-image", slide, "--author", "Ada") == 0
    (whole,) = features(private_path(hash_of(slide)), slide)
    assert whole.is_locked
    assert whole.author == "Ada"
    assert whole.geometry.equals(shapely.box(0, 0, 1024, 768))


def test_one_annotation_is_named_by_its_id_and_locked_ones_are_told(
    study: Path, slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = features(study, slide)[0]
    assert run("annotate", "lock", slide, "--id", first.id, "--study", study) == 0
    assert run("annotate", "delete", slide, "--class", "Tumor", "--study", study) == 0
    said = capsys.readouterr()
    assert "1 annotation was left as it is" in said.err
    assert first.id in {one.id for one in features(study, slide)}
    assert run("annotate", "unlock", slide, "--class", "Stroma", "--study", study) == 0
    assert "Nothing to change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["melt"], "no operation “melt”"),
        (["expand"], "needs a distance"),
        (["expand", "--um", "5", "--px", "5"], "not both"),
        (["lock", "--id", "x", "--class", "Tumor"], "not both"),
        (["lock", "--id", "x"], "no annotation"),
        (["lock", "--class", "Tumour"], "no class “Tumour”"),
        (["set-class", "--to", "Tumour"], "no class “Tumour”"),
    ],
)
def test_wrong_use_is_refused_with_a_sentence_and_changes_nothing(
    study: Path,
    slide: Path,
    words: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = features(study, slide)
    assert run("annotate", *words, slide, "--study", study) == 2
    assert sentence in capsys.readouterr().err
    assert features(study, slide) == before


def test_a_study_that_is_open_elsewhere_is_not_touched(
    study: Path, slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = Study(study, lambda *_told: None)
    try:
        assert run("annotate", "lock", slide, "--study", study) == 4
    finally:
        holder.close()
    assert "open" in capsys.readouterr().err

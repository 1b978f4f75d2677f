"""``pathoview import``, ``export`` and ``export-tiles``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import orjson
import pytest
import shapely
from makers import he_image, make_pyramid_tiff, make_svs
from studies import TUMOR, draw, features, opened

from pathoview import cli
from pathoview.annotations.change import Change
from pathoview.annotations.dialects import formats
from pathoview.annotations.dialects.formats import SlideFrame
from pathoview.annotations.feature import Feature
from pathoview.slides.opening import open_slide
from pathoview.study.lock import StudyLock
from pathoview.study.model import SlideRecord
from pathoview.study.results import find_runs
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def slide_of(folder: Path, name: str = "Jane Doe.tif", seed: int = 0) -> Path:
    return make_pyramid_tiff(folder / name, he_image(512, 512, seed))


def hash_of(slide: Path) -> str:
    with open_slide(slide) as one:
        return one.content_hash


def written(path: Path, name: str, *drawn: Feature) -> Path:
    formats.write(path, formats.dialect_named(name), drawn, SlideFrame(512, 512, (0.5, 0.5)))
    return path


BOX = Feature(shapely.box(10, 20, 110, 90), classification=TUMOR.drawn, name="the one")


@pytest.mark.parametrize("name", ["asap", "imagescope", "dsa", "coco", "imagej", "geojson"])
def test_a_file_of_any_kind_goes_into_the_private_study_and_out_again(
    in_tmp: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = slide_of(in_tmp)
    file = written(in_tmp / "given.bin", name, BOX)
    assert run("import", file, slide) == 0
    assert "1 annotation taken into the private study" in capsys.readouterr().out
    (taken,) = features(private_path(hash_of(slide)), hash_of(slide))
    assert shapely.equals(taken.geometry, BOX.geometry)
    assert taken.classification is not None
    assert taken.classification.name == "Tumor"
    assert find_runs(hash_of(slide)) == []
    assert run("export", slide, "out.json", "--format", name) == 0
    assert b"Jane" not in (in_tmp / "out.json").read_bytes()
    dialect = formats.recognise(in_tmp / "out.json")
    assert dialect is not None
    assert dialect.name == name


def test_a_named_study_is_made_and_knows_the_slide_and_the_step(in_tmp: Path) -> None:
    slide = slide_of(in_tmp)
    (in_tmp / "points.csv").write_text("x,y,class\n10,20,Mitosis\n")
    said = ("--study", "s.pathoview", "--option", "unit=um")
    assert run("import", "points.csv", slide, *said) == 0
    with StudyFile.open(in_tmp / "s.pathoview") as study:
        (record,) = study.records(SlideRecord)
        assert record.path == str(slide)
        assert "Mitosis" in [one.name for one in study.classes() if one.is_listed]
        (step,) = study.steps(record.slide_hash)
        assert step.name == "Import points.csv"
        assert study.step(step.number).command == {
            "verb": "import",
            "file": "points.csv",
            "option": ["unit=um"],
        }
        (point,) = study.features(record.slide_hash)
        assert point.geometry.coords[0] == (20, 40)


def test_the_same_file_twice_adds_nothing(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slide = slide_of(in_tmp)
    file = written(in_tmp / "given.geojson", "geojson", BOX)
    assert run("import", file, slide) == 0
    assert run("import", file, slide) == 0
    assert "was there already" in capsys.readouterr().out
    assert len(features(private_path(hash_of(slide)), hash_of(slide))) == 1


def test_a_study_that_is_open_elsewhere_is_left_alone(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = slide_of(in_tmp)
    file = written(in_tmp / "given.geojson", "geojson", BOX)
    lock = StudyLock.take(private_path(hash_of(slide)))
    assert isinstance(lock, StudyLock)
    assert run("import", file, slide) == 4
    assert "only read here" in capsys.readouterr().err
    lock.release()
    assert find_runs(hash_of(slide)) == []
    assert run("import", file, slide) == 0


def test_results_and_annotations_are_written_together_or_alone(in_tmp: Path) -> None:
    slide = slide_of(in_tmp)
    assert run("export", slide, "o.geojson") == 3
    assert run("analyze", slide, "--output", "nuclei.geojson") == 0
    n = len(orjson.loads((in_tmp / "nuclei.geojson").read_bytes())["features"])
    file = written(in_tmp / "given.xml", "asap", BOX)
    assert run("import", file, slide) == 0

    def count(*options: str) -> int:
        assert run("export", slide, "o.geojson", *options) == 0
        return len(orjson.loads((in_tmp / "o.geojson").read_bytes())["features"])

    assert count() == n + 1
    assert count("--only", "annotations") == 1
    assert count("--only", "detections") == n
    assert count("--class", "Tumor") == 1
    assert count("--class", "Stroma") == 0
    assert b"Jane" not in (in_tmp / "o.geojson").read_bytes()


def test_an_ending_that_several_formats_have_asks_for_the_format(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = slide_of(in_tmp)
    assert run("export", slide, "o.xml") == 2
    assert "asap, imagescope" in capsys.readouterr().err
    assert run("export", slide, "o.geojson", "--study", "none.pathoview") in (2, 3)
    assert run("import", "none.xml", slide) == 3
    assert run("import", "none.xml") == 2
    assert run("import", "none.xml", slide, "--option", "color=red") == 2


def test_a_qupath_project_gives_slides_and_classes(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = make_svs(in_tmp / "case.svs")
    folder = in_tmp / "project"
    (folder / "classifiers").mkdir(parents=True)
    said = {"pathClasses": [{"name": "Gland", "color": [1, 2, 3]}, {"name": "Tumor"}]}
    (folder / "classifiers" / "classes.json").write_text(json.dumps(said))
    images = [
        {
            "imageName": "The first",
            "entryID": "1",
            "description": "odd",
            "metadata": {"stain": "HE"},
            "serverBuilder": {"builderType": "uri", "uri": uri},
        }
        for uri in (slide.as_uri(), (in_tmp / "gone.svs").as_uri())
    ]
    project = folder / "project.qpproj"
    project.write_text(json.dumps({"version": "0.5.0", "images": images}))
    assert run("import", project) == 2
    for _time in range(2):
        assert run("import", project, "--study", "s.pathoview") == 0
    heard = capsys.readouterr()
    assert "was left out" in heard.err
    assert "1 slide in s.pathoview" in heard.out
    with StudyFile.open(in_tmp / "s.pathoview") as study:
        (record,) = study.records(SlideRecord)
        assert (record.path, record.notes) == (str(slide), "odd")
        assert record.metadata == {"stain": "HE", "QuPath name": "The first"}
        names = [one.name for one in study.classes()]
        assert names.count("Gland") == names.count("Tumor") == 1
        assert [one.name for one in study.steps("")] == ["Import project.qpproj"]


def test_tiles_are_cut_with_classes_and_splits(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slides = [slide_of(in_tmp, f"{number}.tif", number) for number in range(2)]
    study = in_tmp / "s.pathoview"
    with opened(study):
        pass
    for slide in slides:
        draw(study, Change.adding([Feature(BOX.geometry, classification=TUMOR.drawn)]),
             slide=hash_of(slide))  # fmt: skip
    options = ("--tile-px", 128, "--split", "train=0.5,val=0.5", "--by", "slide")
    assert run("export-tiles", *slides, "--study", study, "--output", "tiles", *options) == 0
    with (in_tmp / "tiles" / "tiles.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["split"] for row in table} == {"train", "val"}
    assert sum(int(row["px Tumor"]) for row in table) == 2 * 100 * 70
    assert run("export-tiles", *slides, "--study", study, "--output", "tiles") == 2
    assert "not an empty folder" in capsys.readouterr().err
    wrong = ("--output", "more", "--split", "train=0.5")
    assert run("export-tiles", *slides, "--study", study, *wrong) == 2

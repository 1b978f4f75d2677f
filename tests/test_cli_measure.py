"""``pathoview measure``: what was drawn and what was found, as a table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import shapely
from makers import make_svs
from run_files import new_run, squares
from studies import draw

from pathoview import cli
from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.origin import origin_of
from pathoview.slides.opening import open_slide
from pathoview.study.model import LabelClass
from pathoview.study.step import RecordChange
from pathoview.study.study import private_path


def measure(*arguments: str | Path) -> int:
    return cli._run(["measure", *map(str, arguments)])


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    """A slide of 0.5 µm per px with three nuclei of a newer run, and one of an older."""
    path = make_svs(tmp_path / "a.svs")
    with open_slide(path) as opened:
        for started, corners in (("2026-01-01", [(900, 600)]), ("2026-02-01", [(10, 10)] * 3)):
            with new_run(opened, started=started, id=started.replace("-", "")) as run:
                run.add_tile(0, 0, squares(corners, class_name="Tumor"))
                run.update_record(state="done")
    return path


def drawn(slide: Path, study: Path | None = None) -> Feature:
    with open_slide(slide) as opened:
        slide_hash = opened.content_hash
    feature = Feature(shapely.box(0, 0, 100, 100), name="Region, “odd”", author="Ada")
    draw(study or private_path(slide_hash), Change.adding([feature]), slide=slide_hash)
    return feature


def rows(path: Path) -> list[dict[str, str]]:
    delimiter = "\t" if path.suffix == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.mark.parametrize("name", ["o.csv", "o.tsv"])
def test_annotations_of_the_private_study_and_the_newest_run_are_measured(
    slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    feature = drawn(slide)
    assert measure(slide, "--output", tmp_path / name) == 0
    assert "4 objects written" in capsys.readouterr().out
    region, *nuclei = rows(tmp_path / name)
    assert region["Name"] == feature.name
    assert region["Author"] == "Ada"
    assert region["Area µm²"] == "2500"
    assert region["Detections inside"] == "3"
    assert region["Tumor per mm²"] == "1200"
    assert [one["Parent id"] for one in nuclei] == [str(feature.id)] * 3
    assert nuclei[0]["Kind"] == "detection"
    assert nuclei[0]["Centroid X µm"] == "10"
    assert nuclei[0]["Solidity"] == "1"


def test_a_study_a_run_and_columns_can_be_named(slide: Path, tmp_path: Path) -> None:
    drawn(slide, tmp_path / "s.pathoview")
    output = tmp_path / "o.csv"
    where = ("--study", tmp_path / "s.pathoview", "--output", output)
    columns = ("--column", "Name", "--column", "Detections inside")
    assert measure(slide, *where, "--run", "20260101", *columns) == 0
    assert rows(output) == [
        {"Name": "Region, “odd”", "Detections inside": "0"},
        {"Name": "", "Detections inside": ""},
    ]
    assert measure(slide, *where, "--run", "none") == 0
    assert [one["Kind"] for one in rows(output)] == ["annotation"]


def test_a_corrected_nucleus_is_measured_once(slide: Path, tmp_path: Path) -> None:
    corners = [(10, 10), (40, 10), (70, 10)]
    table = squares(corners, class_name="Tumor: Negative")
    with open_slide(slide) as opened:
        home = private_path(opened.content_hash)
        with new_run(opened, started="2026-03-01", id="c3") as run:
            run.add_tile(0, 0, table)
            run.update_record(state="done")
        origins = [origin_of("c3", [table.uuid(row)]) for row in range(2)]
        positive = DetectionClass("Tumor: Positive", (200, 0, 0))
        record = LabelClass(number=9, name=positive.name, color=positive.color)
        fixed = Feature(shapely.box(10, 10, 30, 30), origin=origins[0], classification=positive)
        none = Feature(shapely.Point(50, 20), origin=origins[1])
        change, records = Change.adding([fixed, none]), [RecordChange.of(None, record)]
        draw(home, change, slide=opened.content_hash, records=records)
    drawn(slide)
    assert measure(slide, "--output", tmp_path / "o.csv") == 0
    found = rows(tmp_path / "o.csv")
    assert [one["Kind"] for one in found] == ["annotation"] * 3 + ["detection"]
    assert found[-1]["Id"] == str(table.uuid(2))
    region = found[2]
    assert region["Detections inside"] == "2"
    assert region["Detections per mm²"] == "800"
    assert region["Tumor: Positive %"] == "50"


def test_a_nucleus_of_a_class_that_is_not_looked_for_is_listed_and_not_counted(
    slide: Path, tmp_path: Path
) -> None:
    table = squares([(10, 10), (40, 10), (70, 10)])
    none = LabelClass(number=9, name="No nucleus", color=(9, 9, 9), meaning="negative")
    with open_slide(slide) as opened:
        with new_run(opened, started="2026-03-01", id="c3") as run:
            run.add_tile(0, 0, table)
            run.update_record(state="done")
        origin = origin_of("c3", [table.uuid(0)])
        said = Feature(shapely.box(10, 10, 30, 30), origin=origin, classification=none.drawn)
        home, change = private_path(opened.content_hash), Change.adding([said])
        draw(home, change, slide=opened.content_hash, records=[RecordChange.of(None, none)])
    drawn(slide)
    assert measure(slide, "--output", tmp_path / "o.csv") == 0
    found = rows(tmp_path / "o.csv")
    assert [one["Class"] for one in found[:2]] == ["No nucleus", ""]
    assert len(found) == 4
    assert found[1]["Detections inside"] == "2"
    assert "No nucleus inside" not in found[1]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--output", "o.doc"), 2, "“o.doc” is no table"),
        (("--output", "o.csv", "--run", "77"), 2, "no run “77”"),
        (("--output", "o.csv", "--column", "Girth"), 2, "no column “Girth”"),
        (("--output", "o.csv", "--run", "none"), 3, "neither annotations nor results"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_sentence(
    slide: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert measure(slide, *arguments) == code
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "o.csv").exists()


def test_a_study_that_is_not_there_is_told(
    slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--study", tmp_path / "no.pathoview", "--output", tmp_path / "o.csv")
    assert measure(slide, *arguments) != 0
    assert "no.pathoview" in capsys.readouterr().err

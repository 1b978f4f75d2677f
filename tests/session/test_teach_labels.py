from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from teaching import CLASSES, NUCLEUS, TISSUE, drawn, teach_study

from pathoview.annotations.feature import Feature
from pathoview.methods.spec import Kind
from pathoview.session.teach_labels import (
    LabelSummary,
    SlideLabels,
    kind_words,
    read_labels,
    summary,
)
from pathoview.study.model import LabelClass
from pathoview.study.study_file import StudyFile

IGNORE = LabelClass(number=3, name="Ignore*", color=(1, 1, 1), meaning="ignore")


def points(n: int, of: LabelClass = NUCLEUS) -> list[Feature]:
    return [drawn(shapely.Point(10 + 5 * place, 20), of) for place in range(n)]


def stroke(of: LabelClass, x: float = 50) -> Feature:
    return drawn(shapely.box(x, 50, x + 40, 60), of, "scribble")


def found(
    learns_from: str,
    *features: Feature,
    classes: tuple[LabelClass, ...] = CLASSES,
    kind: Kind = Kind.PIXEL,
) -> LabelSummary:
    slide = SlideLabels(features, 0.5, (1000, 800))
    return summary(learns_from, kind, [slide], [*classes, IGNORE])  # type: ignore[arg-type]


def test_points_are_counted_and_more_are_asked_for() -> None:
    said = found("points", *points(28))
    assert said.counts == {"Nucleus": 28}
    assert said.problem == ""
    assert said.advice == ("12 more nuclei would help.",)
    assert found("points", *points(39)).advice == ("1 more nucleus would help.",)
    assert found("points", *points(40)).advice == ()


def test_points_that_were_clicked_together_count_each() -> None:
    many = drawn(shapely.MultiPoint([(10, 20), (30, 20), (50, 20)]), NUCLEUS)
    said = found("points", many, *points(2))
    assert said.counts == {"Nucleus": 5}
    assert said.advice == ("35 more nuclei would help.",)


def test_healthy_tissue_is_what_means_that_it_is_not_looked_for() -> None:
    healthy = LabelClass(number=4, name="Healthy", color=(1, 1, 1), meaning="negative")
    area, other = (drawn(shapely.box(x, 300, x + 200, 500), TISSUE) for x in (100, 400))
    beside = drawn(shapely.box(100, 600, 300, 780), healthy)

    def said(*features: Feature) -> LabelSummary:
        both = (TISSUE, healthy)
        return found("scribbles", *features, classes=both, kind=Kind.SYNTHESIS)

    assert "Outline some pathology" in said(beside).problem
    assert "Outline healthy tissue" in said(area, other).problem
    full = Feature(shapely.box(0, 0, 900, 700), role="full")
    assert said(area, full).problem == ""
    both = said(area, beside)
    assert both.problem == ""
    assert both.counts == {"Tissue": 1, "Healthy": 1}
    assert [use.reason for use in both.uses] == [
        "Its class is none of those that are learned: it counts as background.",
        "",
    ]
    assert not any("None yet of" in one for one in both.advice)


@pytest.mark.parametrize("learns_from", ["points", "instances"])
def test_what_is_no_nucleus_is_used_but_is_none_to_learn_from(learns_from: str) -> None:
    none = LabelClass(number=4, name="No nucleus", color=(1, 1, 1), meaning="negative")
    said = found(learns_from, *points(3, none), classes=(*CLASSES, none))
    assert said.counts == {"No nucleus": 3}
    assert said.problem
    (use,) = said.uses
    assert use.n_used == 3
    assert "background" in use.reason


@pytest.mark.parametrize("learns_from", ["points", "instances", "scribbles", "objects"])
def test_without_labels_nothing_can_start(learns_from: str) -> None:
    said = found(learns_from)
    assert said.problem
    assert said.advice == () or learns_from in ("scribbles", "objects")


def test_one_class_is_not_enough_where_classes_are_told_apart() -> None:
    said = found("scribbles", stroke(NUCLEUS))
    assert "only “Nucleus”" in said.problem
    both = found("scribbles", stroke(NUCLEUS), stroke(TISSUE, 200))
    assert both.problem == ""
    assert both.counts == {"Nucleus": 1, "Tissue": 1}
    whole = Feature(shapely.box(0, 0, 400, 300), role="full")
    assert found("scribbles", stroke(NUCLEUS), whole).problem == ""


def test_classes_without_labels_are_named() -> None:
    empty = LabelClass(number=4, name="Necrosis", color=(5, 5, 5))
    said = found("scribbles", stroke(NUCLEUS), stroke(TISSUE, 200), classes=(*CLASSES, empty))
    assert said.advice[-1] == "None yet of: Necrosis."


def test_what_is_left_out_is_told_with_its_reason() -> None:
    outside = drawn(shapely.Point(5000, 20), NUCLEUS)
    said = found("points", *points(3), stroke(TISSUE), outside, drawn(shapely.Point(1, 1), IGNORE))
    left_out = {kind_words(one): one.reason for one in said.uses if one.n_left_out}
    assert "outside of the slide" in left_out["points"]
    assert left_out["strokes"]
    assert left_out["left out"]
    assert said.counts == {"Nucleus": 3}


def test_labels_of_other_slides_are_read_from_the_study(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "points")
    with StudyFile.open(study) as file:
        (slide_hash,) = file.count_annotations()
    (read,) = read_labels(study, {slide_hash: (0.5, (320, 320))})
    here = SlideLabels(tuple(points(5)), 0.5, (1000, 800))
    said = summary("points", Kind.INSTANCE, [here, read], CLASSES)
    assert said.n_slides == 2
    assert said.counts["Nucleus"] == len(read.features) - 1 + 5

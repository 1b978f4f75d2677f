"""The table of all objects: what its columns say, what is kept when something changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from run_files import squares

from pathoview.annotations import detection_rows, feature_rows
from pathoview.annotations.columns import NumberColumn
from pathoview.annotations.detection_rows import DetectionRows
from pathoview.annotations.detections import DetectionClass, Detections, concatenate
from pathoview.annotations.feature import Feature
from pathoview.annotations.object_filter import ObjectFilter, Order, arranged
from pathoview.annotations.objects import Objects, RunObjects
from pathoview.annotations.origin import origin_of

MPP = (0.5, 0.5)
TUMOR = DetectionClass("Tumor", (200, 0, 0))
REGION = Feature(shapely.box(0, 0, 1000, 1000), classification=TUMOR, name="Region 1", author="Ada")
INNER = Feature(shapely.box(100, 100, 200, 200), name="Inner", is_uncertain=True)
POINT = Feature(shapely.Point(5000, 5000))
FEATURES = (REGION, INNER, POINT)
POSITIVE = squares([(110, 110), (500, 500)], class_name="Tumor: Positive")
NEGATIVE = squares([(140, 140), (600, 500), (3000, 3000)], class_name="Tumor: Negative")
OWNER = object()
RUN = RunObjects("Nuclei", OWNER, [concatenate([POSITIVE, NEGATIVE])])


@pytest.fixture
def objects() -> Objects:
    return Objects(FEATURES, [RUN], MPP)


def values(objects: Objects, name: str) -> list[float]:
    column = objects.column(name)
    assert isinstance(column, NumberColumn)
    return column.values.tolist()


def words(objects: Objects, name: str) -> list[str]:
    return objects.column(name).texts(np.arange(len(objects)))


def test_annotations_come_first_then_detections_with_what_is_said_of_each(objects: Objects) -> None:
    assert words(objects, "Kind") == ["annotation"] * 3 + ["detection"] * 5
    assert words(objects, "Run") == [""] * 3 + ["Nuclei"] * 5
    assert words(objects, "Class")[:5] == ["Tumor", "", "", "Tumor: Positive", "Tumor: Positive"]
    assert words(objects, "Name")[:2] == ["Region 1", "Inner"]
    assert words(objects, "Author")[0] == "Ada"
    assert words(objects, "Flags")[:2] == ["", "uncertain"]
    assert words(objects, "Id")[0] == str(REGION.id)


def test_measures_are_those_of_both_kinds_in_their_unit(objects: Objects) -> None:
    areas = values(objects, "Area µm²")
    assert areas[:2] == [250_000, 2_500]
    assert np.isnan(areas[2])
    assert areas[3:] == [100] * 5
    assert values(objects, "Centroid X µm")[3] == 60
    assert "Area px²" in Objects(FEATURES, [RUN], None).names


def test_what_a_run_has_measured_itself_is_told_as_it_stands(objects: Objects) -> None:
    assert np.isnan(values(objects, "Area px")[:3]).all()
    assert values(objects, "Area px")[3:] == [400] * 5
    own = replace(POSITIVE, measurements={"Area µm²": np.array([7, np.nan], np.float32)})
    table = Objects((), [RunObjects("", OWNER, [own])], MPP)
    assert values(table, "Area µm²") == [7, 100]


def test_what_is_kept_with_an_annotation_is_told_as_it_stands() -> None:
    kept = replace(REGION, measurements={"Eosin mean": 0.25, "Area µm²": 1.0})
    assert values(Objects([kept, INNER], [], MPP), "Area µm²") == [1.0, 2_500]
    assert values(Objects([kept, INNER], [], MPP), "Eosin mean")[0] == 0.25


def test_the_parent_is_the_smallest_annotation_around(objects: Objects) -> None:
    assert words(objects, "Parent") == [
        *("", "Region 1", ""),
        *("Inner", "Region 1"),
        *("Inner", "Region 1", ""),
    ]
    assert words(objects, "Parent id")[1] == str(REGION.id)
    assert words(objects, "Parent id")[0] == ""


def test_detections_are_counted_inside_annotations_by_class(objects: Objects) -> None:
    assert values(objects, "Detections inside")[:2] == [4, 2]
    assert np.isnan(values(objects, "Detections inside")[2:]).all()
    assert values(objects, "Tumor: Positive inside")[:2] == [2, 1]
    assert values(objects, "Detections per mm²")[:2] == [16, 800]
    assert values(objects, "Tumor: Positive per mm²")[:2] == [8, 400]
    assert values(objects, "Tumor: Positive %")[:2] == [50, 50]
    assert "Tumor: H-score" not in objects.names


def test_grades_give_an_h_score() -> None:
    graded = [squares([(10, 10)], class_name="2+"), squares([(50, 50)], class_name="Negative")]
    objects = Objects([REGION], [RunObjects("", OWNER, graded)], MPP)
    assert values(objects, "H-score")[0] == 100
    assert values(objects, "Positive %")[0] == 50


def test_only_the_last_run_that_found_something_is_counted() -> None:
    other = RunObjects("Import", object(), [squares([(10, 10)])])
    empty = RunObjects("Empty", object(), [], [replace(POINT, id=INNER.id)])
    objects = Objects([REGION], [RUN, other, empty], MPP)
    assert values(objects, "Detections inside")[0] == 1


def test_cells_kept_one_by_one_count_as_detections_and_hold_nothing() -> None:
    cell = Feature(shapely.box(100, 100, 140, 140), object_type="cell", classification=TUMOR)
    run = RunObjects("Import", OWNER, [POSITIVE], [cell])
    objects = Objects([REGION], [run], MPP)
    assert words(objects, "Kind") == ["annotation", "cell", "detection", "detection"]
    assert values(objects, "Detections inside")[0] == 3
    assert values(objects, "Tumor inside")[0] == 1
    assert np.isnan(values(objects, "Detections inside")[1])
    assert words(objects, "Parent") == ["", "Region 1", "Region 1", "Region 1"]


def correction(shape: shapely.Geometry, *rows: tuple[Detections, int], name: str = "") -> Feature:
    """Return an annotation that stands for detections."""
    ids = [table.uuid(row) for table, row in rows]
    said = DetectionClass(name, (0, 0, 0)) if name else None
    return Feature(shape, classification=said, origin=origin_of("a", ids))


def test_what_was_corrected_is_listed_and_counted_as_the_annotation_alone() -> None:
    again = correction(shapely.box(110, 110, 130, 130), (POSITIVE, 0), name="Tumor: Negative")
    whole = correction(shapely.box(500, 500, 620, 520), (POSITIVE, 1), (NEGATIVE, 1))
    none = correction(shapely.Point(150, 150), (NEGATIVE, 0), name="No nucleus")
    for tables in (RUN.tables, [NEGATIVE, POSITIVE]):
        run = RunObjects("Nuclei", OWNER, tables)
        objects = Objects([REGION, INNER, again, whole, none], [run], MPP)
        assert words(objects, "Kind") == ["annotation"] * 5 + ["detection"]
        assert words(objects, "Id")[5] == str(NEGATIVE.uuid(2))
        assert values(objects, "Centroid X µm")[5] == 1505
        assert values(objects, "Area px")[5] == 400
        assert values(objects, "Detections inside")[:2] == [2, 1]
        assert np.isnan(values(objects, "Detections inside")[2:]).all()
        assert values(objects, "Detections per mm²")[0] == 8
        assert values(objects, "Tumor: Negative inside")[:2] == [1, 1]
        assert values(objects, "Tumor: Positive %")[0] == 0
        assert "Tumor: Positive inside" not in objects.names
        assert "No nucleus inside" not in objects.names
        assert words(objects, "Parent") == ["", "Region 1", "Inner", "Region 1", "Inner", ""]
        assert objects.words("Class") == ("No nucleus", "Tumor", "Tumor: Negative", "")


def test_an_outline_of_a_class_that_is_not_looked_for_says_that_there_is_none() -> None:
    none = correction(shapely.box(110, 110, 130, 130), (POSITIVE, 0), name="No nucleus")
    stain = correction(shapely.box(500, 500, 520, 520), (POSITIVE, 1), name="Tumor: Negative")
    names = ("No nucleus", "Tumor: Negative")
    before = Objects([REGION, none, stain], [RUN], MPP)
    assert values(before, "No nucleus inside")[0] == 1
    objects = Objects([REGION, none, stain], [RUN], MPP, before, names)
    assert words(objects, "Kind") == ["annotation"] * 3 + ["detection"] * 3
    assert values(objects, "Detections inside")[0] == values(before, "Detections inside")[0] - 1
    assert "No nucleus inside" not in objects.names
    assert "Tumor: Negative inside" in objects.names
    assert np.isnan(values(objects, "Detections inside")[1])


def test_classes_that_a_run_tells_apart_count_whatever_they_mean() -> None:
    table = squares([(10, 10), (50, 50)], class_name="Other")
    fixed = correction(shapely.box(10, 10, 30, 30), (table, 0), name="Other")
    for name, n in (("Other", 2), ("Stroma", 2)):
        objects = Objects([REGION, fixed], [RunObjects("", OWNER, [table])], MPP, None, [name])
        assert values(objects, "Other inside")[0] == n


def test_a_grade_that_was_corrected_is_in_the_h_score_as_corrected() -> None:
    graded = squares([(10, 10), (50, 50)], class_name="1+")
    better = correction(shapely.box(10, 10, 30, 30), (graded, 0), name="3+")
    run = RunObjects("", OWNER, [graded])
    assert values(Objects([REGION], [run], MPP), "H-score")[0] == 100
    assert values(Objects([REGION, better], [run], MPP), "H-score")[0] == 200


def test_rows_beside_what_was_corrected_are_found_by_their_numbers() -> None:
    fixed = correction(shapely.box(500, 500, 520, 520), (POSITIVE, 1), (NEGATIVE, 0))
    run = RunObjects("Nuclei", OWNER, [POSITIVE, NEGATIVE])
    objects = Objects([REGION, fixed], [run], MPP)
    found = [objects.row_of_detection(OWNER, index) for index in range(6)]
    assert found == [2, None, None, 3, 4, None]
    for row, index, x in ((2, 0, 110), (3, 3, 600), (4, 4, 3000)):
        part, own = objects.part_of(row)
        assert isinstance(part, DetectionRows)
        assert part.index_of(own) == index
        assert part.bounds_l0(own).x == x
    assert words(objects, "Parent")[2:] == ["Region 1", "Region 1", ""]


def test_a_correction_counts_for_the_runs_that_have_found_what_it_stands_for() -> None:
    fixed = correction(shapely.box(110, 110, 130, 130), (POSITIVE, 0))
    others = RunObjects("Import", object(), [squares([(12, 12)])])
    assert values(Objects([REGION, fixed], [RUN, others], MPP), "Detections inside")[0] == 1
    assert values(Objects([REGION, fixed], [others, RUN], MPP), "Detections inside")[0] == 4


def test_where_all_was_corrected_the_annotations_still_count() -> None:
    table = squares([(10, 10)], class_name="Tumor")
    fixed = correction(shapely.box(10, 10, 30, 30), (table, 0), name="Stroma")
    objects = Objects([REGION, fixed], [RunObjects("", OWNER, [table])], MPP)
    assert len(objects) == 2
    assert values(objects, "Stroma inside")[0] == 1
    assert words(objects, "Parent") == ["", "Region 1"]


def test_a_detection_is_back_without_its_correction_and_nothing_is_measured_again(
    monkeypatch: pytest.MonkeyPatch, objects: Objects
) -> None:
    before = [words(objects, name) for name in objects.names]
    monkeypatch.setattr(detection_rows, "TableOutlines", None)
    fixed = correction(shapely.box(110, 110, 130, 130), (POSITIVE, 0))
    corrected = Objects([*FEATURES, fixed], [RUN], MPP, objects)
    assert words(corrected, "Id")[4:] == words(objects, "Id")[4:]
    assert words(corrected, "Perimeter µm")[4:] == words(objects, "Perimeter µm")[4:]
    assert corrected.field is not None
    assert objects.field is not None
    assert corrected.field.places is objects.field.places
    back = Objects(FEATURES, [RUN], MPP, corrected)
    assert [words(back, name) for name in back.names] == before


def test_rows_are_found_by_what_they_are(objects: Objects) -> None:
    assert objects.row_of_feature(INNER.id) == 1
    assert objects.row_of_feature(Feature(shapely.Point(0, 0)).id) is None
    assert objects.row_of_detection(OWNER, 4) == 7
    assert objects.row_of_detection(OWNER, 5) is None
    assert objects.features_in(np.array([5, 1, 0])) == [INNER.id, REGION.id]
    part, row = objects.part_of(3)
    assert part.bounds_l0(row).as_ints() == (110, 110, 20, 20)


def test_only_annotations_that_changed_are_measured_again(
    monkeypatch: pytest.MonkeyPatch, objects: Objects
) -> None:
    names = ("Area µm²", "Detections inside", "Circularity")
    for name in names:
        objects.column(name)
    measured: list[int] = []
    real = feature_rows.ShapeOutlines

    def counted(geometries: Any, mpp: Any) -> Any:
        measured.append(len(geometries))
        return real(geometries, mpp)

    monkeypatch.setattr(feature_rows, "ShapeOutlines", counted)
    moved = replace(INNER, geometry=shapely.box(400, 400, 600, 600))
    after = Objects((REGION, moved, POINT), [RUN], MPP, objects)
    assert values(after, "Area µm²")[:2] == [250_000, 10_000]
    assert values(after, "Detections inside")[:2] == [4, 1]
    assert measured == [1, 1]
    assert after.field is objects.field
    fresh = Objects((REGION, moved, POINT), [RUN], MPP)
    assert [words(after, name) for name in after.names] == [
        words(fresh, name) for name in fresh.names
    ]


def test_another_scale_is_measured_anew(objects: Objects) -> None:
    objects.column("Area µm²")
    assert values(Objects(FEATURES, [RUN], (1.0, 1.0), objects), "Area µm²")[0] == 1e6


def test_more_detections_leave_the_tables_that_are_there_alone(objects: Objects) -> None:
    more = RunObjects("Nuclei", OWNER, [*RUN.tables, squares([(20, 20)])])
    after = Objects(FEATURES, [more], MPP, objects)
    assert after.parts[1] is objects.parts[1]
    assert values(after, "Detections inside")[0] == 5


def test_a_table_of_nothing_has_columns_of_nothing() -> None:
    objects = Objects((), [], None)
    assert [len(objects.column(name)) for name in objects.names] == [0] * len(objects.names)
    with pytest.raises(KeyError):
        objects.column("No such")


# -- which, and in which order ---------------------------------------------------------------------


def rows(objects: Objects, order: Order | None = None, **wanted: Any) -> list[int]:
    return arranged(objects, ObjectFilter(**wanted), order or Order()).tolist()


def test_each_part_of_a_filter_narrows_the_rows(objects: Objects) -> None:
    assert rows(objects) == list(range(8))
    assert rows(objects, kind="annotation") == [0, 1, 2]
    assert rows(objects, class_name="Tumor: Positive") == [3, 4]
    assert rows(objects, class_name="") == [1, 2]
    assert rows(objects, text="REG") == [0]
    assert rows(objects, measurement="Area µm²", low=2_500) == [0, 1]
    assert rows(objects, measurement="Area µm²", low=100, high=2_500) == [1, 3, 4, 5, 6, 7]
    assert rows(objects, measurement="Area µm²") == list(range(8))
    assert rows(objects, kind="annotation", measurement="Area µm²", high=1e9) == [0, 1]


def test_a_measurement_that_no_object_has_lets_none_through(objects: Objects) -> None:
    assert rows(objects, measurement="No such", low=1) == []
    assert rows(objects, Order("No such")) == list(range(8))


def test_rows_are_sorted_within_the_filter(objects: Objects) -> None:
    by_x = Order("Centroid X µm", is_descending=True)
    assert rows(objects, by_x, kind="detection") == [7, 6, 4, 5, 3]


def test_a_filter_knows_what_it_looks_at() -> None:
    assert ObjectFilter().is_empty
    assert ObjectFilter(measurement="Area µm²").is_empty
    assert not ObjectFilter(class_name="").is_empty
    assert ObjectFilter(text="a", measurement="Area µm²", low=1).needs == ("Name", "Area µm²")


def test_no_table_is_needed_for_detections_that_come_in_pieces() -> None:
    pieces: list[Detections] = [POSITIVE, NEGATIVE]
    objects = Objects(FEATURES, [RunObjects("Nuclei", OWNER, pieces)], MPP)
    assert objects.row_of_detection(OWNER, 4) == 7
    assert values(objects, "Detections inside")[0] == 4
    assert words(objects, "Parent")[5] == "Inner"

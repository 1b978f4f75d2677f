from __future__ import annotations

import uuid

import pytest
import shapely

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.document import AnnotationDocument
from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import OPERATIONS, Distance, Given, Outcome, operate
from pathoview.annotations.origin import origin_of, stands_for
from pathoview.core.errors import UsageError

TUMOR = DetectionClass("Tumor", (200, 0, 0))
GIVEN = Given(mpp=(0.5, 0.5), time="2026-01-01T00:00:00+00:00", author="Ada")


def box(left: float, top: float, side: float = 10, **members: object) -> Feature:
    shape = shapely.box(left, top, left + side, top + side)
    return Feature(shape, **members)  # type: ignore[arg-type]


def after(outcome: Outcome, *features: Feature) -> list[Feature]:
    document = AnnotationDocument(features)
    document.apply(outcome.change)
    return list(document)


def done(what: str, *features: Feature, given: Given = GIVEN) -> list[Feature]:
    return after(operate(what, features, given), *features)


def ring(side: float = 30) -> shapely.Polygon:
    return shapely.box(0, 0, side, side).difference(shapely.box(10, 10, 20, 20))


def test_merging_keeps_the_first_with_all_it_says() -> None:
    first = box(0, 0, name="core", classification=TUMOR)
    (merged,) = done("merge", first, box(5, 0), box(50, 0))
    assert merged.id == first.id
    assert (merged.name, merged.classification) == ("core", TUMOR)
    assert merged.geometry.area == 250
    assert merged.changed == GIVEN.time


@pytest.mark.parametrize(
    ("what", "area"), [("subtract", 50), ("intersect", 50), ("exclusive", 100)]
)
def test_shapes_are_combined_into_the_first(what: str, area: float) -> None:
    (combined,) = done(what, box(0, 0), box(5, 0))
    assert combined.geometry.area == area


@pytest.mark.parametrize("what", ["merge", "subtract", "intersect", "exclusive"])
def test_what_is_made_of_corrections_stands_for_all_that_they_stood_for(what: str) -> None:
    one, two, three, four = ids = [uuid.UUID(int=number) for number in range(1, 5)]
    outcome = operate(
        what,
        [
            box(0, 0, origin="geojson"),
            box(1, 1, origin=origin_of("a", [one, two])),
            box(2, 2, origin=origin_of("b", [three])),
            box(3, 3, origin=origin_of("a", [two, four])),
        ],
        GIVEN,
    )
    (combined,) = outcome.change.after
    assert sorted(stands_for(combined.origin)) == [key.bytes for key in ids]
    assert combined.origin.split(";") == [
        origin_of("a", [one, two, four]),
        origin_of("b", [three]),
    ]


def test_what_came_from_a_file_still_says_so_when_it_is_merged() -> None:
    (merged,) = done("merge", box(0, 0, origin="geojson"), box(5, 0, origin="asap"))
    assert merged.origin == "geojson"


def test_each_part_of_a_correction_stands_for_all_of_it() -> None:
    origin = origin_of("a", [uuid.UUID(int=1), uuid.UUID(int=2)])
    apart = shapely.union_all([shapely.box(0, 0, 5, 5), shapely.box(10, 0, 15, 5)])
    parts = done("split", Feature(apart, origin=origin))
    assert [one.origin for one in parts] == [origin, origin]


def test_three_shapes_are_combined_one_after_the_other() -> None:
    equal = [box(0, 0), box(0, 0), box(0, 0)]
    (odd,) = done("exclusive", *equal)
    assert odd.geometry.area == 100
    (left,) = done("subtract", box(0, 0), box(0, 0, 5), box(5, 5, 5))
    assert left.geometry.area == 50


@pytest.mark.parametrize(
    ("what", "others"),
    [("intersect", [box(50, 50)]), ("subtract", [box(-5, -5, 30)]), ("exclusive", [box(0, 0)])],
)
def test_what_would_leave_nothing_is_refused(what: str, others: list[Feature]) -> None:
    outcome = operate(what, [box(0, 0), *others], GIVEN)
    assert not outcome.change
    assert outcome.n_refused == 2


def test_only_shapes_of_one_dimension_are_combined() -> None:
    line = Feature(shapely.LineString([(0, 0), (100, 0)]))
    outcome = operate("merge", [box(0, 0), line, box(20, 0)], GIVEN)
    assert outcome.n_refused == 1
    assert len(outcome.change.before) == 2


def test_distances_are_in_um_or_px() -> None:
    um, px = Distance(5, "um"), Distance(5, "px")
    (grown,) = done("expand", box(0, 0), given=Given(mpp=(0.5, 0.25), distance=um))
    assert grown.geometry.bounds == (-10, -20, 20, 30)
    (grown,) = done("expand", box(0, 0), given=Given(distance=px))
    assert grown.geometry.bounds == (-5, -5, 15, 15)
    (shrunk,) = done("shrink", box(0, 0, 20), given=Given(distance=px))
    assert shrunk.geometry.area == 100


def test_without_a_scale_um_are_refused_with_a_way_on() -> None:
    with pytest.raises(UsageError, match="no scale") as caught:
        operate("expand", [box(0, 0)], Given(distance=Distance(5, "um")))
    assert "px" in caught.value.hint
    for distance in (None, Distance(0, "px"), Distance(-1, "px"), Distance(float("nan"), "px")):
        with pytest.raises(UsageError, match="above 0"):
            operate("simplify", [box(0, 0)], Given(distance=distance))


def test_what_shrinks_to_nothing_stays() -> None:
    small, large = box(0, 0), box(100, 100, 50)
    outcome = operate("shrink", [small, large], Given(distance=Distance(8, "px")))
    assert outcome.n_refused == 1
    assert [one.id for one in outcome.change.after] == [large.id]


def test_holes_are_filled_and_measurements_of_the_old_shape_forgotten() -> None:
    (filled,) = done("fill-holes", Feature(ring(), measurements={"Area": 1.0}))
    assert filled.geometry.area == 900
    assert filled.measurements == {}
    whole = box(0, 0)
    assert not operate("fill-holes", [whole], GIVEN).change


def test_shapes_are_simplified_smoothed_and_hulled() -> None:
    wavy = Feature(shapely.Polygon([(0, 0), (50, 1), (100, 0), (100, 100), (0, 100)]))
    px = Given(distance=Distance(2, "px"))
    (simple,) = done("simplify", wavy, given=px)
    assert shapely.get_num_coordinates(simple.geometry) == 5
    (smooth,) = done("smooth", wavy, given=Given(distance=Distance(10, "px")))
    assert smooth.geometry.area < wavy.geometry.area
    (hull,) = done("convex-hull", Feature(shapely.MultiPoint([(0, 0), (10, 0), (0, 10)])))
    assert hull.geometry.area == 50


def test_a_line_that_grows_into_an_area_is_no_scribble_any_more_and_rulers_stay() -> None:
    line = shapely.LineString([(0, 0), (100, 0)])
    given = Given(distance=Distance(5, "px"))
    scribble, ruler = done(
        "expand", Feature(line, role="scribble"), Feature(line, role="ruler"), given=given
    )
    assert (scribble.geometry.geom_type, scribble.role) == ("Polygon", "")
    assert ruler.geometry.equals(line)


def test_parts_become_annotations_of_their_own() -> None:
    parts = Feature(
        shapely.MultiPolygon([shapely.box(0, 0, 5, 5), shapely.box(9, 9, 15, 15)]),
        classification=TUMOR,
    )
    whole = box(50, 50)
    outcome = operate("split", [parts, whole], GIVEN)
    first, alone, second = after(outcome, parts, whole)
    assert (first.id, alone) == (parts.id, whole)
    assert {first.geometry.area, second.geometry.area} == {25, 36}
    assert second.classification == TUMOR
    assert set(outcome.chosen) == {first.id, alone.id, second.id}


def test_a_copy_is_a_new_annotation_that_is_not_locked() -> None:
    original = box(0, 0, is_locked=True, author="Bob", created="2020", name="core")
    same, copy = done("duplicate", original)
    assert same == original
    assert copy.id != original.id
    assert (copy.author, copy.created, copy.name) == ("Ada", GIVEN.time, "core")
    assert not copy.is_locked


def test_locked_ones_are_left_alone_but_for_marks() -> None:
    locked = box(0, 0, is_locked=True)
    for what, operation in OPERATIONS.items():
        given = Given(distance=Distance(1, "px"), classification=TUMOR)
        outcome = operate(what, [locked, replaced_lock(locked)], given)
        touched = locked.id in {one.id for one in outcome.change.before}
        if operation.spares_locked:
            assert not touched, what
            assert outcome.n_locked == 1


def replaced_lock(feature: Feature) -> Feature:
    return Feature(feature.geometry)


def test_marks_are_set_only_where_they_are_not() -> None:
    sure, unsure = box(0, 0), box(20, 0, is_uncertain=True)
    outcome = operate("uncertain", [sure, unsure], GIVEN)
    assert [one.id for one in outcome.change.before] == [sure.id]
    assert all(one.is_uncertain for one in after(outcome, sure, unsure))
    assert not operate("agreed", [sure, unsure], GIVEN).change


def test_only_areas_are_fully_labelled() -> None:
    area, point = box(0, 0), Feature(shapely.Point(0, 0))
    outcome = operate("fully-labelled", [area, point], GIVEN)
    assert outcome.n_refused == 1
    (full,) = outcome.change.after
    assert full.role == "full"
    (plain,) = done("not-fully-labelled", full)
    assert plain.role == ""


def test_every_result_is_valid_and_can_be_taken_back() -> None:
    bow_tie = Feature(shapely.Polygon([(0, 0), (40, 40), (40, 0), (0, 40)]))
    features = [bow_tie, Feature(ring()), box(5, 5, 40)]
    for what in OPERATIONS:
        document = AnnotationDocument(features)
        given = Given(distance=Distance(2, "px"), classification=TUMOR)
        outcome = operate(what, features, given)
        assert all(
            one.geometry.is_valid
            for one in outcome.change.after
            if one.geometry is not bow_tie.geometry
        ), what
        document.apply(outcome.change)
        document.apply(outcome.change.inverse)
        assert list(document) == features


def test_an_unknown_operation_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="melt") as caught:
        operate("melt", [box(0, 0)], GIVEN)
    assert "fill-holes" in caught.value.hint

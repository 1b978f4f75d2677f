"""Which annotations are nuclei, where they are known to be none, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from makers import he_scene
from scenes import drawn, labels_of, outlines_of

from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.datasets.image_labels import InstanceImage
from pathoview.datasets.labels import BACKGROUND, UNKNOWN, InstancePatch
from pathoview.datasets.meanings import LabelUse, Target
from pathoview.datasets.shape_places import places_on
from pathoview.evaluation.instances import aji, overlaps

NUCLEUS = shapely.box(10, 10, 30, 30)  # 100 µm² at 0.5 µm/px
REGION = shapely.box(0, 0, 200, 200)  # 10,000 µm²
FULL = drawn(shapely.box(0, 0, 100, 100), role="full")


def instances(*features: Feature) -> InstancePatch:
    return labels_of(*features).instances(Rect(0, 0, 100, 100), 100, 100)


def test_an_outline_is_an_object_and_nothing_else_is_known() -> None:
    found = instances(drawn(NUCLEUS, "Tumor"))
    assert (found.labels[10:30, 10:30] == 1).all()
    assert found.is_known.sum() == 400
    assert (found.labels > 0).sum() == 400


def test_in_a_fully_labelled_box_the_rest_is_known_to_be_none() -> None:
    found = instances(drawn(NUCLEUS, "Tumor"), FULL)
    assert found.is_known.all()
    assert (found.labels > 0).sum() == 400


def test_an_object_has_the_same_number_in_every_patch() -> None:
    labels = labels_of(drawn(shapely.box(60, 60, 70, 70)), drawn(NUCLEUS, "Tumor"))
    one = labels.instances(Rect(0, 0, 40, 40), 40, 40)
    other = labels.instances(Rect(25, 25, 60, 60), 60, 60)
    assert one.labels[15, 15] == other.labels[0, 0] == 2
    assert other.labels[40, 40] == 1


@pytest.mark.parametrize(
    "vague",
    [
        drawn(NUCLEUS, "Tumor", is_uncertain=True),
        drawn(NUCLEUS, "Tumor", is_disputed=True),
        drawn(NUCLEUS, "Ignore*"),
        drawn(shapely.Point(20, 20), "Tumor"),
        drawn(NUCLEUS, "Tumor", role="scribble"),
        drawn(shapely.LineString([(10, 20), (30, 20)]), "Tumor"),
        drawn(REGION, "Tumor"),
    ],
)
def test_what_tells_no_outline_is_unknown_even_in_a_fully_labelled_box(vague: Feature) -> None:
    found = instances(vague, FULL)
    assert not found.is_known[20, 20]
    assert not found.labels.any()


def test_what_means_no_nucleus_is_background() -> None:
    found = instances(drawn(NUCLEUS, "Other"))
    assert found.is_known[20, 20]
    assert not found.labels.any()
    assert instances(drawn(shapely.Point(20, 20), "Other"), FULL).is_known.all()


def test_negative_labels_of_every_kind_say_where_no_nucleus_is() -> None:
    labels = labels_of(
        drawn(shapely.box(0, 0, 90, 90), "Other"),
        drawn(NUCLEUS, "Tumor"),  # within the area: the smaller one counts
        drawn(shapely.Point(20, 20), "Other"),  # points lie over outlines
        drawn(shapely.box(0, 110, 100, 120), "Other", role="scribble"),
        drawn(shapely.Point(150, 150), "Other", is_uncertain=True),
        drawn(shapely.box(120, 20, 140, 40), "Tumor"),
    )
    none = labels.no_nuclei(Rect(0, 0, 200, 200), 200, 200)
    assert none[5, 5]
    assert not none[12, 12]
    assert none[20, 20]
    assert none[115, 50]
    assert not none[125:, :].any()
    assert not none[:, 101:].any()
    at = labels.no_nuclei_at()
    assert [20, 20] in at.tolist()
    assert {tuple(one) for one in at.tolist()} > {(25, 25), (75, 75)}
    assert len(labels.points().xy_l0) == 2
    assert labels_of(drawn(NUCLEUS, "Tumor")).no_nuclei_at().shape == (0, 2)


def test_places_are_spread_over_lines_and_areas_each_part_has_one() -> None:
    line = shapely.LineString([(0, 0), (100, 0)])
    assert places_on(line, 25)[:, 0].tolist() == [12.5, 37.5, 62.5, 87.5]
    two = shapely.MultiPolygon([shapely.box(0, 0, 100, 50), shapely.box(200, 200, 201, 201)])
    assert len(places_on(two, 25)) == 8 + 1
    assert places_on(shapely.MultiPoint([(1, 2), (3, 4)]), 25).tolist() == [[1, 2], [3, 4]]


def test_outside_of_regions_of_interest_no_object_is_known() -> None:
    found = instances(drawn(NUCLEUS, "Tumor"), FULL, drawn(shapely.box(0, 0, 20, 100), "Region*"))
    assert found.is_known[:, :20].all()
    assert not found.is_known[:, 20:].any()
    assert not found.labels[:, 20:].any()


def test_points_are_clicked_nuclei_and_the_middles_of_outlined_ones() -> None:
    labels = labels_of(
        drawn(shapely.MultiPoint([(1, 2), (3, 4)]), "Stroma"),
        drawn(NUCLEUS, "Tumor"),
        drawn(shapely.Point(50, 60)),
        drawn(shapely.Point(70, 70), "Other"),
        drawn(shapely.Point(80, 80), "Tumor", is_uncertain=True),
        drawn(REGION, "Tumor"),
        drawn(shapely.LineString([(0, 0), (9, 9)]), "Tumor", role="scribble"),
    )
    points = labels.points()
    assert points.xy_l0.tolist() == [[1, 2], [3, 4], [20, 20], [50, 60]]
    assert points.values.tolist() == [2, 2, 1, 0]
    examples = labels.examples()
    assert examples.xy_l0.tolist() == [[1, 2], [3, 4], [20, 20], [70, 70]]
    assert examples.values.tolist() == [2, 2, 1, 0]


def test_a_cell_counts_by_its_nucleus() -> None:
    cell = drawn(shapely.box(0, 0, 60, 60), "Tumor", object_type="cell", nucleus=NUCLEUS)
    assert (instances(cell).labels > 0).sum() == 400
    assert labels_of(cell).points().xy_l0.tolist() == [[20, 20]]


def used(*features: Feature, target: Target) -> list[LabelUse]:
    return labels_of(*features, size_l0=(100, 100)).uses(target)


def test_what_is_used_and_what_is_not_is_told_with_reasons() -> None:
    uses = used(
        drawn(NUCLEUS, "Tumor"),
        drawn(shapely.box(40, 40, 50, 50), "Tumor"),
        drawn(REGION, "Tumor"),
        drawn(shapely.box(500, 500, 510, 510), "Tumor"),
        drawn(shapely.Point(5, 5), "Stroma"),
        drawn(shapely.LineString([(0, 0), (9, 9)]), role="ruler"),
        target="instances",
    )
    told = {(one.class_name, one.kind, one.n_used, one.n_left_out) for one in uses}
    assert told == {
        ("", "measurement", 0, 1),
        ("Stroma", "point", 0, 1),
        ("Tumor", "area", 0, 1),
        ("Tumor", "nucleus", 2, 0),
        ("Tumor", "nucleus", 0, 1),
    }
    assert all(one.reason.endswith(".") for one in uses if one.n_left_out)
    (outside,) = (one for one in uses if one.kind == "nucleus" and one.n_left_out)
    assert "outside of the slide" in outside.reason


def test_the_same_annotation_says_something_for_one_target_and_nothing_for_another() -> None:
    stroke = drawn(shapely.LineString([(0, 0), (9, 9)]), "Tumor", role="scribble")
    assert [one.n_used for one in used(stroke, target="classes")] == [1]
    assert [one.n_used for one in used(stroke, target="points")] == [0]


def test_labels_are_counted_by_class_without_what_says_nothing() -> None:
    labels = labels_of(
        drawn(NUCLEUS, "Tumor"), drawn(shapely.Point(1, 1), "Stroma"), drawn(shapely.Point(2, 2)),
        drawn(REGION), FULL, drawn(NUCLEUS, "Ignore*"), drawn(NUCLEUS, "Tumor", is_uncertain=True),
    )  # fmt: skip
    assert labels.counts() == {0: 1, 1: 1, 2: 1}
    assert labels.n_labels == 3
    assert labels.full_l0().tolist() == [[0, 0, 100, 100]]


def test_the_fingerprint_tells_other_labels_apart() -> None:
    one, same = labels_of(drawn(NUCLEUS, "Tumor")), labels_of(drawn(NUCLEUS, "Tumor"))
    assert one.fingerprint() == same.fingerprint()
    for other in (
        drawn(NUCLEUS, "Stroma"),
        drawn(NUCLEUS, "Tumor", role="scribble"),
        drawn(REGION),
    ):
        assert labels_of(other).fingerprint() != one.fingerprint()


def test_a_label_image_and_the_same_objects_outlined_give_nearly_the_same() -> None:
    scene = he_scene(200, 150, seed=3)
    image = InstanceImage(scene.labels)
    outlined = labels_of(*outlines_of(scene), drawn(shapely.box(0, 0, 200, 150), role="full"))
    for rect, width, height in (
        (Rect(0, 0, 200, 150), 200, 150),
        (Rect(20, 30, 100, 60), 50, 30),
    ):
        one = image.instances(rect, width, height)
        other = outlined.instances(rect, width, height)
        assert one.is_known.all()
        assert other.is_known.all()
        assert aji(overlaps(one.labels, other.labels)) > 0.9
        masks = (labels.mask(rect, width, height) for labels in (image, outlined))
        assert np.mean(np.equal(*masks)) > 0.97
    assert len(image.points().xy_l0) == len(outlined.points().xy_l0)
    distances = np.abs(image.points().xy_l0 - outlined.points().xy_l0)
    assert np.median(distances) < 0.5


NAMES = st.sampled_from(["", "Tumor", "Stroma", "Other", "Ignore*", "Nobody's"])


@st.composite
def features(draw: st.DrawFn) -> Feature:
    x, y = draw(st.floats(-20, 80)), draw(st.floats(-20, 80))
    size = draw(st.floats(1, 90))
    shape = draw(
        st.sampled_from(
            [
                shapely.Point(x, y),
                shapely.LineString([(x, y), (x + size, y)]),
                shapely.box(x, y, x + size, y + size),
            ]
        )
    )
    role = draw(st.sampled_from(["", "scribble", "ruler"]))
    return drawn(shape, draw(NAMES), role=role, is_uncertain=draw(st.booleans()))


@given(st.lists(features(), max_size=6), st.booleans())
def test_unknown_is_never_background(said: list[Feature], with_full: bool) -> None:
    """Background needs a fully labelled box, or an annotation of a class that is not learned."""
    box = shapely.box(0, 0, 50, 100)
    all_of_it = [*said, drawn(box, role="full")] if with_full else said
    labels = labels_of(*all_of_it)
    rect = Rect(0, 0, 100, 100)
    mask, found = labels.mask(rect, 50, 50), labels.instances(rect, 50, 50)
    negative = [one.geometry.buffer(12) for one in said
                if one.classification and one.classification.name == "Other"]  # fmt: skip
    sure = shapely.union_all([*negative, *([box] if with_full else [])])
    y, x = np.mgrid[0:50, 0:50] * 2 + 1.0
    can_be = shapely.intersects_xy(sure, x, y)
    assert not ((mask == BACKGROUND) & ~can_be).any()
    assert not (found.is_known & (found.labels == 0) & ~can_be).any()
    assert not ((found.labels > 0) & ~found.is_known).any()
    assert set(np.unique(mask).tolist()) <= {BACKGROUND, 1, 2, UNKNOWN}

"""What is asked next: doubtful, apart, not labelled; and what two runs disagree on."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import CLASSES, drawn

from pathoview.datasets.next_labels import (
    SAYING_OF_NUCLEI,
    doubt_of,
    far_from,
    labelled,
    spread,
    without_partner,
)


def test_doubt_is_greatest_at_one_half_and_none_where_nothing_is_known() -> None:
    found = doubt_of(np.array([0.0, 0.25, 0.5, 0.75, 1.0, np.nan], np.float32))
    assert found.tolist() == [0, 0.5, 1, 0.5, 0, 0]


def test_the_most_doubtful_come_first_and_apart() -> None:
    places = np.array([[0, 0], [9, 0], [10, 0], [50, 50], [100, 100]], float)
    doubts = np.array([0.5, 0.9, 0.4, 0.0, 0.6])
    assert spread(places, doubts, 10.0, 10).tolist() == [1, 4]
    assert spread(places, doubts, 9.0, 10).tolist() == [1, 4, 0]
    assert spread(places, doubts, 10.0, 1).tolist() == [1]
    assert spread(places[:0], doubts[:0], 10.0, 1).tolist() == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0.01, 1)), max_size=60),
    st.floats(5, 60),
)
def test_no_two_are_in_a_field_and_none_could_be_added(
    found: list[tuple[float, float, float]], apart: float
) -> None:
    rows = np.array(found, float).reshape(-1, 3)
    places, doubts = rows[:, :2], rows[:, 2]
    chosen = spread(places, doubts, apart, 1000)
    ways = np.abs(places[:, None] - places[chosen][None]).max(axis=2)
    own = ways[chosen]
    np.fill_diagonal(own, np.inf)
    assert (own >= apart).all()
    if len(chosen):
        assert (ways.min(axis=1) < apart).all()


def test_places_near_labels_are_left_out() -> None:
    features = [
        drawn(shapely.Point(10, 10), "Tumor"),
        drawn(shapely.box(100, 100, 120, 120), "Tumor"),
        drawn(shapely.box(200, 0, 400, 400), "Tumor"),
        drawn(shapely.LineString([(0, 300), (50, 300)]), role="ruler"),
    ]
    places = np.array([[14, 10], [125, 110], [300, 200], [10, 300], [60, 60]], float)
    nuclei = labelled(features, CLASSES, 0.5, SAYING_OF_NUCLEI)
    assert far_from(places, nuclei, 6.0).tolist() == [False, False, True, True, True]
    every = labelled(features, CLASSES, 0.5)
    assert far_from(places, every, 6.0).tolist() == [False, False, False, True, True]
    assert far_from(places, [], 6.0).all()


@pytest.mark.parametrize(("reach", "alone"), [(1.0, [True, True]), (3.0, [False, True])])
def test_an_object_alone_has_no_partner_within_reach(reach: float, alone: list[bool]) -> None:
    places, others = np.array([[0, 0], [50, 0]], float), np.array([[2, 0]], float)
    assert without_partner(places, others, reach).tolist() == alone
    assert without_partner(places, others[:0], reach).all()

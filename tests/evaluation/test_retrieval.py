"""What is found like a case: never itself or its patient's, counted fairly, beside chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pathoview.evaluation.retrieval import Cases, allowed, retrieved


def cases(labels: Any, groups: Any = None, slides: Any = None) -> Cases:
    each = np.arange(len(labels))
    return Cases(
        np.array(labels),
        each if groups is None else np.array(groups),
        each if slides is None else np.array(slides),
    )


def among(likeness: Any, known: Cases, ks: tuple[int, ...] = (1,)) -> Any:
    return retrieved(np.array(likeness, np.float64), known, known, ks)


def test_a_case_finds_neither_itself_nor_its_slide_nor_its_patient() -> None:
    known = cases([0, 0, 1, 1], groups=[0, 0, 1, 2], slides=[0, 1, 2, 2])
    assert allowed(known, known).tolist() == [
        [False, False, True, True],
        [False, False, True, True],
        [True, True, False, False],
        [True, True, False, False],
    ]
    # What is likest is forbidden, and of the right kind: nothing of it counts.
    alike = np.array([[9, 8, 1, 0], [8, 9, 1, 0], [0, 1, 9, 8], [0, 1, 8, 9]], np.float64)
    found = among(alike, known, (1, 2))
    assert found.precision[1].tolist() == [0, 0, 0, 0]
    assert found.precision[2].tolist() == [0, 0, 0, 0]
    assert found.chance.tolist() == [0, 0, 0, 0]


def test_precision_is_the_share_of_the_first_ones_that_are_right() -> None:
    known = cases([0, 0, 1, 0, 1])
    likeness = [[0, 0.9, 0.8, 0.7, 0.1]] + [[0.0] * 5] * 4
    found = among(likeness, known, (1, 2, 3, 5))
    first = [found.precision[k][0] for k in (1, 2, 3, 5)]
    assert first == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4]), "of four others there are no five"
    assert found.chance[0] == 2 / 4


def test_equally_like_ones_share_the_places_that_are_left() -> None:
    known = cases([0, 0, 1, 1, 0])
    likeness = [[0, 0.5, 0.5, 0.5, 0.9]] + [[0.0] * 5] * 4
    found = among(likeness, known, (1, 2, 3))
    first = [found.precision[k][0] for k in (1, 2, 3)]
    assert first == pytest.approx([1, (1 + 1 / 3) / 2, (1 + 2 / 3) / 3])
    assert found.precision[1][1] == pytest.approx(2 / 4), "all alike: as by chance"


def test_queries_may_be_others_than_the_cases_they_look_among() -> None:
    queries, known = cases([1], groups=[7], slides=[9]), cases([0, 1, 1], groups=[7, 8, 9])
    found = retrieved(np.array([[0.9, 0.1, 0.5]]), queries, known)
    assert found.precision[1].tolist() == [1]
    assert found.chance.tolist() == [1]


def test_what_was_not_compared_is_not_found_and_who_finds_nothing_is_left_out() -> None:
    known = cases([0, 1, 0])
    nothing, some = np.full(3, np.nan), np.array([0.2, np.nan, np.nan])
    found = among([nothing, nothing, some], known)
    assert np.isnan(found.chance).tolist() == [True, True, False]
    assert found.scores() == {"chance": 1, "precision_at_1": 1, "over_chance_at_1": 0}
    assert among([nothing] * 3, known).scores() == {}
    assert among([nothing] * 3, known).intervals() == {}


def test_random_likeness_finds_as_often_as_chance_tells() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(3, 400, p=[0.6, 0.3, 0.1])
    known = cases(labels, groups=random.integers(0, 80, 400))
    found = among(random.random((400, 400)), known, (5,))
    told = found.scores()
    shares = np.bincount(labels) / 400
    assert told["chance"] == pytest.approx((shares**2).sum(), abs=0.02)
    assert told["over_chance_at_5"] == pytest.approx(0, abs=0.04)


def by_patients(n: int) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(n), 5)


def test_intervals_draw_whole_patients() -> None:
    groups = by_patients(12)
    labels = groups % 2
    # Pictures of every second patient find their kind, those of others the other kind.
    likeness = (labels[:, None] == labels) == (groups[:, None] % 4 < 2)
    one = among(likeness, cases(labels, groups=groups))
    alone = among(likeness, cases(labels))
    ends = one.intervals(seed=1, n_draws=300)
    assert ends["precision_at_1"].value == one.scores()["precision_at_1"] == 0.5
    assert ends["precision_at_1"].n_units == 12
    own = alone.intervals(seed=1, n_draws=300)["precision_at_1"]
    width = ends["precision_at_1"].high - ends["precision_at_1"].low
    assert width > 1.5 * (own.high - own.low)
    assert ends["over_chance_at_1"].low < 0.1

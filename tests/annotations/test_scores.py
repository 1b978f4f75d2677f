from __future__ import annotations

import numpy as np
import pytest

from pathoview.annotations.scores import (
    density_per_mm2,
    h_score,
    has_grades,
    positive_fraction,
    scored_bases,
)

NAMES = ("Tumor: Negative", "Tumor: 1+", "Tumor: 2+", "Tumor: 3+", "Stroma: Positive", "Other")
COUNTS = np.array([[40, 30, 20, 10, 5, 99], [0, 0, 0, 0, 0, 7]])


def test_a_base_is_what_positive_and_negative_are_derived_from() -> None:
    assert scored_bases(NAMES) == ["Tumor", "Stroma"]
    assert scored_bases(("Negative", "Tumor: CD8: Positive", "Positively odd")) == [
        "",
        "Tumor: CD8",
    ]
    assert has_grades(NAMES, "Tumor")
    assert not has_grades(NAMES, "Stroma")


def test_the_h_score_weighs_weak_moderate_and_strong() -> None:
    assert h_score(COUNTS, NAMES, "Tumor")[0] == pytest.approx(30 * 1 + 20 * 2 + 10 * 3)
    assert h_score(np.array([[0, 0, 0, 8, 0, 0]]), NAMES, "Tumor").tolist() == [300]


def test_what_is_positive_without_a_grade_is_left_out_of_the_h_score() -> None:
    names = ("Negative", "Positive", "1+")
    assert h_score(np.array([[5, 90, 5]]), names).tolist() == [50]
    assert positive_fraction(np.array([[5, 90, 5]]), names).tolist() == [0.95]


def test_the_positive_fraction_counts_grades_as_positive() -> None:
    fraction = positive_fraction(COUNTS, NAMES, "Tumor")
    assert fraction[0] == 0.6
    assert positive_fraction(COUNTS, NAMES, "Stroma")[0] == 1


def test_no_objects_have_no_score() -> None:
    assert np.isnan(h_score(COUNTS, NAMES, "Tumor")[1])
    assert np.isnan(positive_fraction(COUNTS, NAMES, "Tumor")[1])
    assert np.isnan(h_score(COUNTS, NAMES, "Stroma")).all()
    assert np.isnan(positive_fraction(COUNTS, NAMES, "Nothing")).all()


def test_density_is_objects_a_square_millimetre() -> None:
    density = density_per_mm2([50, 0, 3], [250_000, 1e6, 0])
    assert density[:2].tolist() == [200, 0]
    assert np.isnan(density[2])
    assert density_per_mm2([[1, 2]], [[1e6]]).tolist() == [[1, 2]]

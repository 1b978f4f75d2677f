"""Positive fraction, H-score and density: what counts of objects say about a stain.

Classes are read by the last level of their names, as QuPath writes them: ``Tumor: Negative``,
``Tumor: Positive``, or ``Tumor: 1+``, ``2+``, ``3+`` (weak, moderate, strong).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pathoview.annotations.classes import SEPARATOR

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

NEGATIVE, POSITIVE = "Negative", "Positive"
GRADES = ("1+", "2+", "3+")

_SQUARE_UM_A_MM2 = 1e6
_POSITIVES = (POSITIVE, *GRADES)


def scored_bases(class_names: Sequence[str]) -> list[str]:
    """Return what positive and negative classes are derived from, in order; ``""``: nothing."""
    split = (_base_and_leaf(name) for name in class_names)
    return list(dict.fromkeys(base for base, leaf in split if leaf in (NEGATIVE, *_POSITIVES)))


def is_scored(class_name: str) -> bool:
    """Return whether objects of a class are told by their stain: negative, positive, or a grade."""
    return _base_and_leaf(class_name)[1] in (NEGATIVE, *_POSITIVES)


def has_grades(class_names: Sequence[str], base: str = "") -> bool:
    """Return whether any class of a base is graded, so that it has an H-score."""
    return any(_base_and_leaf(name) == (base, grade) for name in class_names for grade in GRADES)


def positive_fraction(counts: Counts, class_names: Sequence[str], base: str = "") -> Floats:
    """Return positive / (positive + negative) of each row, 0–1; NaN where there are none.

    ``counts`` are (n, classes). Positive is what is called so, or has a grade.
    """
    positive = sum(_column(counts, class_names, base, leaf) for leaf in _POSITIVES)
    return _ratio(positive, positive + _column(counts, class_names, base, NEGATIVE))


def h_score(counts: Counts, class_names: Sequence[str], base: str = "") -> Floats:
    """Return 1 × % weak + 2 × % moderate + 3 × % strong of each row, 0–300; NaN without objects.

    ``counts`` are (n, classes). Objects that are positive without a grade have no place in it and
    are left out. Reference: McCarty et al. 1985.
    """
    grades = [_column(counts, class_names, base, grade) for grade in GRADES]
    weighted = sum(weight * grade for weight, grade in enumerate(grades, 1))
    return 100 * _ratio(weighted, sum(grades) + _column(counts, class_names, base, NEGATIVE))


def density_per_mm2(counts: npt.ArrayLike, area_um2: npt.ArrayLike) -> Floats:
    """Return objects a mm²; NaN where there is no area."""
    return _ratio(np.asarray(counts, np.float64) * _SQUARE_UM_A_MM2, np.asarray(area_um2))


def _base_and_leaf(name: str) -> tuple[str, str]:
    base, _separator, leaf = name.rpartition(SEPARATOR)
    return base, leaf


def _column(counts: Counts, class_names: Sequence[str], base: str, leaf: str) -> Floats:
    wanted = [_base_and_leaf(name) == (base, leaf) for name in class_names]
    return np.asarray(counts[:, np.array(wanted, bool)].sum(axis=1, dtype=np.float64))


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(part, np.float64) / np.asarray(whole, np.float64)
    return np.asarray(np.where(np.isfinite(ratio), ratio, np.nan))

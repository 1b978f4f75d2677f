"""How like cases are to one another, by the trees of a forest or by vectors, from 0 to 1.

Reference: Breiman and Cutler 2003 (proximity of random forests).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Fractions = npt.NDArray[np.float64]

_TINY = 1e-12


def proximity(query: npt.NDArray[np.integer], cases: npt.NDArray[np.integer]) -> Fractions:
    """Return in which share of a forest's trees each case ends where another one does, (case,).

    ``query``: (tree,) its leaves; ``cases``: (case, tree) of the same forest; see
    `forest_arrays.ForestArrays.leaves`.
    """
    _check(query, cases)
    return np.asarray((cases == query).mean(axis=1), np.float64)


def vector_likeness(query: npt.NDArray[np.floating], cases: npt.NDArray[np.floating]) -> Fractions:
    """Return the cosine between a vector, (number,), and each of others, (case, number).

    What points away is 0, and so is a vector without a direction.
    """
    _check(query, cases)
    one, others = query.astype(np.float64), cases.astype(np.float64)
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(one)
    return np.asarray(np.clip(others @ one / np.maximum(lengths, _TINY), 0, 1))


def _check(query: npt.NDArray[np.number], cases: npt.NDArray[np.number]) -> None:
    """Raise `ValueError` when they come from different models."""
    if cases.shape[1:] != query.shape:
        raise ValueError(f"cases of {cases.shape[1:]} cannot be like one of {query.shape}")

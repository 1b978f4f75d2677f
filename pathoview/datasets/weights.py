"""How much each class weighs, so that rare ones are learned as well as frequent ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LEAST, MOST = 0.1, 10.0
"""A class weighs no less and no more than this, however frequent or rare it is."""

Floats = npt.NDArray[np.float64]


def class_weights(counts: npt.ArrayLike) -> Floats:
    """Return ``N / (K n)`` for each class, from 0.1 to 10; 0 for a class that is not there.

    ``counts``: (n,) how often each class was labelled. K is the number of classes that are there.
    Within the bounds, every class has the same part in the expected loss.
    """
    n = np.asarray(counts, np.float64)
    is_there = n > 0
    weights = np.zeros(n.shape)
    weights[is_there] = n.sum() / (np.count_nonzero(is_there) * n[is_there])
    return np.where(is_there, np.clip(weights, LEAST, MOST), 0.0)


def label_weights(truth: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the weights of presence and absence of each label in a binary cross-entropy.

    ``truth``: (n, label) 0 or 1. Presence weighs as much as absence is frequent, and the other way
    round: both have the same part in the loss on average.
    """
    frequency = np.asarray(truth, np.float64).mean(axis=0)
    return 1 - frequency, frequency

"""Probabilities of classes against known pixels, added up tile by tile in little memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pathoview.evaluation.calibration import N_BINS as N_CLAIMS
from pathoview.evaluation.calibration import Reliability, reliability
from pathoview.evaluation.confusion import confusion_matrix
from pathoview.evaluation.curves import N_BINS, PrecisionRecall, bin_thresholds, bins, from_counts

Counts = npt.NDArray[np.int64]

_MOST_SAMPLED = 2000
"""Cases of a unit that are kept to find a temperature by."""


@dataclass(slots=True)
class Tally:
    """What is counted of probabilities of ``n_classes``; add tallies with `merge`."""

    n_classes: int
    units: list[Counts] = field(default_factory=list)
    """A confusion matrix a unit, (n_classes, n_classes + 1): the last column is “other”."""
    right: Counts = field(init=False)
    """(class, step) how often a probability was given where the class is."""
    wrong: Counts = field(init=False)
    missed: Counts = field(init=False)
    """(class,) how many of it never got a probability."""
    claims: Reliability = field(init=False)
    squares: float = 0.0
    """Sum of the squared distances of the probabilities from the truth."""
    sampled: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        self.right = np.zeros((self.n_classes, N_BINS), np.int64)
        self.wrong = np.zeros((self.n_classes, N_BINS), np.int64)
        self.missed = np.zeros(self.n_classes, np.int64)
        self.claims = Reliability(*(np.zeros(N_CLAIMS) for _part in range(3)))

    @property
    def n(self) -> int:
        """How many cases were counted."""
        return int(self.claims.n.sum())

    @property
    def matrix(self) -> Counts:
        """The confusion matrix of all units."""
        return sum(self.units, np.zeros((self.n_classes, self.n_classes + 1), np.int64))

    @property
    def brier(self) -> float:
        return self.squares / self.n if self.n else float("nan")

    def add(self, probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.integer]) -> None:
        """Count one unit: (n, n_classes + 1) probabilities, the last that of “other”.

        ``truth``: (n,) the class of each, 0 … n_classes - 1.
        """
        said = probabilities.argmax(axis=1)
        shape = self.n_classes, self.n_classes + 1
        self.units.append(confusion_matrix(truth, said, shape))
        for one in range(self.n_classes):
            place, is_it = bins(probabilities[:, one]), truth == one
            self.right[one] += np.bincount(place[is_it], minlength=N_BINS)
            self.wrong[one] += np.bincount(place[~is_it], minlength=N_BINS)
        self.claims += reliability(probabilities.max(axis=1), said == truth)
        wanted = truth[:, None] == np.arange(self.n_classes + 1)
        self.squares += float(((probabilities - wanted) ** 2).sum())
        step = max(1, len(truth) // _MOST_SAMPLED)
        self.sampled.append((probabilities[::step].copy(), truth[::step].astype(np.int64)))

    def merge(self, other: Tally) -> None:
        """Add what another one has counted."""
        self.units += other.units
        self.right += other.right
        self.wrong += other.wrong
        self.missed += other.missed
        self.claims += other.claims
        self.squares += other.squares
        self.sampled += other.sampled

    def curve(self, one: int) -> PrecisionRecall:
        """Return precision and recall of a class, to a thousandth of its probability."""
        total = int(self.right[one].sum() + self.missed[one])
        return from_counts(bin_thresholds(), self.right[one], self.wrong[one], total)

    def sample(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return some of the cases: probabilities (n, n_classes + 1), and their truth (n,)."""
        if not self.sampled:
            return np.empty((0, self.n_classes + 1), np.float32), np.empty(0, np.int64)
        return (
            np.concatenate([part[0] for part in self.sampled]),
            np.concatenate([part[1] for part in self.sampled]),
        )

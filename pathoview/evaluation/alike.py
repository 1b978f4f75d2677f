"""How often slides that a model had not seen, and that looked alike to it, were what it said.

What a probability of one slide is worth, told by counting instead of by trusting the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

FEWEST = 5
"""Of fewer slides nothing is said."""
MOST = 20
"""So many slides are counted at most: those whose probabilities are nearest."""
_SHARE = 0.25
"""Of all held-out slides: more would not be alike."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What became of the held-out slides whose probabilities were nearest."""

    n: int
    n_right: int
    """How many of them were what was said."""
    lowest: float
    highest: float
    """Their probabilities, 0–1."""
    interval: tuple[float, float]
    """Of the share that is right, 95 % (Wilson 1927)."""

    @property
    def share(self) -> float:
        return self.n_right / self.n


def alike(
    probabilities: npt.NDArray[np.floating], is_right: npt.NDArray[np.bool_], probability: float
) -> Alike | None:
    """Return what became of the slides nearest to a probability; None: there are too few.

    ``probabilities``, ``is_right``: (slide,) what held-out slides were given for a class, and
    whether they are of it. Of equally near ones the first count.
    """
    if len(probabilities) < FEWEST:
        return None
    n = min(MOST, max(FEWEST, round(_SHARE * len(probabilities))))
    nearest = np.argsort(np.abs(probabilities - probability), kind="stable")[:n]
    counted, n_right = probabilities[nearest], int(is_right[nearest].sum())
    found = binomtest(n_right, len(nearest)).proportion_ci(0.95, method="wilson")
    return Alike(
        len(nearest),
        n_right,
        float(counted.min()),
        float(counted.max()),
        (float(found.low), float(found.high)),
    )

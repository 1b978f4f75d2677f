"""Whether a method finds more than chance: the same cross-validation on labels that were shuffled.

Patients exchange their labels, so that slides of one stay alike; folds are made anew by the same
rule, since these spread labels evenly. What was learned of slides is worth something when hardly
any of such trainings does as well (a permutation test).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import Bag, BagData
from pathoview.evaluation.chance import permutation_p
from pathoview.tasks.cross_validation import CrossValidation, Fit, Folds, OutOfFold
from pathoview.tasks.training_state import forget_state, part_path

PREFIX = "shuffled."
"""Of what is told of it among the scores of a model."""
_MOST_TRIES = 1000
"""Shuffles that leave a fold without a class are not counted: it could not learn."""


@dataclass(frozen=True, slots=True)
class Shuffling:
    """What a training is, once its labels are shuffled."""

    data: BagData
    groups: Sequence[str]
    """(bag,) whose labels go together."""
    planned: Callable[[BagData], Folds]
    """Bags with other labels → who is held out when; raises `UsageError` where a class lacks."""
    fit: Fit
    auroc: Callable[[BagData, OutOfFold], float]
    seed: int
    state: Path
    """Of the training; what is kept here is forgotten with it."""

    def run(self, n: int, progress: Progress) -> list[float]:
        """Return the AUROC of ``n`` trainings, fewer when asked to finish; raise `Cancelled`."""
        found = self._kept()[:n]
        for number in range(len(found), n):
            auroc = None if progress.is_finishing else self._measured(number, n, progress)
            if auroc is None:
                break
            found.append(auroc)
            with replacing(self._path) as file:
                file.write(orjson.dumps(found))
            forget_state(self._state_of(number))
        return found

    def _measured(self, number: int, n: int, progress: Progress) -> float | None:
        """Return the AUROC of a training; None: folds were left out, or ended before their time."""
        progress.event("shuffled", {"n": number, "n_all": n})
        data, folds = self._shuffled(number)
        course = CrossValidation(data, folds, {"method": self.fit}, self._state_of(number))
        unseen = course.run(_Part(progress, number, n))
        return None if progress.is_finishing else self.auroc(data, unseen)

    def _shuffled(self, number: int) -> tuple[BagData, Folds]:
        problem: UsageError | None = None
        for attempt in range(_MOST_TRIES):
            random = np.random.default_rng([abs(self.seed), number, attempt])
            data = replace(self.data, bags=exchanged(self.data.bags, self.groups, random))
            try:
                return data, self.planned(data)
            except UsageError as error:
                problem = error
        assert problem is not None
        raise problem

    def _state_of(self, number: int) -> Path:
        return part_path(self.state, f"shuffled-{number:04d}")

    @property
    def _path(self) -> Path:
        return part_path(self.state, "shuffled", ".json")

    def _kept(self) -> list[float]:
        """Return what an earlier training has measured."""
        try:
            return [float(one) for one in orjson.loads(self._path.read_bytes())]
        except (OSError, ValueError, TypeError):
            return []


def exchanged(bags: Sequence[Bag], groups: Sequence[str], random: np.random.Generator) -> list[Bag]:
    """Return bags with labels that groups have exchanged; what people said of tiles is left out.

    A group with more slides than the one whose labels it gets has these over again.
    """
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    taken = list(rows.values())
    given = [taken[place] for place in random.permutation(len(taken)).tolist()]
    found = list(bags)
    for own, others in zip(taken, given, strict=True):
        for row, other in zip(own, np.resize(others, len(own)).tolist(), strict=True):
            label, labels = bags[other].label, bags[other].labels
            found[row] = replace(bags[row], label=label, labels=labels, answers=None)
    return found


def scores_of(own: float, shuffled: Sequence[float]) -> dict[str, float]:
    """Return what is told of it, by name; nothing of no trainings."""
    if not shuffled:
        return {}
    aurocs = np.array(shuffled)
    return {
        f"{PREFIX}n": float(len(aurocs)),
        f"{PREFIX}auroc": float(aurocs.mean()),
        f"{PREFIX}auroc_sd": float(aurocs.std(ddof=1)) if len(aurocs) > 1 else 0.0,
        f"{PREFIX}p": permutation_p(own, aurocs),
    }


class _Part(PartOf):
    """One training's part: it says which, and its curves are nobody's."""

    def __init__(self, whole: Progress, number: int, n: int) -> None:
        super().__init__(whole, number / n, (number + 1) / n, tells_events=False)
        self._text = _("Shuffled labels, {n} of {all}").format(n=number + 1, all=n)

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        super().report(fraction, self._text, **metrics)

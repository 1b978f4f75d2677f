"""Can the label be told without looking? Tests what has nothing to do with the tissue.

A small tree learns the label from one trivial feature at a time, on four of five folds of
patients, and is asked about the fifth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.datasets.leak_items import LeakItem, Look
from pathoview.datasets.splits import group_folds

Columns = npt.NDArray[np.float64]

MOST_AUROC = 0.65
N_FOLDS = 5
_LEAST_GROUPS = 5
"""With a label, and without it, for an AUROC to mean something."""
_MOST_VALUES = 200
_LEAST_TIMES = 3
_CHANCE_SD = 3.0
_LEAST_LEAF = 3
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Told:
    """A label that a trivial feature gives away."""

    feature: str
    label: str
    auroc: float


def told_by_metadata(
    items: Sequence[LeakItem], looks: Sequence[Look], groups: Sequence[str], seed: int = 1
) -> list[Told]:
    """Return which features give a label away: AUROC over 0.65, and more than chance explains.

    ``groups``: what belongs together, as from `linked_groups`; it is never in two folds. Chance is
    counted in groups, not items: a hundred tiles of one patient are one observation.
    """
    known = [place for place, item in enumerate(items) if item.label]
    items, looks = [items[place] for place in known], [looks[place] for place in known]
    groups = [groups[place] for place in known]
    labels = [item.label for item in items]
    judged = _judged_labels(labels, groups)
    if not judged or len(set(groups)) < N_FOLDS:
        return []
    folds = group_folds(groups, labels, N_FOLDS, seed)
    told: list[Told] = []
    for feature, columns in _features(items, looks):
        scores = _scores(columns, labels, folds)
        found = [Told(feature, label, _auroc(scores[label], labels, label)) for label in judged]
        best = max(found, key=lambda one: one.auroc - judged[one.label])
        if best.auroc > max(MOST_AUROC, judged[best.label]):
            told.append(best)
    return told


def _judged_labels(labels: Sequence[str], groups: Sequence[str]) -> dict[str, float]:
    """Return the labels with groups enough, each with the AUROC that chance may reach."""
    judged: dict[str, float] = {}
    for label in sorted(set(labels)):
        n_with, n_without = (
            len({group for group, own in zip(groups, labels, strict=True) if (own == label) is has})
            for has in (True, False)
        )
        if min(n_with, n_without) >= _LEAST_GROUPS:
            sd = math.sqrt((n_with + n_without + 1) / (12 * n_with * n_without))
            judged[label] = 0.5 + _CHANCE_SD * sd
    return judged


def _features(items: Sequence[LeakItem], looks: Sequence[Look]) -> Iterator[tuple[str, Columns]]:
    """Yield each feature with its columns, (n, k)."""
    sizes = [(look.width, look.height, look.width / look.height) for look in looks]
    yield _("image size"), np.array(sizes, np.float64)
    yield _("mean colour"), np.array([look.mean_rgb for look in looks])
    yield _("words of the file name"), _indicators([item.tokens for item in items])
    yield _("scanner or program"), _indicators([{look.scanner} - {""} for look in looks])
    yield _("site"), _indicators([{item.site} - {""} for item in items])
    for name in sorted({name for item in items for name in item.metadata}):
        values = [{item.metadata.get(name, "")} - {""} for item in items]
        yield f"“{name}”", _indicators(values)


def _indicators(said: Sequence[frozenset[str] | set[str]]) -> Columns:
    """Return a column for each word that some items have and others have not, the common first."""
    counts = Counter(word for words in said for word in words)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    used = [word for word in ordered if _LEAST_TIMES <= counts[word] < len(said)][:_MOST_VALUES]
    return np.array([[word in words for word in used] for words in said], np.float64)


def _scores(
    columns: Columns, labels: Sequence[str], folds: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return how likely each label is for each item, as learned from the other folds."""
    from sklearn.tree import DecisionTreeClassifier

    truth = np.array(labels)
    scores = {label: np.zeros(len(labels)) for label in set(labels)}
    if columns.size == 0 or (columns == columns[0]).all():
        return scores
    for fold in range(N_FOLDS):
        asked = folds == fold
        tree = DecisionTreeClassifier(
            max_depth=_DEPTH, min_samples_leaf=_LEAST_LEAF, random_state=0
        )
        tree.fit(columns[~asked], truth[~asked])
        answers = tree.predict_proba(columns[asked])
        for label, answer in zip(tree.classes_, answers.T, strict=True):
            scores[str(label)][asked] = answer
    return scores


def _auroc(scores: npt.NDArray[np.float64], labels: Sequence[str], label: str) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score([own == label for own in labels], scores))

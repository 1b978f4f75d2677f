"""Which slides are held out together when it is measured what a method learns of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.datasets.splits import Numbers, group_folds, site_folds

HoldOut = Literal["patients", "sites"]


@dataclass(frozen=True, slots=True)
class FoldOrder:
    """How slides are shared out."""

    n_folds: int
    """Of patients; there are as many folds as sites."""
    hold_out: HoldOut


def slide_folds(
    labels: Sequence[Sequence[str]],
    groups: Sequence[str],
    sites: Sequence[str],
    order: FoldOrder,
    seed: int,
) -> Numbers:
    """Return the fold in which each slide is held out, (n,); -1: in none.

    ``labels``: the class of each slide, or all that it has; ``groups``: its patient, or what else
    is whole; ``sites``: empty where nobody says. Labels are spread evenly, of a slide with several
    the rarest.

    Raises `UsageError` when there are too few patients or sites, or when a class would be missing
    among what is learned from.
    """
    names = dict.fromkeys(name for own in labels for name in own)
    for name in names:
        own = {group for group, label in zip(groups, labels, strict=True) if name in label}
        if len(own) < 2:
            raise UsageError(
                _("“{name}” is known of one patient only.").format(name=name),
                _("At least two are needed: one to learn from, and one to measure on."),
            )
    if order.hold_out == "sites":
        folds = _of_sites(groups, sites)
    else:
        counts = Counter(name for own in labels for name in own)
        rarest = [min(own, key=counts.__getitem__, default="") for own in labels]
        folds = _of_patients(groups, rarest, order.n_folds, seed)
    for fold in range(int(folds.max()) + 1):
        learned = {
            name
            for own, its in zip(labels, folds.tolist(), strict=True)
            if its != fold
            for name in own
        }
        if len(learned) < len(names):
            raise UsageError(
                _("In a fold, a class would be missing among what is learned from."),
                _("Ask for more folds, or add patients of the rarest class."),
            )
    return folds


def _of_sites(groups: Sequence[str], sites: Sequence[str]) -> Numbers:
    found = site_folds(groups, sites)
    if found is None:
        raise UsageError(
            _("There are fewer than three sites."),
            _("Say of which site slides are, or hold out patients."),
        )
    return found


def _of_patients(groups: Sequence[str], labels: Sequence[str], n_folds: int, seed: int) -> Numbers:
    n = len(set(groups))
    if n < n_folds:
        raise UsageError(
            _("{n} patients cannot be shared out to {folds} folds.").format(n=n, folds=n_folds),
            _("Ask for fewer folds, or add patients."),
        )
    return group_folds(groups, labels, n_folds, seed)

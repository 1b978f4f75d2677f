"""Which items to train on and which to hold back: what belongs together is never in two splits.

An item is an image, a tile or a slide. Items are linked when they share a patient, a slide, a
block, or look (nearly) the same; a group is all that is linked, directly or through others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.translation import _

Numbers = npt.NDArray[np.int64]

LEAST_SITES = 3
"""With fewer, holding one out leaves too little to learn what sites have in common."""
_NEAR_ONE = 1e-6


def linked_groups(
    shared: Sequence[Collection[str]], pairs: Iterable[tuple[int, int]] = ()
) -> Numbers:
    """Return the group of each item, (n,), numbered from 0 in the order of the items.

    ``shared``: of each item what ties it to others that have it too, such as ``patient 7``; empty
    texts say nothing. ``pairs``: items tied for another reason, such as near-duplicates.
    """
    n = len(shared)
    links = list(pairs)
    first: dict[str, int] = {}
    for item, keys in enumerate(shared):
        links += [(first.setdefault(key, item), item) for key in keys if key]
    ends = np.array(links, np.int64).reshape(-1, 2)
    # The window begins without it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(ends), np.int64), (ends[:, 0], ends[:, 1])), shape=(n, n))
    _n_groups, found = connected_components(graph, directed=False)
    _values, firsts, places = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(firsts))[places], np.int64)


def parse_split(text: str) -> Mapping[str, float]:
    """Return shares by name from ``train=0.8,val=0.2``; empty for an empty text.

    Raises `UsageError` when it cannot be understood, or the shares do not add up to 1.
    """
    shares: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            equals = ""
        if not equals or not name.strip() or shares[name.strip()] < 0:
            raise UsageError(
                _("“{text}” is no split.").format(text=text), _("Write it like train=0.8,val=0.2.")
            )
    if shares and abs(sum(shares.values()) - 1) > _NEAR_ONE:
        raise UsageError(
            _("The shares of the split add up to {sum:g}.").format(sum=sum(shares.values())),
            _("They must add up to 1."),
        )
    return shares


def split_groups(
    groups: Iterable[str],
    shares: Mapping[str, float],
    seed: int,
    labels: Sequence[str] | None = None,
) -> dict[str, str]:
    """Return the split of each group (a patient, or a slide), the same for the same seed.

    ``groups``: of each item. Without ``labels`` each group counts once; with the label of each
    item every label is shared out as the shares say, as nearly as whole groups allow. While there
    are groups enough, no split with a share is left empty.
    """
    items = list(groups)
    names = [name for name, share in shares.items() if share > 0]
    if not names:
        return dict.fromkeys(items, "")
    ordered = sorted(set(items), key=lambda group: _lot(seed, group))
    weights = np.full((len(ordered), 1), 1 / max(1, len(ordered)))
    if labels is not None:
        weights = _label_shares(ordered, items, labels)
        by_size = np.argsort(-weights.max(axis=1), kind="stable")  # the large ones fit in first
        ordered, weights = [ordered[place] for place in by_size], weights[by_size]
    places = _shared_out(weights, np.array([shares[name] for name in names]))
    return {group: names[place] for group, place in zip(ordered, places, strict=True)}


def group_folds(groups: Sequence[str], labels: Sequence[str], n_folds: int, seed: int) -> Numbers:
    """Return the fold of each item, (n,) from 0: groups are whole, labels spread evenly.

    Raises `UsageError` when there are fewer groups than folds.
    """
    if len(set(groups)) < n_folds:
        raise UsageError(
            _("{n} groups cannot be shared out to {folds} folds.").format(
                n=len(set(groups)), folds=n_folds
            ),
            _("Ask for fewer folds, or add patients."),
        )
    shares = {str(fold): 1 / n_folds for fold in range(n_folds)}
    found = split_groups(groups, shares, seed, labels)
    return np.array([int(found[group]) for group in groups], np.int64)


def site_folds(groups: Sequence[str], sites: Sequence[str]) -> Numbers | None:
    """Return folds that each hold out one site, (n,); None: there are fewer than three.

    Sites that share a group are one. -1: the site is not known, the item is always learned from.
    """
    pairs = zip(groups, sites, strict=True)
    linked = linked_groups([(f"group {group}", site and f"site {site}") for group, site in pairs])
    known = np.array([bool(site) for site in sites], np.bool_)
    held, places = np.unique(linked[known], return_inverse=True)
    if len(held) < LEAST_SITES:
        return None
    folds = np.full(len(linked), -1, np.int64)
    folds[known] = places
    for fold, component in enumerate(held):  # also those that are tied to a site by their group
        folds[linked == component] = fold
    return folds


def _label_shares(
    ordered: Sequence[str], groups: Sequence[str], labels: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Return which share of each label each group has, (groups, labels)."""
    columns = {label: place for place, label in enumerate(sorted(set(labels)))}
    rows = {group: place for place, group in enumerate(ordered)}
    counts = np.zeros((len(rows), len(columns)))
    for (group, label), n in Counter(zip(groups, labels, strict=True)).items():
        counts[rows[group], columns[label]] = n
    return np.asarray(counts / counts.sum(axis=0))


def _shared_out(weights: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> list[int]:
    """Return the split of each group: where, with it, least is too much or too little."""
    filled = np.zeros((len(shares), weights.shape[1]))
    sizes = np.zeros(len(shares), np.int64)
    places: list[int] = []
    for place, weight in enumerate(weights):
        lack = (shares[:, None] - filled) @ weight
        if len(weights) - place <= np.count_nonzero(sizes == 0):
            lack[sizes > 0] = -np.inf
        chosen = int(np.argmax(np.round(lack, 12)))
        filled[chosen] += weight
        sizes[chosen] += 1
        places.append(chosen)
    return places


def _lot(seed: int, group: str) -> bytes:
    return hashlib.blake2b(f"{seed} {group}".encode(), digest_size=8).digest()

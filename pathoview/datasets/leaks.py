"""The leak audit: whether a split lets a method see in training what it is measured on.

Errors are leaks; warnings are what a person should think about. Read `audit` first.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.datasets.leak_items import Embed, LeakItem, Look, look_at
from pathoview.datasets.leak_metadata import told_by_metadata
from pathoview.datasets.leak_pairs import Pair, alike_pairs, near_pairs, same_pairs
from pathoview.datasets.splits import linked_groups

Severity = Literal["error", "warning"]
Kind = Literal[
    "patient",
    "slide",
    "block",
    "identical",
    "near",
    "alike",
    "conflict",
    "metadata",
    "date",
    "missing label",
    "unread",
]

_ORDER = ("train", "val", "test")
_MOST_NAMED = 10
_READ_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, in a sentence, with the pairs of items that show it."""

    kind: Kind
    severity: Severity
    sentence: str
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, the errors first."""

    findings: tuple[Finding, ...]
    splits: Mapping[str, int]
    """Items by split."""
    priors: Mapping[str, Mapping[str, int]]
    """By label: how many items of each split have it."""

    @property
    def n_errors(self) -> int:
        return sum(one.severity == "error" for one in self.findings)


def audit(items: Sequence[LeakItem], progress: Progress, embed: Embed | None = None) -> Audit:
    """Look for leaks between the splits of some items; each item is loaded once.

    ``embed``: what describes a picture, for pairs that are alike though not the same; None: those
    are not looked for. Raises `UsageError` when there are fewer than two splits, `Cancelled`.
    """
    if len({item.split for item in items}) < 2:
        raise UsageError(
            _("There is only one split: nothing can leak."),
            _("Name the folders of two splits, or shares such as train=0.8,val=0.2."),
        )
    looks = _looks(items, progress, embed)
    alike = list(_pictures(items, looks, progress))
    copies = [pair for one in alike if one.severity == "error" for pair in one.pairs]
    priors = _priors(items)
    findings = [
        *_shared(items),
        *alike,
        *_conflicts(items, copies),
        *_told(items, looks, copies),
        *_dates(items),
        *_missing(priors, items),
        *_unread(items, looks),
    ]
    findings.sort(key=lambda one: one.severity != "error")
    return Audit(tuple(findings), Counter(item.split for item in items), priors)


def _looks(items: Sequence[LeakItem], progress: Progress, embed: Embed | None) -> list[Look | None]:
    looks: list[Look | None] = []
    for n_done, item in enumerate(items):
        progress.check()
        text = ngettext("{n} picture read", "{n} pictures read", n_done).format(n=n_done)
        progress.report(_READ_SHARE * n_done / len(items), text)
        try:
            looks.append(look_at(item.load(), embed))
        except InputError:
            looks.append(None)
    progress.report(_READ_SHARE, _("Comparing"))
    return looks


def _unread(items: Sequence[LeakItem], looks: Sequence[Look | None]) -> Iterator[Finding]:
    names = [item.name for item, look in zip(items, looks, strict=True) if look is None]
    if names:
        text = ngettext(
            "{n} picture could not be read and was not compared: {names}.",
            "{n} pictures could not be read and were not compared: {names}.",
            len(names),
        )
        yield Finding("unread", "warning", text.format(n=len(names), names=_listed(names)))


# -- what is said of items ---------------------------------------------------------------------


def _shared(items: Sequence[LeakItem]) -> Iterator[Finding]:
    """Patients, slides and blocks that are in several splits."""
    kinds: tuple[Kind, ...] = ("patient", "slide", "block")
    for kind in kinds:
        by_name: dict[str, dict[str, int]] = defaultdict(dict)
        for place, item in enumerate(items):
            if name := str(getattr(item, kind)):
                by_name[name].setdefault(item.split, place)
        wrong = {name: places for name, places in by_name.items() if len(places) > 1}
        if wrong:
            pairs = (
                Pair(*two)
                for places in wrong.values()
                for two in combinations(sorted(places.values()), 2)
            )
            sentence = _shared_text(kind, len(wrong)).format(n=len(wrong), names=_listed(wrong))
            yield Finding(kind, "error", sentence, tuple(pairs))


def _shared_text(kind: str, n: int) -> str:
    if kind == "patient":
        return ngettext(
            "{n} patient is in several splits: {names}.",
            "{n} patients are in several splits: {names}.",
            n,
        )
    if kind == "slide":
        return ngettext(
            "{n} slide is in several splits: {names}.",
            "{n} slides are in several splits: {names}.",
            n,
        )
    return ngettext(
        "{n} block of tissue is in several splits: {names}.",
        "{n} blocks of tissue are in several splits: {names}.",
        n,
    )


def _dates(items: Sequence[LeakItem]) -> Iterator[Finding]:
    """Items to be measured on that are older than what is learned from."""
    days = [_day(item.date) for item in items]
    named = [split for split in _ORDER if any(item.split == split for item in items)]
    for earlier, later in combinations(named, 2):
        first, second = (
            [day for item, day in zip(items, days, strict=True) if day and item.split == split]
            for split in (earlier, later)
        )
        if first and (n := sum(day < max(first) for day in second)):
            text = _(
                "The splits are not in order of time: {n} of {total} of {later} are older than "
                "the newest of {earlier}. What is measured says nothing of how later cases will do."
            )
            sentence = text.format(n=n, total=len(second), later=later, earlier=earlier)
            yield Finding("date", "warning", sentence)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _priors(items: Sequence[LeakItem]) -> Mapping[str, Mapping[str, int]]:
    counts = Counter((item.label, item.split) for item in items if item.label)
    labels, splits = sorted({label for label, _split in counts}), {item.split for item in items}
    return {label: {split: counts[label, split] for split in sorted(splits)} for label in labels}


def _missing(
    priors: Mapping[str, Mapping[str, int]], items: Sequence[LeakItem]
) -> Iterator[Finding]:
    labelled = {item.split for item in items if item.label}
    for label, by_split in priors.items():
        if "train" in labelled and not by_split["train"]:
            text = _("“{label}” is never learned: no item of train has this label.")
            yield Finding("missing label", "warning", text.format(label=label))


# -- what is seen in pictures ------------------------------------------------------------------


def _pictures(
    items: Sequence[LeakItem], looks: Sequence[Look | None], progress: Progress
) -> Iterator[Finding]:
    """Pairs of different splits that show the same; each pair is told of once."""
    seen = {place: look for place, look in enumerate(looks) if look is not None}
    told: set[tuple[int, int]] = set()
    same = _placed(same_pairs([one.digest for one in seen.values()], _apart(items, seen)), seen)
    yield from _pairs_found("identical", same, told)
    rich = {place: look for place, look in seen.items() if not look.is_plain}
    if rich:
        hashes = np.array([look.hashes for look in rich.values()])
        near = _placed(near_pairs(hashes, _apart(items, rich), progress), rich)
        yield from _pairs_found("near", near, told)
    described = {
        place: look.embedding for place, look in rich.items() if look.embedding is not None
    }
    if described:
        vectors = np.array([*described.values()])
        alike = _placed(alike_pairs(vectors, _apart(items, described), progress), described)
        unexplained = [
            pair
            for pair in alike
            if not set(items[pair.first].shared) & set(items[pair.second].shared)
        ]
        yield from _pairs_found("alike", unexplained, told)


def _apart(items: Sequence[LeakItem], places: Iterable[int]) -> npt.NDArray[np.int64]:
    numbers = {split: number for number, split in enumerate(sorted({one.split for one in items}))}
    return np.array([numbers[items[place].split] for place in places], np.int64)


def _placed(pairs: Iterable[Pair], places: Iterable[int]) -> list[Pair]:
    """Return pairs by the places of their items in the whole table."""
    whole = list(places)
    return [replace(one, first=whole[one.first], second=whole[one.second]) for one in pairs]


def _pairs_found(
    kind: Literal["identical", "near", "alike"], pairs: Sequence[Pair], told: set[tuple[int, int]]
) -> Iterator[Finding]:
    new = tuple(pair for pair in pairs if pair.places not in told)
    told.update(pair.places for pair in new)
    if not new:
        return
    severity: Severity = "warning" if kind == "alike" else "error"
    yield Finding(kind, severity, _pairs_text(kind, len(new)).format(n=len(new)), new)


def _pairs_text(kind: str, n: int) -> str:
    if kind == "identical":
        return ngettext(
            "{n} pair of pictures in different splits is identical.",
            "{n} pairs of pictures in different splits are identical.",
            n,
        )
    if kind == "near":
        return ngettext(
            "{n} pair of pictures in different splits is nearly the same.",
            "{n} pairs of pictures in different splits are nearly the same.",
            n,
        )
    return ngettext(
        "{n} pair of pictures in different splits is very much alike: is it the same place?",
        "{n} pairs of pictures in different splits are very much alike: are they the same place?",
        n,
    )


# -- what both say together --------------------------------------------------------------------


def _told(
    items: Sequence[LeakItem], looks: Sequence[Look | None], copies: Sequence[Pair]
) -> Iterator[Finding]:
    """Labels that can be told without looking."""
    groups = linked_groups([item.shared for item in items], [pair.places for pair in copies])
    seen = {place: look for place, look in enumerate(looks) if look is not None}
    told = told_by_metadata(
        [items[place] for place in seen],
        [*seen.values()],
        [str(groups[place]) for place in seen],
    )
    for one in told:
        text = _(
            "“{label}” can be told without looking, by the {feature} alone (AUROC {auroc:.2f})."
        )
        sentence = text.format(label=one.label, feature=one.feature, auroc=one.auroc)
        yield Finding("metadata", "warning", sentence)


def _conflicts(items: Sequence[LeakItem], copies: Sequence[Pair]) -> Iterator[Finding]:
    """Copies with different labels; patients with different labels where most have one."""
    wrong = tuple(pair for pair in copies if _differ(items[pair.first], items[pair.second]))
    if wrong:
        text = ngettext(
            "{n} pair of the same picture has different labels.",
            "{n} pairs of the same picture have different labels.",
            len(wrong),
        )
        yield Finding("conflict", "error", text.format(n=len(wrong)), wrong)
    by_patient: dict[str, dict[str, int]] = defaultdict(dict)
    n_items = Counter(item.patient for item in items if item.patient and item.label)
    for place, item in enumerate(items):
        if n_items[item.patient] > 1 and item.label:
            by_patient[item.patient].setdefault(item.label, place)
    torn = {name: tuple(found.values()) for name, found in by_patient.items() if len(found) > 1}
    if torn and 2 * len(torn) < len(by_patient):  # else labels are of pictures, not of patients
        text = ngettext(
            "{n} patient has different labels, and most patients have one: {names}.",
            "{n} patients have different labels, and most patients have one: {names}.",
            len(torn),
        )
        pairs = tuple(Pair(places[0], places[1]) for places in torn.values())
        sentence = text.format(n=len(torn), names=_listed(torn))
        yield Finding("conflict", "warning", sentence, pairs)


def _differ(one: LeakItem, other: LeakItem) -> bool:
    return bool(one.label and other.label and one.label != other.label)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key by which 2 comes before 11."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def _listed(names: Iterable[str]) -> str:
    every = sorted(names, key=_natural)
    more = len(every) - _MOST_NAMED
    shown = ", ".join(every[:_MOST_NAMED])
    return shown if more <= 0 else _("{names} and {n} more").format(names=shown, n=more)

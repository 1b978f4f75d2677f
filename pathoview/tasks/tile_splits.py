"""Which slides to train on and which to hold back: a patient is never in two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from pathoview.core.errors import UsageError
from pathoview.core.translation import _

_NEAR_ONE = 1e-6


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


def split_groups(groups: Iterable[str], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the split of each group (a patient, or a slide), the same for the same seed.

    The groups are put into an order drawn by lot, and cut by the shares. While there are groups
    enough, no split with a share is left empty.
    """
    ordered = sorted(set(groups), key=lambda group: _lot(seed, group))
    names = [name for name, share in shares.items() if share > 0]
    if not names:
        return dict.fromkeys(ordered, "")
    counts = _counts(len(ordered), [shares[name] for name in names])
    drawn = [name for name, n in zip(names, counts, strict=True) for _place in range(n)]
    return dict(zip(ordered, drawn, strict=True))


def _counts(n: int, shares: list[float]) -> list[int]:
    """Return whole numbers that add up to ``n``, as near to the shares as can be."""
    exact = [n * share for share in shares]
    counts = [int(number) for number in exact]
    by_rest = sorted(range(len(shares)), key=lambda place: counts[place] - exact[place])
    for place in by_rest[: n - sum(counts)]:
        counts[place] += 1
    while n >= len(counts) and 0 in counts:
        counts[counts.index(max(counts))] -= 1
        counts[counts.index(0)] += 1
    return counts


def _lot(seed: int, group: str) -> bytes:
    return hashlib.blake2b(f"{seed} {group}".encode(), digest_size=8).digest()

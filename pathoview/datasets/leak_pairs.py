"""Pairs of items that show the same: equal pixels, near perceptual hashes, near embeddings.

``apart``: (n,) whole numbers, the split of each item; only pairs from different splits are
looked for. None: all pairs are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.progress import Progress

Apart = npt.NDArray[np.int64] | None

MOST_BITS = 4
"""Of 64: perceptual hashes that differ in no more are near."""
LEAST_COSINE = 0.995
_ROWS = 256
_MOST_PAIRS = 10_000
"""More say nothing new, and would take the memory of all."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items by their place in the table, the earlier first."""

    first: int
    second: int
    score: float = 0.0
    """Bits that differ, or the cosine."""
    is_turned: bool = False
    """One is the other turned or mirrored."""

    @property
    def places(self) -> tuple[int, int]:
        return self.first, self.second


def same_pairs(digests: Sequence[bytes], apart: Apart) -> list[Pair]:
    """Return pairs of equal digests: each item with the first one of another split."""
    alike: dict[bytes, list[int]] = defaultdict(list)
    for item, digest in enumerate(digests):
        alike[digest].append(item)
    pairs = {
        (min(one, other), max(one, other))
        for items in alike.values()
        for other in items[1:]
        for one in _first_apart(items, other, apart)
    }
    return [Pair(*pair) for pair in sorted(pairs)]


def _first_apart(items: Sequence[int], item: int, apart: Apart) -> list[int]:
    others = (one for one in items if one != item and (apart is None or apart[one] != apart[item]))
    return [first] if (first := next(others, None)) is not None else []


def near_pairs(
    hashes: npt.NDArray[np.uint64], apart: Apart, progress: Progress, most_bits: int = MOST_BITS
) -> list[Pair]:
    """Return pairs whose perceptual hashes, (n, 8) of all symmetries, differ in few bits.

    The hash of an item as it is, is compared with those of all symmetries of the other.
    """
    pairs: list[Pair] = []
    for start, wanted in _blocks(len(hashes), apart):
        progress.check()
        rows = hashes[start : start + len(wanted), :1]
        bits = np.stack([np.bitwise_count(rows ^ each) for each in hashes[start:].T])
        least = bits.min(axis=0)
        for row, column in np.argwhere((least <= most_bits) & wanted).tolist():
            is_turned = bool(bits[0, row, column] > most_bits)
            score = float(least[row, column])
            pairs.append(Pair(start + row, start + column, score, is_turned))
        if len(pairs) > _MOST_PAIRS:
            break
    return pairs


def alike_pairs(
    embeddings: npt.NDArray[np.float64],
    apart: Apart,
    progress: Progress,
    least_cosine: float = LEAST_COSINE,
) -> list[Pair]:
    """Return pairs whose embeddings, (n, d), are nearly parallel once their mean is taken off.

    What all items have in common would otherwise make all of them alike.
    """
    centred = embeddings - embeddings.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    units = (centred / np.maximum(lengths, 1e-12)).astype(np.float32)
    pairs: list[Pair] = []
    for start, wanted in _blocks(len(units), apart):
        progress.check()
        cosines = units[start : start + len(wanted)] @ units[start:].T
        for row, column in np.argwhere((cosines > least_cosine) & wanted).tolist():
            pairs.append(Pair(start + row, start + column, float(cosines[row, column])))
        if len(pairs) > _MOST_PAIRS:
            break
    return pairs


def _blocks(n: int, apart: Apart) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """Yield the first row of each block, and which of its pairs with what follows are wanted."""
    numbers = np.arange(n)
    for start in range(0, n, _ROWS):
        rows = numbers[start : start + _ROWS, None]
        wanted = rows < numbers[None, start:]
        if apart is not None:
            wanted &= apart[rows] != apart[None, start:]
        yield start, wanted

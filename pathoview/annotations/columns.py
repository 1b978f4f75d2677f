"""Columns of a table of objects: numbers, words and ids; a million are sorted at once."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.floating]

_NO_ID = "0" * 32
_DIGITS = re.compile(r"(\d+)")


class Column(Protocol):
    """One column; n values."""

    def __len__(self) -> int: ...

    def text(self, row: int) -> str:
        """Return a value in words, exactly; empty: there is none."""

    def texts(self, rows: Rows) -> list[str]:
        """Return several values in words."""

    def take(self, rows: Rows) -> Column:
        """Return several values as a column."""

    def sorted(self, rows: Rows, *, is_descending: bool = False) -> Rows:
        """Return some rows in order; those that are equal stay as they are, empty ones come last.

        Ids are in an order that means nothing, but is always the same.
        """


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Numbers, NaN where unknown."""

    values: Numbers
    """(n,)"""

    def __len__(self) -> int:
        return len(self.values)

    def text(self, row: int) -> str:
        value = self.values[row]
        return "" if math.isnan(value) else shortest(value)

    def texts(self, rows: Rows) -> list[str]:
        return ["" if math.isnan(value) else shortest(value) for value in self.values[rows]]

    def take(self, rows: Rows) -> NumberColumn:
        return NumberColumn(self.values[rows])

    def sorted(self, rows: Rows, *, is_descending: bool = False) -> Rows:
        values = self.values[rows]
        return rows[np.argsort(-values if is_descending else values, kind="stable")]

    def within(self, low: float, high: float) -> Mask:
        """Say which values lie in a range, its ends included; NaN never does."""
        return (self.values >= low) & (self.values <= high)


def shortest(value: np.floating) -> str:
    """Return a number as short as it can be: ``12``, ``0.1`` and not 0.10000000149.

    float32 is told exactly; of float64, which measures are computed in, ten digits.
    """
    return str(value).removesuffix(".0") if value.itemsize < 8 else f"{value:.10g}"


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Words, each kept once."""

    codes: npt.NDArray[np.int32]
    """(n,) index into `labels`."""
    labels: Sequence[str]
    """An empty one: no word."""

    @classmethod
    def of(cls, words: Sequence[str]) -> TextColumn:
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(word, len(numbers)) for word in words]
        return cls(np.array(codes, np.int32), tuple(numbers))

    @classmethod
    def constant(cls, word: str, n: int) -> TextColumn:
        return cls(np.zeros(n, np.int32), (word,))

    def __len__(self) -> int:
        return len(self.codes)

    def text(self, row: int) -> str:
        return self.labels[int(self.codes[row])]

    def texts(self, rows: Rows) -> list[str]:
        return [self.labels[code] for code in self.codes[rows].tolist()]

    def take(self, rows: Rows) -> TextColumn:
        return TextColumn(self.codes[rows], self.labels)

    def sorted(self, rows: Rows, *, is_descending: bool = False) -> Rows:
        order = sorted(range(len(self.labels)), key=lambda code: _natural(self.labels[code]))
        rank = np.empty(len(self.labels), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        if is_descending:
            rank = -rank
        rank[[code for code, word in enumerate(self.labels) if not word]] = len(rank)
        return rows[np.argsort(rank[self.codes[rows]], kind="stable")]

    def words(self) -> tuple[str, ...]:
        """Return the words that occur, sorted, an empty one last."""
        is_used = np.bincount(self.codes, minlength=len(self.labels)) > 0
        used = {label for label, there in zip(self.labels, is_used, strict=True) if there}
        return tuple(sorted(used, key=lambda word: (not word, _natural(word))))

    def equal_to(self, word: str) -> Mask:
        return self._are_among([one == word for one in self.labels])

    def containing(self, part: str) -> Mask:
        """Say which words contain some letters, large or small."""
        wanted = part.casefold()
        return self._are_among([wanted in one.casefold() for one in self.labels])

    def _are_among(self, are_wanted: list[bool]) -> Mask:
        return np.array(are_wanted, bool)[self.codes]


def _natural(word: str) -> tuple[object, ...]:
    """Return what sorts ``Place 10`` behind ``Place 9``."""
    parts = _DIGITS.split(word.casefold())
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts))


@dataclass(frozen=True, slots=True)
class IdColumn:
    """UUIDs as bytes; all of them zero: none."""

    ids: npt.NDArray[np.uint8]
    """(n, 16)"""

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, row: int) -> str:
        return self.texts(np.array([row]))[0]

    def texts(self, rows: Rows) -> list[str]:
        digits = self.ids[rows].tobytes().hex()
        return [_uuid_text(digits[start : start + 32]) for start in range(0, len(digits), 32)]

    def take(self, rows: Rows) -> IdColumn:
        return IdColumn(self.ids[rows])

    def sorted(self, rows: Rows, *, is_descending: bool = False) -> Rows:
        halves = np.ascontiguousarray(self.ids[rows]).view(">u8").astype(np.uint64)
        order = np.lexsort((halves[:, 1], halves[:, 0])).astype(np.intp)
        return rows[order[::-1] if is_descending else order]


def _uuid_text(digits: str) -> str:
    if digits == _NO_ID:
        return ""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def joined(columns: Sequence[Column]) -> Column:
    """Return columns of one kind, one below the other."""
    if len(columns) == 1:
        return columns[0]
    first = columns[0]
    if isinstance(first, TextColumn):
        return _joined_texts([one for one in columns if isinstance(one, TextColumn)])
    if isinstance(first, IdColumn):
        return IdColumn(np.concatenate([one.ids for one in columns if isinstance(one, IdColumn)]))
    numbers = [one.values for one in columns if isinstance(one, NumberColumn)]
    return NumberColumn(np.concatenate(numbers))


def _joined_texts(columns: Sequence[TextColumn]) -> TextColumn:
    numbers: dict[str, int] = {}
    codes = []
    for one in columns:
        lookup = [numbers.setdefault(word, len(numbers)) for word in one.labels]
        codes.append(np.array(lookup, np.int32)[one.codes])
    return TextColumn(np.concatenate(codes), tuple(numbers))

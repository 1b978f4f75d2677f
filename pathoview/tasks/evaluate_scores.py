"""What scoring one image gives, whatever the kind of the method; `evaluate_summary` adds it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.evaluation.pixels import Tally

Scores = dict[str, float | None]
Cell = tuple[int, int]


@dataclass(slots=True)
class Place:
    """Something to look at: an object or area that was judged."""

    image: str
    rect_l0: Rect
    kind: str
    """``missed``, ``spurious``, ``merged``, ``split``, ``outline``, ``class``; ``matched``: well.
    """
    amount: float
    """How much is wrong, in ``unit``."""
    unit: str
    cells: tuple[Cell, ...]
    """Of the confusion matrix: row, column."""
    png: str = ""
    """A small picture with truth and prediction, base64; empty: none was made."""

    @property
    def is_wrong(self) -> bool:
        return self.kind != "matched"

    def to_json(self) -> dict[str, Any]:
        """Return it without its picture."""
        box = self.rect_l0
        return {
            "image": self.image,
            "x": round(box.center[0], 2),
            "y": round(box.center[1], 2),
            "width": round(box.width, 2),
            "height": round(box.height, 2),
            "kind": self.kind,
            "amount": round(self.amount, 3),
            "unit": self.unit,
            "cells": [list(cell) for cell in self.cells],
        }


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an image: what it scores, and what each score counts."""

    scores: Scores
    weights: dict[str, float]


@dataclass(slots=True)
class ImageScores:
    """All that one image says of one method."""

    scores: Scores
    counts: Counter[str] = field(default_factory=Counter)
    blocks: list[Block] = field(default_factory=list)
    matrices: list[npt.NDArray[np.int64]] = field(default_factory=list)
    """Confusion matrices of the image's blocks, each of the same shape."""
    tally: Tally | None = None
    """Probabilities against the truth."""
    places: list[Place] = field(default_factory=list)


def worst_first(places: Iterable[Place]) -> list[Place]:
    """Return what is wrong, the most first."""
    return sorted((one for one in places if one.is_wrong), key=lambda one: -one.amount)

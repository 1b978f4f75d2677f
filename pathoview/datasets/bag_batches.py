"""Bags → arrays: what a network of bags is taught with at each step, and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.datasets.bags import UNSAID, Bag
from pathoview.datasets.weights import class_weights

Floats = npt.NDArray[np.float32]

_MOST_ANSWERS = 64
"""Judged tiles of a slide that count in one step."""
_SAMPLED = 64
"""Tiles of each slide that are looked at for what tiles look like."""
_TINY = 1e-6
_MOST_WEIGHT = 10.0
_LEAST_KEPT = 16
"""Tiles of a bag: of fewer, those that make it what it is would often be left out."""
_ORDER, _TILES, _ANSWERS, _FEATURES = range(4)
"""What is drawn, so that no two draws have the same seed."""


@dataclass(frozen=True, slots=True)
class TileStatistics:
    """What tiles look like; every slide counts the same, however many tiles it has."""

    mean: Floats
    """(feature,)"""
    scale: Floats
    """(feature,) 1 / deviation; 0 where the feature is always the same."""
    sample: Floats
    """(n, feature) some tiles, standardised."""


def tile_statistics(bags: Sequence[Bag]) -> TileStatistics:
    """Return what the tiles of bags look like; each bag has at least one."""
    means = np.stack([bag.features.mean(axis=0, dtype=np.float64) for bag in bags])
    mean = means.mean(axis=0)
    squares = np.zeros_like(mean)
    for bag in bags:
        squares += np.square(bag.features - mean).mean(axis=0)
    deviation = np.sqrt(squares / len(bags))
    scale = np.where(deviation > _TINY, 1 / np.maximum(deviation, _TINY), 0.0)
    some = np.concatenate([bag.numbers(spread(bag.n_tiles, _SAMPLED)) for bag in bags])
    standard = ((some - mean) * scale).astype(np.float32)
    return TileStatistics(mean.astype(np.float32), scale.astype(np.float32), standard)


def spread(n_tiles: int, n: int) -> npt.NDArray[np.intp]:
    """Return the numbers of at most ``n`` tiles, evenly spread over the slide."""
    return np.linspace(0, n_tiles - 1, min(n, n_tiles)).round().astype(np.intp)


@dataclass(frozen=True, slots=True)
class BagSampler:
    """Batches of bags as pure functions of the step; each bag comes once before one comes twice."""

    bags: Sequence[Bag]
    """With labels and at least one tile each."""
    n_classes: int
    n_in_batch: int
    n_tiles: int
    """Of a bag, at most."""
    seed: int
    tile_dropout: float = 0.0
    """Share of the tiles of a bag that are left out, others each time; 16 always stay."""
    feature_dropout: float = 0.0
    mean: Floats | None = None
    """(feature,) what features are set to that are left out."""

    def batch(self, step: int) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of a step, (bag, …) each.

        ``features`` (bag, tile, feature) filled up with zeros, ``is_tile`` (bag, tile), ``label``,
        ``weight`` of its class; with several labels a bag, ``label`` (bag, class) 0 or 1 and
        ``weight`` (bag, class) of having it; where somebody judged tiles of one of these bags,
        ``judged`` (bag, tile, feature) and ``answers`` (bag, tile) 1, 0, -1.
        """
        first = step * self.n_in_batch
        slots = range(first, first + self.n_in_batch)
        bags = [self.bags[self._number(slot)] for slot in slots]
        drawn = [self._tiles(bag, slot) for slot, bag in zip(slots, bags, strict=True)]
        features, is_tile = filled_up(drawn)
        arrays = {"features": features, "is_tile": is_tile, **self._labels(bags)}
        return arrays | self._answers(bags, first)

    def _labels(self, bags: Sequence[Bag]) -> dict[str, npt.NDArray[Any]]:
        if self.bags[0].labels:
            weights = label_weights(np.array([bag.labels for bag in self.bags]))
            several = np.array([bag.labels for bag in bags], np.float32)
            return {"label": several, "weight": np.tile(weights, (len(bags), 1))}
        labels = np.array([bag.label for bag in bags], np.int64)
        return {"label": labels, "weight": self._class_weights()[labels]}

    def _number(self, slot: int) -> int:
        """Return which bag comes at a place of the endless line of shuffled bags."""
        turn, place = divmod(slot, len(self.bags))
        return int(self._drawing(_ORDER, turn).permutation(len(self.bags))[place])

    def _tiles(self, bag: Bag, slot: int) -> Floats:
        n_kept = max(_LEAST_KEPT, round((1 - self.tile_dropout) * bag.n_tiles))
        n = min(self.n_tiles, n_kept, bag.n_tiles)
        rows = np.sort(self._drawing(_TILES, slot).choice(bag.n_tiles, n, replace=False))
        tiles = bag.numbers(rows)
        if self.feature_dropout and self.mean is not None:
            chance = self._drawing(_FEATURES, slot).random(tiles.shape[1])
            is_out = chance < self.feature_dropout
            tiles[:, is_out] = self.mean[is_out]
        return tiles

    def _answers(self, bags: Sequence[Bag], first: int) -> dict[str, npt.NDArray[Any]]:
        chosen = [self._judged(bag, first + number) for number, bag in enumerate(bags)]
        if not any(len(rows) for rows in chosen):
            return {}
        tiles = [bag.numbers(rows) for bag, rows in zip(bags, chosen, strict=True)]
        judged, is_judged = filled_up(tiles)
        answers = np.full(is_judged.shape, UNSAID, np.int8)
        for number, (bag, rows) in enumerate(zip(bags, chosen, strict=True)):
            if bag.answers is not None:
                answers[number, : len(rows)] = bag.answers[rows]
        return {"judged": judged, "answers": answers}

    def _judged(self, bag: Bag, slot: int) -> npt.NDArray[np.intp]:
        """Return which judged tiles of a bag count this time."""
        if bag.answers is None:
            return np.zeros(0, np.intp)
        known = np.flatnonzero(bag.answers != UNSAID)
        return self._drawing(_ANSWERS, slot).permutation(known)[:_MOST_ANSWERS]

    def _class_weights(self) -> Floats:
        counts = np.bincount([bag.label for bag in self.bags], minlength=self.n_classes)
        return class_weights(counts).astype(np.float32)

    def _drawing(self, what: int, number: int) -> np.random.Generator:
        return np.random.default_rng([abs(self.seed), what, number])


def label_weights(labels: npt.NDArray[np.integer]) -> Floats:
    """Return what having a label counts, not having it being 1: √(without / with), at most 10.

    ``labels``: (bag, class) 0 or 1.
    """
    n_with = labels.sum(axis=0)
    shares = np.sqrt((len(labels) - n_with) / np.maximum(n_with, 1))
    return np.asarray(np.minimum(shares, _MOST_WEIGHT), np.float32)


def filled_up(
    tiles: Sequence[npt.NDArray[Any]],
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return bags of (tile, feature) as one array, and which of its rows are tiles.

    The array is (bag, tile, feature), zeros where a bag has no more tiles.
    """
    shape = len(tiles), max(len(one) for one in tiles)
    filled = np.zeros((*shape, tiles[0].shape[1]), np.float32)
    is_tile = np.zeros(shape, np.bool_)
    for number, one in enumerate(tiles):
        filled[number, : len(one)] = one
        is_tile[number, : len(one)] = True
    return filled, is_tile

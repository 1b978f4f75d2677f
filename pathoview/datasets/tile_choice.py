"""Which tiles of slides a network of tiles learns from, round by round, by what it says of them.

A slide's label is that of few of its tiles. Two ways to find these: look at all and take the first
(`TopTiles`), or keep the best of those at hand and draw others at random (`DrawnTiles`). What is
chosen are rows of (bag, tile); a tile goes with the label of its own slide and no other.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pathoview.datasets.bags import Bag

Numbers = npt.NDArray[np.int32]
Told = npt.NDArray[np.floating]
Some = tuple[int, Numbers]
"""A bag's place, and some of its tiles."""

Ranking = Literal["looked_for", "own_label"]
"""By what tiles come first: by how little they are of the first class, or by the probability of
their slide's own label."""

_NONE = -1
_BAGS, _TILES, _ORDER = range(3)
"""What is drawn, so that no two draws have the same seed."""


@dataclass(frozen=True, slots=True)
class KeptTile:
    """A tile that came first in its slide."""

    place: int
    """Of its bag."""
    tile: int
    score: float
    """By which the tiles of a slide are put in order, 0–1."""


class TileChoice(abc.ABC):
    """What is learned from in each round. Everything drawn comes from the seed and the round."""

    def __init__(self, bags: Sequence[Bag], ranking: Ranking, n_kept: int, seed: int) -> None:
        """``bags`` have labels and at least one tile each; of a slide ``n_kept`` are remembered."""
        self._bags = bags
        self._tiles = [_candidates(bag) for bag in bags]
        self._ranking, self._seed = ranking, seed
        self._kept = np.full((len(bags), n_kept), _NONE, np.int32)
        self._n_compared = n_kept
        """How many of those remembered of a slide are compared from round to round."""
        self.chosen = np.zeros((0, 2), np.int32)
        """(n, bag and tile) what the round learns from, in a random order."""

    @abc.abstractmethod
    def n_chosen(self, number: int) -> int:
        """Return how many tiles a round learns from."""

    @abc.abstractmethod
    def to_score(self, number: int) -> list[Some]:
        """Return of which tiles the network has to say what they are before a round begins."""

    @abc.abstractmethod
    def _take(self, number: int, scored: Mapping[int, tuple[Numbers, Told]]) -> list[Some]:
        """Return what a round learns from, by what was said of the tiles of bags."""

    def choose(self, number: int, told: Sequence[Told]) -> float | None:
        """Choose for a round, by what was said of `to_score`: (tile, class) probabilities each.

        Returns the share of tiles that are others than those taken before of the same slides; None
        in a first round, when none is known. Tiles alike come in the order of their numbers.
        """
        before = self._kept.copy()
        asked = self.to_score(number)
        scored = {place: (tiles, one) for (place, tiles), one in zip(asked, told, strict=True)}
        taken = self._take(number, scored)
        rows = [np.stack([np.full(len(tiles), place), tiles], axis=1) for place, tiles in taken]
        everything = np.concatenate(rows).astype(np.int32)
        self.chosen = everything[self._drawing(_ORDER, number).permutation(len(everything))]
        return self._share_replaced(before, list(scored))

    def _share_replaced(self, before: Numbers, places: Sequence[int]) -> float | None:
        n = self._n_compared
        known = [place for place in places if before[place, 0] != _NONE]
        if not known:
            return None
        new = [np.setdiff1d(self._kept[one, :n], [_NONE]) for one in known]
        others = [
            np.isin(own, before[one, :n], invert=True) for one, own in zip(known, new, strict=True)
        ]
        return float(np.concatenate(others).mean())

    def best_kept(self, asked: Sequence[Some], told: Sequence[Told], n: int) -> list[KeptTile]:
        """Return the best that was kept: ``n`` tiles of slides of the first class, ``n`` of others.

        The first tile of each slide comes before second ones; among these the highest score.
        ``asked``: what `to_score` was before `choose`; ``told``: as `choose` takes it.
        """
        ranked: list[tuple[bool, int, KeptTile]] = []
        for (place, tiles), one in zip(asked, told, strict=True):
            is_first = self._bags[place].label == 0
            scores = dict(zip(tiles.tolist(), self._scores(place, one).tolist(), strict=True))
            kept = self._ranked(place, tiles, one)[: self._n_compared].tolist()
            ranked += [
                (is_first, rank, KeptTile(place, tile, scores[tile]))
                for rank, tile in enumerate(kept)
            ]
        ranked.sort(key=lambda one: (one[0], one[1], -one[2].score))
        of_side = ([kept for own, _rank, kept in ranked if own == side] for side in (False, True))
        return [one for side in of_side for one in side[:n]]

    # -- what a killed training goes on from -------------------------------------------------------

    def kept(self) -> dict[str, npt.NDArray[Any]]:
        return {"chosen": self.chosen, "tiles": self._kept}

    def go_on(self, kept: Mapping[str, npt.NDArray[Any]]) -> None:
        self.chosen, self._kept = kept["chosen"], kept["tiles"]

    # -- for both ways -----------------------------------------------------------------------------

    def _drawn(self, place: int, n: int, number: int, without: npt.ArrayLike = ()) -> Numbers:
        """Return at most ``n`` tiles of a bag, drawn at random from all but some."""
        tiles = self._tiles[place]
        left = tiles[np.isin(tiles, without, invert=True)]
        drawn: Numbers = self._drawing(_TILES, number, place).permutation(left)[:n]
        return drawn

    def _ranked(self, place: int, tiles: Numbers, told: Told) -> Numbers:
        """Return tiles, those first that show most what is looked for."""
        order: npt.NDArray[np.intp] = np.lexsort((tiles, -self._scores(place, told)))
        return tiles[order]

    def _scores(self, place: int, told: Told) -> Told:
        if self._ranking == "looked_for":
            return np.asarray(1 - told[:, 0])
        return np.asarray(told[:, self._bags[place].label])

    def _remember(self, place: int, tiles: Numbers) -> None:
        some = tiles[: self._kept.shape[1]]
        self._kept[place] = _NONE
        self._kept[place, : len(some)] = some

    def _remembered(self, place: int) -> Numbers:
        row: Numbers = self._kept[place]
        return np.asarray(row[row != _NONE], row.dtype)

    def _drawing(self, what: int, number: int, place: int = 0) -> np.random.Generator:
        return np.random.default_rng([abs(self._seed), what, number, place])


@dataclass(frozen=True, slots=True)
class TopRule:
    """How the first tiles of slides are found."""

    ks: tuple[int, ...] = (8, 8, 4, 1)
    """Tiles of a slide in each round; the last one counts on."""
    share: float = 0.25
    """Of a slide's tiles that are drawn to be looked at, beside those that came first before."""
    n_remembered: int = 50
    full_every: int = 5
    """In the first and each further round so many later, all tiles are looked at."""
    ranking: Ranking = "looked_for"

    def k(self, number: int) -> int:
        return self.ks[min(number, len(self.ks) - 1)]


class TopTiles(TileChoice):
    """The tiles of each slide that come first among all, of as many slides of each class.

    In the first round, when no order means anything, they are drawn at random.
    """

    def __init__(self, bags: Sequence[Bag], rule: TopRule, seed: int) -> None:
        super().__init__(bags, rule.ranking, max(rule.n_remembered, *rule.ks), seed)
        self._rule = rule

    def n_chosen(self, number: int) -> int:
        k = self._rule.k(number)
        return sum(min(k, len(self._tiles[place])) for place in self._slides(number))

    def to_score(self, number: int) -> list[Some]:
        return [(place, self._looked_at(place, number)) for place in self._slides(number)]

    def _slides(self, number: int) -> list[int]:
        """Return the bags of a round: of each class as many as there are of the rarest."""
        labels = np.array([bag.label for bag in self._bags])
        classes, counts = np.unique(labels, return_counts=True)
        drawing = self._drawing(_BAGS, number)
        of_classes = [np.flatnonzero(labels == one) for one in classes]
        drawn = [drawing.permutation(places)[: counts.min()] for places in of_classes]
        return sorted(np.concatenate(drawn).tolist())

    def _looked_at(self, place: int, number: int) -> Numbers:
        tiles, rule = self._tiles[place], self._rule
        if not number:
            return tiles[:0]
        remembered = self._remembered(place)
        if not len(remembered) or (number - 1) % rule.full_every == 0:
            return tiles
        n = max(rule.k(number), round(rule.share * len(tiles)))
        return np.union1d(remembered, self._drawn(place, n, number)).astype(np.int32)

    def _take(self, number: int, scored: Mapping[int, tuple[Numbers, Told]]) -> list[Some]:
        k = self._n_compared = self._rule.k(number)
        if not number:
            return [(place, self._drawn(place, k, number)) for place in scored]
        for place, (tiles, told) in scored.items():
            self._remember(place, self._ranked(place, tiles, told))
        return [(place, self._remembered(place)[:k]) for place in scored]


class DrawnTiles(TileChoice):
    """The best of the tiles at hand are kept, and others drawn beside them (IDaRS).

    Only ``n_kept + n_fresh`` tiles of a slide are looked at in a round, so that a round costs the
    same however large slides are.
    """

    def __init__(
        self, bags: Sequence[Bag], n_kept: int, n_fresh: int, ranking: Ranking, seed: int
    ) -> None:
        super().__init__(bags, ranking, n_kept + n_fresh, seed)
        self._n_kept, self._n_fresh = n_kept, n_fresh
        self._n_compared = n_kept

    def n_chosen(self, number: int) -> int:
        n = self._n_kept + self._n_fresh
        return sum(min(n, len(tiles)) for tiles in self._tiles)

    def to_score(self, number: int) -> list[Some]:
        return [(place, self._remembered(place)) for place in range(len(self._bags))]

    def _take(self, number: int, scored: Mapping[int, tuple[Numbers, Told]]) -> list[Some]:
        for place, (tiles, told) in scored.items():
            kept = self._ranked(place, tiles, told)[: self._n_kept]
            n_drawn = self._n_kept + self._n_fresh - len(kept)
            drawn = self._drawn(place, n_drawn, number, without=kept)
            self._remember(place, np.concatenate([kept, drawn]))
        return [(place, self._remembered(place)) for place in scored]


def _candidates(bag: Bag) -> Numbers:
    """Return the tiles that may show what a slide's label says: all but those said not to."""
    tiles: Numbers = np.arange(bag.n_tiles, dtype=np.int32)
    if bag.answers is None:
        return tiles
    left = tiles[bag.answers != 0]
    return left if len(left) else tiles

"""Which patches are read for a step of training: the same ones for the same seed, whoever asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.datasets.anchors import AnchorMap, Anchors, spread
from pathoview.datasets.labels import UNKNOWN, TrainingData
from pathoview.datasets.patches import PatchReader, Place, inside
from pathoview.datasets.weights import class_weights
from pathoview.slides.tissue import tissue_mask

_MOST_TRIES = 64
_MOST_TISSUE = 20_000
"""Places on tissue without labels that are kept of an image."""
_JITTERS = np.stack(np.meshgrid(*2 * [np.linspace(0.1, 0.9, 5)]), axis=-1).reshape(-1, 2)
"""Where in a patch an anchor may lie, (25, 2), as shares of its side."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Placing:
    """How patches lie in one image: within it where they fit, and clear of what is held back."""

    def __init__(
        self, reader: PatchReader, image: int, held_back_l0: tuple[Rect, ...], margin_um: float
    ) -> None:
        """``margin_um``: patches keep at least so far away from what is held back."""
        grid = reader.grids[image]
        self._side = reader.patch_px
        self._scale = grid.scale_l0
        self._room = np.array([grid.width, grid.height]) - self._side
        margin = margin_um / grid.mpp
        grown = (rect.scaled(1 / grid.scale_l0).expanded(margin) for rect in held_back_l0)
        boxes = [(one.x, one.y, one.right, one.bottom) for one in grown]
        self._held_back = np.array(boxes, np.float64).reshape(-1, 4)

    def corners(self, xy_l0: Floats, jitter: Floats) -> Ints:
        """Return left top corners, px of the grid, of patches with a place at ``jitter`` in them.

        ``jitter``: 0–1, as a share of the patch. An image smaller than the patch
        comes to lie in its middle.
        """
        corners = np.floor(xy_l0 / self._scale - jitter * self._side).astype(np.int64)
        within = np.clip(corners, 0, np.maximum(self._room, 0))
        return np.where(self._room < 0, self._room // 2, within)

    def is_free(self, corners: Ints) -> npt.NDArray[np.bool_]:
        """Say which patches, corners (…, 2), touch nothing that is held back."""
        low, high = corners[..., None, :], corners[..., None, :] + self._side
        boxes = self._held_back
        touches = ((low < boxes[:, 2:]) & (high > boxes[:, :2])).all(axis=-1)
        return np.asarray(~touches.any(axis=-1))

    def can_be_reached(self, xy_l0: Floats) -> npt.NDArray[np.bool_]:
        """Say which places, (n, 2), lie in a patch that is free."""
        if not len(self._held_back):
            return np.ones(len(xy_l0), np.bool_)
        return np.asarray(self.is_free(self.corners(xy_l0[:, None], _JITTERS)).any(axis=1))


@dataclass(frozen=True, slots=True)
class _Source:
    image: int
    xy_l0: Floats


class PatchSampler:
    """Draws patches of the images to train on; `place` is a function of its arguments only.

    Patches lie around labels, which may be anywhere in them. Classes are drawn by the weights of
    `weights.class_weights`, then an image that has the class, then a place of it. None touches what
    is held back, and each has something in it that is known, unless it is drawn from tissue without
    labels. Thread-safe.
    """

    def __init__(
        self,
        data: TrainingData,
        anchors: AnchorMap,
        *,
        seed: int = 0,
        margin_um: float = 0.0,
        unlabelled_share: float = 0.0,
    ) -> None:
        """``data``: the images of the anchors' reader, in that order.

        ``unlabelled_share``: share of patches that are drawn from tissue without labels. Raises
        `UsageError` when no patch with labels can be had.
        """
        self._reader, self._target = anchors.reader, anchors.target
        self._seed, self._unlabelled_share = seed, unlabelled_share
        self._placings: dict[int, Placing] = {}
        self._sources: dict[int, list[_Source]] = {}
        counts: Counter[int] = Counter()
        for number, image in enumerate(data.images):
            if image.split != "train":
                continue
            held_back = data.held_back_l0.get(image.name, ())
            placing = Placing(self._reader, number, held_back, margin_um)
            self._placings[number] = placing
            found = anchors.of(number)
            counts.update(self._take(number, found.take(placing.can_be_reached(found.xy_l0))))
        self.counts: Mapping[int, float] = dict(sorted(counts.items()))
        """What can be learned from, by value: px at the reader's resolution, or points."""
        require_values(self.counts, 1)
        self._values = np.array(list(self.counts))
        n = np.array(list(self.counts.values()))
        shares = n * class_weights(n)
        self._shares = shares / shares.sum()
        self._tissue = self._without_labels() if unlabelled_share else []

    def place(self, step: int, slot: int, values: Sequence[int] = ()) -> Place:
        """Return where the patch of a step and its place in the batch lies.

        ``values``: it lies around labels of one of these, of which there are some in `counts`;
        empty: of any.
        """
        rng = np.random.default_rng([self._seed, step, slot])
        if rng.random() < self._unlabelled_share:
            place = self._unlabelled(rng)
            if place is not None:
                return place
        return self._labelled(rng, values)

    def _take(self, image: int, anchors: Anchors) -> Mapping[int, float]:
        for value in anchors.counts:
            xy_l0 = anchors.xy_l0[anchors.values == value]
            self._sources.setdefault(value, []).append(_Source(image, xy_l0))
        return anchors.counts

    def _labelled(self, rng: np.random.Generator, values: Sequence[int]) -> Place:
        shares = self._shares
        if values:
            shares = shares * np.isin(self._values, values)
            shares = shares / shares.sum()
        for _try in range(_MOST_TRIES):
            value = int(rng.choice(self._values, p=shares))
            place = self._around(rng, self._sources[value])
            if place is not None and self._is_known(place):
                return place
        raise UsageError(
            _("No patch with labels in it can be found."),
            _("Draw larger areas, or more of them."),
        )

    def _unlabelled(self, rng: np.random.Generator) -> Place | None:
        for _try in range(_MOST_TRIES if self._tissue else 0):
            place = self._around(rng, self._tissue)
            if place is not None and not self._is_known(place):
                return Place(place.image, place.x, place.y, is_labelled=False)
        return None

    def _around(self, rng: np.random.Generator, sources: list[_Source]) -> Place | None:
        """Return a free patch around a place of one of the sources, if there is one."""
        source = sources[rng.integers(len(sources))]
        xy_l0 = source.xy_l0[rng.integers(len(source.xy_l0))]
        placing = self._placings[source.image]
        jitters = np.concatenate([rng.random((1, 2)), rng.permutation(_JITTERS)])
        corners = placing.corners(xy_l0[None], jitters)
        free = np.flatnonzero(placing.is_free(corners))
        if not len(free):
            return None
        x, y = corners[free[0]].tolist()
        return Place(source.image, x, y)

    def _is_known(self, place: Place) -> bool:
        if self._target in ("points", "objects"):
            return bool(len(self._reader.points(place)[0]))
        if self._target == "classes":
            return bool((self._reader.mask(place) != UNKNOWN).any())
        return bool(self._reader.instances(place).is_known.any())

    def _without_labels(self) -> list[_Source]:
        """Return places on tissue that a patch can be laid around."""
        sources = []
        for image, placing in self._placings.items():
            tissue = tissue_mask(self._reader.images[image].slide)
            cells = np.flatnonzero(tissue.mask)
            cells = cells[spread(len(cells), min(len(cells), _MOST_TISSUE))]
            rows, columns = np.divmod(cells, tissue.mask.shape[1])
            xy_l0 = (np.stack([columns, rows], axis=1) + 0.5) * tissue.downsample
            xy_l0 = xy_l0[placing.can_be_reached(xy_l0)]
            if len(xy_l0):
                sources.append(_Source(image, xy_l0))
        return sources


def require_values(counts: Mapping[int, float], least: int) -> None:
    """Raise `UsageError` when fewer classes are labelled, background being one, than needed."""
    if not counts:
        raise UsageError(
            _("There are no labels to learn from."),
            _("Draw annotations of a class, or mark a region as fully labelled."),
        )
    if len(counts) < least:
        raise UsageError(
            _("Only one class is labelled, and at least {n} are needed.").format(n=least),
            _(
                "Label another class too, or mark a region as fully labelled: "
                "the rest of it is background."
            ),
        )


def validation_places(data: TrainingData, anchors: AnchorMap, most: int = 64) -> list[Place]:
    """Return patches to measure on, side by side, always the same: images and blocks held back.

    Every class is in them where it can be; of more than ``most`` some are chosen, evenly spread.
    """
    found: list[tuple[Place, frozenset[int]]] = []
    for number, image in enumerate(data.images):
        if image.split == "val":
            found += _tiled(anchors, number, None)
        elif image.split == "train":
            for rect in data.held_back_l0.get(image.name, ()):
                found += _tiled(anchors, number, rect)
    return _chosen(found, most)


def _tiled(
    anchors: AnchorMap, image: int, within_l0: Rect | None
) -> list[tuple[Place, frozenset[int]]]:
    """Return the patches side by side that hold anchors, with the values of these."""
    reader = anchors.reader
    grid, side = reader.grids[image], reader.patch_px
    whole = Rect(0, 0, grid.width, grid.height).scaled(grid.scale_l0)
    area = whole if within_l0 is None else whole.intersection(within_l0)
    left, top = int(area.x / grid.scale_l0), int(area.y / grid.scale_l0)
    found = anchors.of(image)
    xy = np.floor((found.xy_l0 / grid.scale_l0 - (left, top)) / side).astype(np.int64)
    values: dict[tuple[int, int], set[int]] = {}
    cells = zip(xy.tolist(), found.values.tolist(), inside(area, found.xy_l0).tolist(), strict=True)
    for (column, row), value, is_there in cells:
        if is_there:
            values.setdefault((row, column), set()).add(value)
    return [
        (
            Place(image, left + column * side, top + row * side, within_l0),
            frozenset(values[row, column]),
        )
        for row, column in sorted(values)
    ]


def _chosen(found: list[tuple[Place, frozenset[int]]], most: int) -> list[Place]:
    if len(found) <= most:
        return [place for place, _values in found]
    kinds = sorted({value for _place, values in found for value in values})
    taken: set[int] = set()
    for value in kinds:
        having = [number for number, (_place, values) in enumerate(found) if value in values]
        taken.update(_evenly(having, max(1, most // len(kinds))))
    rest = [number for number in range(len(found)) if number not in taken]
    taken.update(_evenly(rest, max(0, most - len(taken))))
    return [found[number][0] for number in sorted(taken)[:most]]


def _evenly(numbers: list[int], n: int) -> list[int]:
    n = min(n, len(numbers))
    return [numbers[int((place + 0.5) * len(numbers) / n)] for place in range(n)]

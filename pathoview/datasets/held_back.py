"""What is kept from training to measure it on: patients, else slides, else blocks of a slide."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pathoview.core.geometry import Rect
from pathoview.core.translation import _, ngettext
from pathoview.datasets.anchors import AnchorMap, Anchors, spread
from pathoview.datasets.labels import LabelledImage, TrainingData
from pathoview.datasets.patches import inside
from pathoview.datasets.sampling import Placing

SHARE = 0.2
LEAST_LABELS = 10
"""With fewer labels all of them are needed to learn from."""
_MOST_TRIES = 200
_LEAST_TRAINING = 0.4
"""Share of what is known of each class that must be left to learn from."""
_GRIDS = (2, 3, 4)
_MOST_JUDGED = 1_000
"""Places of a class by which blocks are compared."""

Counts = Mapping[int, float]
Score = tuple[int, int, float]
"""Classes that cannot be learned any more, classes that cannot be measured, how far the share is
from the wanted one: less is better."""


def hold_back(
    data: TrainingData, anchors: AnchorMap, *, seed: int = 0, margin_um: float = 0.0
) -> tuple[TrainingData, str]:
    """Hold back about a fifth of what is labelled; return the data, and a sentence about it.

    Whole patients where there are two or more; else whole slides; else blocks of the slides, from
    which patches to train on keep ``margin_um`` away. Every class is on both sides where that can
    be; nothing is held back where a class could not be learned any more, or there are fewer than 10
    labels, and nothing more where images are meant to measure on already. The data's images are
    those of the anchors' reader, in that order.
    """
    if data.of("val"):
        n = len(data.of("val"))
        return data, ngettext(
            "Measured on {n} image kept for it.", "Measured on {n} images kept for it.", n
        ).format(n=n)
    if data.n_labels < LEAST_LABELS:
        return data, _("There are too few labels to hold any back, so nothing is measured.")
    labelled = {
        number: anchors.of(number).counts
        for number, image in enumerate(data.images)
        if image.split == "train" and anchors.of(number).counts
    }
    for parts, sentence in _levels(data, labelled):
        chosen = _choose([_sum(labelled[one] for one in part) for part in parts], seed)
        if chosen:
            kept = {number for one in chosen for number in parts[one]}
            return _with_images(data, kept), sentence.format(n=len(chosen), all=len(parts))
    return _with_blocks(data, anchors, labelled, margin_um)


def _levels(
    data: TrainingData, labelled: Mapping[int, Counts]
) -> list[tuple[list[list[int]], str]]:
    """Return the ways to part images, best first: numbers of images, and what is said then."""
    images = data.images
    patients = _parted(labelled, lambda image: image.group or image.name, images)
    slides = _parted(labelled, lambda image: image.name, images)
    return [
        (patients, _("Measured on {n} of {all} patients or slides, which are not learned from.")),
        (
            slides,
            _("Measured on {n} of {all} slides; others of the same patient are learned from."),
        ),
    ]


def _parted(
    numbers: Iterable[int], key: Callable[[LabelledImage], str], images: Sequence[LabelledImage]
) -> list[list[int]]:
    parts: dict[str, list[int]] = {}
    for number in numbers:
        parts.setdefault(key(images[number]), []).append(number)
    return list(parts.values())


def _choose(parts: Sequence[Counts], seed: int) -> tuple[int, ...]:
    """Return which parts to hold back; none where no choice leaves all classes to be learned."""
    if len(parts) < 2:
        return ()
    n = max(1, round(SHARE * len(parts)))
    rng = np.random.default_rng(seed)
    if math.comb(len(parts), n) <= _MOST_TRIES:
        choices = list(itertools.combinations(range(len(parts)), n))
        choices = [choices[place] for place in rng.permutation(len(choices))]
    else:
        choices = [tuple(rng.permutation(len(parts))[:n].tolist()) for _try in range(_MOST_TRIES)]
    whole = _sum(parts)

    def score(choice: tuple[int, ...]) -> Score:
        held = _sum(parts[one] for one in choice)
        left = _sum(part for number, part in enumerate(parts) if number not in choice)
        return _score(whole, left, held, least=0.0)

    best = min(choices, key=score)
    return best if score(best)[0] == 0 else ()


def _score(whole: Counts, left: Counts, held: Counts, least: float) -> Score:
    """``least``: share of a class that must be left to learn from, above which it is not lost."""
    n_lost = sum(left.get(value, 0) <= least * n for value, n in whole.items())
    n_unmeasured = sum(not held.get(value) for value in whole)
    shares = [held.get(value, 0) / n for value, n in whole.items()]
    return n_lost, n_unmeasured, abs(sum(shares) / len(shares) - SHARE)


def _sum(parts: Iterable[Counts]) -> Counts:
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    return total


def _with_images(data: TrainingData, kept: set[int]) -> TrainingData:
    images = [
        replace(image, split="val") if number in kept else image
        for number, image in enumerate(data.images)
    ]
    return replace(data, images=images)


# -- blocks ----------------------------------------------------------------------------------------


def _with_blocks(
    data: TrainingData, anchors: AnchorMap, labelled: Mapping[int, Counts], margin_um: float
) -> tuple[TrainingData, str]:
    blocks = dict(data.held_back_l0)
    n_blocks = 0
    for number in labelled:
        found = _blocks(anchors, number, margin_um)
        if found:
            name = data.images[number].name
            blocks[name] = (*blocks.get(name, ()), *found)
            n_blocks += len(found)
    if not n_blocks:
        return data, _("The labels lie too close together to hold any back: nothing is measured.")
    text = ngettext(
        "Measured on {n} block of a slide that is learned from.",
        "Measured on {n} blocks of slides that are learned from.",
        n_blocks,
    )
    return replace(data, held_back_l0=blocks), text.format(n=n_blocks)


def _blocks(anchors: AnchorMap, image: int, margin_um: float) -> tuple[Rect, ...]:
    """Return the blocks of an image to hold back: the best one, then more for missing classes."""
    found = _thinned(anchors.of(image))

    def score(blocks: tuple[Rect, ...]) -> Score:
        is_held = np.any([inside(block, found.xy_l0) for block in blocks], axis=0)
        placing = Placing(anchors.reader, image, blocks, margin_um)
        left = found.take(placing.can_be_reached(found.xy_l0) & ~is_held)
        return _score(found.counts, left.counts, found.take(is_held).counts, _LEAST_TRAINING)

    info = anchors.reader.images[image].slide.info
    candidates = _candidates(found, Rect(0, 0, info.width, info.height))
    best: tuple[Rect, ...] = ()
    for _round in range(len(found.counts)):
        options = [(*best, one) for one in candidates if not any(map(one.intersects, best))]
        scored = [(score(option), option) for option in options]
        allowed = [one for one in scored if one[0][0] == 0]
        if not allowed:
            break
        next_score, option = min(allowed, key=lambda one: one[0])
        if best and next_score >= score(best):
            break
        best = option
    return best


def _thinned(found: Anchors) -> Anchors:
    """Return as many places as are enough to judge a block by."""
    is_taken = np.zeros(len(found.values), np.bool_)
    for value in found.counts:
        places = np.flatnonzero(found.values == value)
        is_taken[places[spread(len(places), min(len(places), _MOST_JUDGED))]] = True
    return found.take(is_taken)


def _candidates(found: Anchors, whole: Rect) -> list[Rect]:
    """Return strips along the edges with a fifth of what is known, and cells of coarse grids."""
    (left, top), (right, bottom) = found.xy_l0.min(axis=0), found.xy_l0.max(axis=0) + 1
    low, high = np.quantile(found.xy_l0, [SHARE, 1 - SHARE], axis=0)
    strips = [
        Rect.from_corners(0, 0, float(low[0]), whole.height),
        Rect.from_corners(float(high[0]), 0, whole.right, whole.height),
        Rect.from_corners(0, 0, whole.width, float(low[1])),
        Rect.from_corners(0, float(high[1]), whole.width, whole.bottom),
    ]
    cells = [
        Rect.from_corners(*map(float, (x0, y0, x1, y1)))
        for n in _GRIDS
        for x0, x1 in itertools.pairwise(np.linspace(left, right, n + 1))
        for y0, y1 in itertools.pairwise(np.linspace(top, bottom, n + 1))
    ]
    return [rect for rect in strips + cells if not rect.is_empty]

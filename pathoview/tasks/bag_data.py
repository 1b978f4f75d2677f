"""Slides with a label each → bags of described tiles, to learn from or to be measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from pathoview.core.errors import InputError, MissingScaleError, SlideError, StainError, UsageError
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import (
    UNSAID,
    Answers,
    Bag,
    BagData,
    EncoderUsed,
    KeptFeatures,
    TileGrid,
    TilePixels,
)
from pathoview.slides.slide import Slide
from pathoview.study.tile_verdicts import TileVerdict
from pathoview.tasks import features
from pathoview.tasks.bag_labels import BagSource, SaidOfSlide, said_of_slides
from pathoview.tasks.bag_pixels import SlidePool
from pathoview.tasks.features import FeatureOrder
from pathoview.tasks.opening import of_known_scale, open_known, open_series
from pathoview.tasks.training_data import LeftOut

_WORTH: Mapping[str, int] = {"agree": 1, "disagree": 0}
"""What an answer says of whether a tile shows what the slide's label says."""

Described = tuple[KeptFeatures, TileGrid, EncoderUsed]


@dataclass(slots=True)
class PreparedBags:
    """Bags to learn from."""

    data: BagData
    sites: tuple[str, ...]
    """Where each bag is from; empty: nobody says."""
    left_out: list[LeftOut] = field(default_factory=list)
    study_id: str = ""
    pool: SlidePool | None = None
    """What reads their pixels, to be closed in the end."""


def open_bag_data(
    source: BagSource,
    order: FeatureOrder,
    progress: Progress,
    *,
    weights: str = "",
    with_pixels: bool = False,
) -> PreparedBags:
    """Return the bags of all slides with a label; features that are missing are computed.

    ``weights``: the hash that the encoder's weights must have; empty: any. Slides that cannot be
    opened, have no tissue, or colours that cannot be made alike, are left out, with the reason.

    Raises as `bag_labels.said_of_slides` does; `UsageError` for clips with a scale, slides without,
    or clips where whole pictures are wanted; `InputError` when nothing is left or the weights are
    others, `MissingScaleError` when nothing is left as no slide has a scale; `StorageError`,
    `Cancelled`.
    """
    if order.of_whole and source.items != "slides":
        raise UsageError(
            _("Whole pictures are wanted, each by itself, not clips or folders of pictures."),
            _("Leave --clips and --bags out, or choose another method."),
        )
    if not order.of_whole and (source.items == "clips") != (not order.mpp):
        raise UsageError(
            _("Frames of clips have no µm per px, and tiles of slides or pictures have one."),
            _("Leave the scale out for clips, and only for them."),
        )
    said = said_of_slides(source)
    values = {one.name: place for place, one in enumerate(said.classes)}
    pool = SlidePool(order) if with_pixels else None
    describe = partial(described, order=order, weights=weights)
    gathered = _Gathering(source, describe, values, pool, needs_scale=not order.of_whole)
    gathered.left_out += said.left_out
    for number, one in enumerate(said.slides):
        progress.check()
        part = PartOf(progress, number / len(said.slides), (number + 1) / len(said.slides))
        part.report(0.0, one.name)
        gathered.add(one, part)
    data = BagData(gathered.bags, said.classes, gathered.used(), source.ordering)
    return PreparedBags(data, tuple(gathered.sites), gathered.left_out, said.study_id, pool)


def check_labels(data: BagData) -> None:
    """Raise `InputError` unless there are slides of at least two classes, and of every one."""
    counts = data.counts()
    if data.ordering == "labels":
        _check_several(data)
    empty = [name for name, n in counts.items() if not n]
    if empty:
        raise InputError(
            _("No slide that can be used has the label “{name}”.").format(name=empty[0]),
            _("Label some, or name other classes."),
        )
    if len(counts) < 2 and data.ordering != "labels":
        raise InputError(
            _("All slides have the label “{name}”: there is nothing to tell apart.").format(
                name=next(iter(counts))
            ),
            _("Label slides that are something else as well."),
        )


def _check_several(data: BagData) -> None:
    """Raise `InputError` when a label parts nothing: all have it."""
    n = data.n_labels
    for name, n_with in data.counts().items():
        if n_with == n:
            raise InputError(
                _("All have the label “{name}”: there is nothing to tell apart.").format(name=name),
                _("Add some without it, or leave it out."),
            )


def described(slide: Slide, progress: Progress, order: FeatureOrder, weights: str) -> Described:
    """Return the tiles of a slide as an encoder describes them."""
    return features.kept_bag(features.extract(slide, order, progress, weights=weights))


class _Gathering:
    """Bags, slide by slide."""

    def __init__(
        self,
        source: BagSource,
        describe: Callable[[Slide, Progress], Described],
        values: Mapping[str, int],
        pool: SlidePool | None,
        *,
        needs_scale: bool,
    ) -> None:
        self._source, self._describe, self._values = source, describe, values
        self._pool = pool
        self._needs_scale = needs_scale
        self.bags: list[Bag] = []
        self.sites: list[str] = []
        self.left_out: list[LeftOut] = []
        self._names: dict[str, str] = {}
        self._encoder: EncoderUsed | None = None
        self._without_scale: MissingScaleError | None = None

    def add(self, said: SaidOfSlide, progress: Progress) -> None:
        try:
            with self._opened(said) as slide:
                key = slide.content_hash
                if key in self._names:
                    reason = _("It is the same slide as “{name}”.").format(name=self._names[key])
                    raise SlideError(reason)
                self._names[key] = said.name
                tiles, grid, self._encoder = self._describe(slide, progress)
        except (SlideError, StainError) as error:
            if isinstance(error, MissingScaleError):
                self._without_scale = error
            self.left_out.append(LeftOut(said.name, str(error)))
            return
        if not len(tiles):
            self.left_out.append(LeftOut(said.name, _("No tissue was found in it.")))
            return
        self.sites.append(said.site)
        self.bags.append(
            Bag(
                said.name,
                key,
                tiles,
                grid,
                group=said.group,
                split=said.split,
                licence=self._source.licence,
                pixels=self._pixels(said, key, grid),
                **self._said(said, grid),
            )
        )

    def _pixels(self, said: SaidOfSlide, key: str, grid: TileGrid) -> TilePixels | None:
        if self._pool is None:
            return None
        return self._pool.pixels(key, partial(self._opened, said), grid)

    def _said(self, said: SaidOfSlide, grid: TileGrid) -> dict[str, Any]:
        """Return the label of a bag, or its labels, and what people said of its tiles."""
        if self._source.several:
            return {"labels": tuple(int(name in said.labels) for name in self._values)}
        (label,) = said.labels
        return {"label": self._values[label], "answers": _answers(said.verdicts, grid, label)}

    def _opened(self, said: SaidOfSlide) -> Slide:
        """Open a slide, with its scale where that matters; raise `SlideError`."""
        if self._source.items != "slides":
            return open_series(said.path, self._source.mpp, is_clip=self._source.items == "clips")
        slide = open_known(said.record, said.path, self._source.mpp)
        return of_known_scale(slide) if self._needs_scale else slide

    def used(self) -> EncoderUsed:
        """Return the encoder; raise when there is no bag."""
        if self.bags and self._encoder is not None:
            return self._encoder
        if self._without_scale is not None:
            raise self._without_scale
        reasons = list(dict.fromkeys(one.reason for one in self.left_out))
        raise InputError(
            _("No slide with a label can be used."),
            _("What there is was left out: {reasons}").format(reasons=" ".join(reasons[:3])),
        )


def _answers(verdicts: Sequence[TileVerdict], grid: TileGrid, label: str) -> Answers | None:
    """Return what people said of tiles, whether they show the label; None: they said nothing.

    Where people contradict each other, nothing counts as said.
    """
    places = {place: tile for tile, place in enumerate(zip(grid.columns, grid.rows, strict=True))}
    said: dict[int, set[int]] = {}
    for one in verdicts:
        x, y = one.center_l0
        tile = places.get(grid.cell_l0.at(x, y))
        if tile is not None and one.class_name == label and one.answer in _WORTH:
            said.setdefault(tile, set()).add(_WORTH[one.answer])
    if not said:
        return None
    answers = np.full(len(grid), UNSAID, np.int8)
    for tile, worth in said.items():
        if len(worth) == 1:
            answers[tile] = worth.pop()
    return answers

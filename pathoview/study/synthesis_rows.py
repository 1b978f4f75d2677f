"""A pseudo-healthy picture and its pathology in a run's file: tiles as those of maps, at all sizes.

The picture is kept as it was made, without loss. What each pixel differs by from the slide is kept
too, so that it is averaged like everything else: from afar, the difference of two means would hide
what is lighter here and darker there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import StorageError
from pathoview.study.raster_rows import FULL, MapRows, Planes

PATHOLOGY, RED, GREEN, BLUE, DIFFERENCE, BRIGHTNESS = range(6)
"""The planes: probability as `FULL`; colours; mean of |slide - picture| over the colours, grey
levels; slide - picture of the brightness, halved, from `LEVEL` on. The last is never 0 where
something was analysed."""
N_PLANES = 6
LEVEL = 128
LIKELY = 0.5
"""From this probability on, a pixel counts as pathology where nobody says otherwise."""
_VALUES = 256


def synthesis_planes(
    slide: npt.NDArray[np.uint8],
    picture: npt.NDArray[np.uint8],
    pathology: npt.NDArray[np.float32],
) -> Planes:
    """Return the planes of a part of a slide; pictures are (height, width, 3), the last is 0–1."""
    found = np.rint(np.clip(pathology, 0, 1) * FULL).astype(np.uint8)
    apart = cv2.absdiff(slide, picture).mean(axis=2)
    grey, made = (
        cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.int16) for one in (slide, picture)
    )
    brightness = np.clip(LEVEL + np.rint((grey - made) / 2), 1, 255)
    colors = np.moveaxis(picture, 2, 0)
    return np.stack([found, *colors, np.rint(apart), brightness]).astype(np.uint8)


def _brightness(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.int16)


def pathology_of(planes: Planes) -> npt.NDArray[np.float32]:
    """Return the probability of pathology, 0–1; NaN where nothing was analysed."""
    return _known(planes, planes[PATHOLOGY].astype(np.float32) / FULL)


def difference_of(planes: Planes) -> npt.NDArray[np.float32]:
    """Return how far the slide is from its picture, grey levels; NaN where nothing was analysed."""
    return _known(planes, planes[DIFFERENCE].astype(np.float32))


def brightness_of(planes: Planes) -> npt.NDArray[np.float32]:
    """Return by how much the slide is brighter (below 0: darker), grey levels, in steps of 2."""
    return _known(planes, (planes[BRIGHTNESS].astype(np.float32) - LEVEL) * 2)


def _known(planes: Planes, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    values[planes[BRIGHTNESS] == 0] = np.nan
    return values


@dataclass(frozen=True, slots=True)
class SynthesisCounts:
    """What pixels of a run add up to: px by their values, from which all figures are made."""

    pathology: npt.NDArray[np.int64]
    """(256,) px by probability, as `FULL`."""
    inside: npt.NDArray[np.int64]
    """(256,) px that are likely pathology, by their difference."""
    outside: npt.NDArray[np.int64]
    """(256,) all others, by their difference."""

    @classmethod
    def of(cls, planes: Planes, chosen: npt.NDArray[np.bool_] | None = None) -> Self:
        """Count the px that were analysed; ``chosen``: (height, width), only of these."""
        is_known = planes[BRIGHTNESS] > 0
        if chosen is not None:
            is_known &= chosen
        pathology, apart = planes[PATHOLOGY][is_known], planes[DIFFERENCE][is_known]
        is_likely = pathology >= LIKELY * FULL
        parts = pathology, apart[is_likely], apart[~is_likely]
        return cls(*(np.bincount(part, minlength=_VALUES).astype(np.int64) for part in parts))

    @classmethod
    def none(cls) -> Self:
        return cls(*np.zeros((3, _VALUES), np.int64))

    def __add__(self, other: SynthesisCounts) -> SynthesisCounts:
        return SynthesisCounts(
            self.pathology + other.pathology,
            self.inside + other.inside,
            self.outside + other.outside,
        )

    @property
    def n_px(self) -> int:
        return int(self.pathology.sum())

    def n_pathology(self, threshold: float = LIKELY) -> int:
        """Return how many px have at least a probability."""
        return int(self.pathology[np.arange(_VALUES) >= threshold * FULL].sum())

    def n_different(self, threshold: float) -> int:
        """Return how many px differ by at least so many grey levels."""
        return int((self.inside + self.outside)[np.arange(_VALUES) >= threshold].sum())

    @property
    def mean_difference(self) -> float:
        """Mean difference, grey levels; NaN where nothing was analysed."""
        return _mean(self.inside + self.outside)

    @property
    def mean_inside(self) -> float:
        """The same of likely pathology."""
        return _mean(self.inside)

    @property
    def mean_outside(self) -> float:
        """The same of everything else, which should have stayed as it is."""
        return _mean(self.outside)


def _mean(counts: npt.NDArray[np.int64]) -> float:
    n = counts.sum()
    return float(counts @ np.arange(_VALUES) / n) if n else float("nan")


class SynthesisRows(MapRows):
    """The tables of one run. Any thread may read; a stored tile is a finished one."""

    def __init__(
        self,
        tile_px: int,
        rows: Callable[..., list[tuple[Any, ...]]],
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
        damaged: Callable[[], StorageError],
    ) -> None:
        super().__init__(tile_px, N_PLANES, rows, writing, damaged)

    def _counted(self, planes: Planes) -> npt.NDArray[np.int64]:
        counts = SynthesisCounts.of(planes)
        return np.concatenate([counts.pathology, counts.inside, counts.outside])

    def counts(self) -> SynthesisCounts:
        """Return what all stored tiles add up to."""
        return SynthesisCounts(*self._added_up(3 * _VALUES).reshape(3, _VALUES))

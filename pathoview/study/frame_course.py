"""What a run says of a clip frame by frame: what each shows, and from where to where it lasts.

How much each frame counted is told beside it (Mohammed et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.slide_prediction import SlidePrediction

_SMOOTHED = 5
"""Frames of the median that takes out single ones."""
_SHORTEST = 2
"""Frames of a finding, at least."""
_HALF = 0.5

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Segment:
    """From where to where a class is seen; both frames are in it."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FrameCourse:
    """The frames that were looked at, in their order."""

    classes: tuple[DetectionClass, ...]
    frames: npt.NDArray[np.int64]
    """(n,) numbers in the clip, the first is 0."""
    importance: Floats
    """(n, class) how much each counted for the class: 1 is an average frame. No probability."""
    evidence: Floats
    """(n, class) probability of the class in the frame."""
    segments: tuple[tuple[Segment, ...], ...]
    """Of each class."""

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def of(cls, record: RunRecord, tiles: BagTiles) -> Self | None:
        """Return the course of a run on frames; None: it was on a slide."""
        n_columns = record.picture_columns
        if n_columns is None or not len(tiles):
            return None
        frames, place = np.unique(tiles.columns // n_columns, return_inverse=True)
        size = len(frames), len(record.classes)
        # A picture of several tiles counts what they count together, and shows what one shows.
        importance, evidence = np.zeros(size, np.float32), np.zeros(size, np.float32)
        attention = tiles.class_attention
        each = tiles.attention[:, None] if attention is None else attention
        np.add.at(importance, place, np.broadcast_to(each, tiles.evidence.shape))
        np.maximum.at(evidence, place, tiles.evidence)
        importance *= len(frames)
        thresholds = _thresholds(SlidePrediction.of(record))
        columns = zip(evidence.T, importance.T, thresholds, strict=True)
        seen = [(shown >= least) & (counted > 1) for shown, counted, least in columns]
        segments = tuple(segments_of(frames, one) for one in seen)
        return cls(record.classes, frames.astype(np.int64), importance, evidence, segments)

    def peak(self, number: int) -> int:
        """Return the frame that shows a class most, of those that count more than average."""
        shown, counts = self.evidence[:, number], self.importance[:, number] > 1
        return int(self.frames[np.argmax(np.where(counts, shown, shown - 1))])


def segments_of(
    frames: npt.NDArray[np.integer], is_seen: npt.NDArray[np.bool_]
) -> tuple[Segment, ...]:
    """Return where something is seen on end, (n,) flags of frames; single frames are taken out."""
    from scipy.ndimage import median_filter  # the window begins without it

    smooth = median_filter(is_seen.astype(np.uint8), min(_SMOOTHED, len(is_seen)), mode="nearest")
    edges = np.diff(np.concatenate([[0], smooth, [0]]).astype(np.int8))
    pairs = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    return tuple(
        Segment(int(frames[first]), int(frames[end - 1]))
        for first, end in pairs
        if end - first >= _SHORTEST
    )


def _thresholds(said: SlidePrediction) -> tuple[float, ...]:
    """Return from which probability on each class counts as seen."""
    if said.thresholds:
        return said.thresholds
    second = said.threshold
    if second is not None and len(said.classes) == 2:
        return 1 - second, second
    return (_HALF,) * len(said.classes)

"""What is known of an image, whoever said it: a study's annotations, or files of labels.

Frames: all coordinates are level-0 px; a patch of labels lies over the patch of pixels that was
read at the same rectangle and has the same size. Unlabelled is unknown, never background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import Detections
from pathoview.core.geometry import Rect
from pathoview.slides.slide import Slide

BACKGROUND = 0
UNKNOWN = 255
"""The ignore value of masks of classes."""

Mask = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class TargetClass:
    """A class that is learned; its value in masks is its place in the list plus 1."""

    name: str
    color: tuple[int, int, int] = (128, 128, 128)
    number: int = 0
    """Its number in the study; 0: it comes from files."""


@dataclass(frozen=True, slots=True)
class LabelledPoints:
    """One place a nucleus: clicked points, and the middles of outlines."""

    xy_l0: npt.NDArray[np.float64]
    """(n, 2) level-0 px."""
    values: npt.NDArray[np.int16]
    """(n,) the value of each point's class; 0: none."""


@dataclass(frozen=True, slots=True)
class InstancePatch:
    """Outlined objects of a patch."""

    labels: npt.NDArray[np.int32]
    """(height, width) 0: none, else numbers that tell objects apart."""
    is_known: npt.NDArray[np.bool_]
    """(height, width) whether what is said of the pixel counts, background included."""


class Labels(Protocol):
    """What is known of one image. All methods may be called from several threads."""

    @property
    def n_labels(self) -> int:
        """How many things were labelled: points, strokes, areas, outlines."""

    def counts(self) -> Mapping[int, int]:
        """Return how many things were labelled by the value of their class; 0: none of them."""

    def fingerprint(self) -> str:
        """Return a hexadecimal hash of all that is said."""

    def mask(self, rect_l0: Rect, width: int, height: int) -> Mask:
        """Return the class of each pixel, (height, width): 0 background, 1 … n, 255 unknown."""

    def instances(self, rect_l0: Rect, width: int, height: int) -> InstancePatch:
        """Return the outlined objects of a patch."""

    def points(self) -> LabelledPoints:
        """Return one place for each nucleus that was pointed at or outlined."""

    def examples(self) -> LabelledPoints:
        """Return one place for each nucleus that has a class, also one that is not looked for.

        Values are those of the classes, 0: one that is not learned. For telling objects apart.
        """

    def no_nuclei(self, rect_l0: Rect, width: int, height: int) -> Flags:
        """Return where a label says that there is no nucleus that is looked for, (height, width).

        Only labels of classes that mean so say it; elsewhere nothing is said.
        """

    def no_nuclei_at(self) -> npt.NDArray[np.float64]:
        """Return places where `no_nuclei` says so, (n, 2) level-0 px: of large labels several."""

    def full_l0(self) -> npt.NDArray[np.float64]:
        """Return the boxes in which everything was labelled, (n, 4): left, top, right, bottom."""

    def extents_l0(self) -> npt.NDArray[np.float64]:
        """Return the boxes around all that says something, (n, 4): left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A slide or picture with what is known of it."""

    slide: Slide
    """Open, with a scale; the caller closes it."""
    labels: Labels
    name: str
    """The slide's pseudonym, or the name of a picture in a folder."""
    split: Split = "train"
    group: str = ""
    """Patient, or what else must not be in two splits."""
    licence: str = ""
    """Of the data, in words; empty: not stated."""
    objects: Detections | None = None
    """What is detected around the examples, for methods that tell objects apart; None: unknown."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that a method learns from, and what is held back to measure it."""

    images: Sequence[LabelledImage]
    classes: tuple[TargetClass, ...]
    held_back_l0: dict[str, tuple[Rect, ...]] = field(default_factory=dict)
    """By image name: blocks of training images that are kept for validation, where there are too
    few images to hold one back."""

    def of(self, split: Split) -> list[LabelledImage]:
        """Return the images of a split."""
        return [image for image in self.images if image.split == split]

    @property
    def n_labels(self) -> int:
        return sum(image.labels.n_labels for image in self.images)

    def counts(self) -> dict[str, int]:
        """Return how many things were labelled of each class that is learned."""
        counts = dict.fromkeys((one.name for one in self.classes), 0)
        for image in self.images:
            for value, n in image.labels.counts().items():
                if value:
                    counts[self.classes[value - 1].name] += n
        return counts

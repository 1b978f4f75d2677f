"""What is known of whole slides: bags of tiles, each bag with one label.

A bag is a slide (or a picture) as the tiles of tissue in it, or a clip as its frames, described by
an encoder. Of its tiles nothing is known but what a person has said of some of them; they are what
a map is made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Cell
from pathoview.datasets.labels import Split, TargetClass

Features = npt.NDArray[np.float32]
KeptFeatures = npt.NDArray[np.float16] | Features
Answers = npt.NDArray[np.int8]

UNSAID = -1
"""A bag without a label; a tile that nobody has judged."""

LEAST_TISSUE = 0.25
"""Share of a tile that is tissue, from which on the tile counts, unless told otherwise."""

Ordering = Literal["classes", "grades", "labels"]
"""What labels mean: kinds without an order, ordered grades from the first, or any number of labels
at once, each of them there or not."""


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Where the tiles of a bag lie: cells of a grid that begins at the slide's origin.

    A tile stands for its cell. What an encoder saw of it may reach further on all sides.
    """

    columns: npt.NDArray[np.int32]
    """(n,)"""
    rows: npt.NDArray[np.int32]
    """(n,)"""
    cell_l0: Cell
    """Level-0 px; squares, but for the patches of a whole picture."""

    def __len__(self) -> int:
        return len(self.columns)

    def corners_l0(self) -> npt.NDArray[np.float64]:
        """Return the top-left corners, (n, 2) x and y in level-0 px."""
        places = np.stack([self.columns, self.rows], axis=1)
        return np.multiply(places, self.cell_l0, dtype=np.float64)

    def centers_l0(self) -> npt.NDArray[np.float64]:
        """Return the middles, (n, 2) x and y in level-0 px."""
        return self.corners_l0() + np.array(self.cell_l0) / 2

    def of(self, tiles: npt.NDArray[np.bool_]) -> Self:
        """Return where some of the tiles lie."""
        return replace(self, columns=self.columns[tiles], rows=self.rows[tiles])

    def image(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Return values of tiles, (n,), as a picture of one px a tile; NaN where there is none.

        Its px (0, 0) is the tile at the slide's origin.
        """
        shape = (int(self.rows.max()) + 1, int(self.columns.max()) + 1) if len(self) else (1, 1)
        picture = np.full(shape, np.nan, np.float32)
        picture[self.rows, self.columns] = values
        return picture


class TilePixels(Protocol):
    """The tiles of a bag as they look, for methods that teach the network of tiles itself."""

    def read(self, tiles: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
        """Return (n, side, side, 3) RGB of some tiles of the bag, by their numbers.

        Raises `SlideError`. Called from several threads at once.
        """


@dataclass(frozen=True, slots=True)
class Bag:
    """One slide or picture, as its tiles."""

    name: str
    """The slide's pseudonym, or the name of a picture."""
    slide_hash: str
    features: KeptFeatures
    """(tile, feature) as the encoder gives them; a slide without tissue has none. As float16, as
    they are on the disk, those of hundreds of slides fit into memory: see `numbers`."""
    grid: TileGrid
    label: int = UNSAID
    """Place of its class in `BagData.classes`; of the ordering ``labels`` always `UNSAID`."""
    group: str = ""
    """Patient, or what else must not be in two splits; empty: the bag alone."""
    split: Split = "train"
    answers: Answers | None = None
    """(tile,) what a person said of tiles: 1 it shows what the label says, 0 it does not,
    -1 nothing; None: nobody was asked."""
    licence: str = ""
    """Of the data, in words."""
    labels: tuple[int, ...] = ()
    """(class,) of the ordering ``labels``: 1 it has it, 0 it has not; empty: without a label."""
    pixels: TilePixels | None = None
    """At the first magnification of the encoder; None: nobody asked for them."""

    @property
    def n_tiles(self) -> int:
        return len(self.features)

    def numbers(self, tiles: npt.NDArray[np.intp] | slice = slice(None)) -> Features:
        """Return the features of some tiles, or of all, to compute with."""
        return np.asarray(self.features[tiles], np.float32)

    @property
    def is_known(self) -> bool:
        return self.label != UNSAID or bool(self.labels)

    def fingerprint(self) -> str:
        """Return a hexadecimal hash of everything that is learned from it."""
        digest = hashlib.sha256(f"{self.slide_hash} {self.label} {self.split}".encode())
        digest.update(np.ascontiguousarray(self.features).tobytes())
        if self.answers is not None:
            digest.update(self.answers.tobytes())
        digest.update(bytes(self.labels))
        return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class EncoderUsed:
    """What described the tiles; equal keys give equal features of the same slide."""

    name: str
    """See `methods.engine.encoders.ENCODERS`."""
    weights: str
    """Hash of the weights."""
    n_features: int
    mpp: tuple[float, ...]
    """µm per px of each magnification, in the order of the features; the first is the grid's.
    Empty: the tiles are whole frames of a clip, each fitted to a tile, or patches of a whole
    picture, whatever its scale (`of_whole`)."""
    tile_px: int
    """Side of a tile at each of them; all have the same centre."""
    normalisation: str = "none"
    """Of the stain; see `slides.stain_normalisation`."""
    least_tissue: float = LEAST_TISSUE
    """Share of a tile that is tissue, from which on the tile counts."""
    licence: str = ""
    """Of the weights: it binds all that is made with them."""
    origin: str = ""
    """Who made the weights, from what."""
    source: str = "bundled"
    """``bundled``, ``random``, ``hub``, or the path of the file the weights came from."""
    every: int = 1
    """Of a clip: which of its frames were described, every so many from the first."""
    overlap: float = 0.0
    """Share of a tile's side that the next one sees as well."""
    of_whole: bool = False
    """The tiles are overlapping patches that are spread over a whole picture."""
    n_hand: int = 0
    """How many of the features, the last ones, are measured by rules, not by the network."""

    @property
    def is_of_frames(self) -> bool:
        """Whether tiles are frames of clips, in their order: tile (column, 0) is frame column."""
        return not self.mpp and not self.of_whole


@dataclass(frozen=True, slots=True)
class BagData:
    """All that a method for whole slides learns from."""

    bags: Sequence[Bag]
    classes: tuple[TargetClass, ...]
    """Of two, the second is the one looked for."""
    encoder: EncoderUsed
    ordering: Ordering = "classes"

    def of(self, split: Split) -> list[Bag]:
        """Return the bags of a split that have a label and at least one tile."""
        return [bag for bag in self.bags if bag.split == split and bag.is_known and bag.n_tiles]

    @property
    def n_labels(self) -> int:
        return sum(bag.is_known for bag in self.bags)

    def counts(self) -> dict[str, int]:
        """Return how many bags have each class as their label, or among their labels."""
        if self.ordering == "labels":
            of_bags = np.array([bag.labels for bag in self.bags if bag.labels], np.int64)
            sums = of_bags.reshape(-1, len(self.classes)).sum(axis=0)
            return {one.name: int(n) for one, n in zip(self.classes, sums, strict=True)}
        labels = [bag.label for bag in self.bags if bag.is_known]
        numbers = np.bincount(np.array(labels, np.int64), minlength=len(self.classes))
        return {one.name: int(n) for one, n in zip(self.classes, numbers, strict=True)}

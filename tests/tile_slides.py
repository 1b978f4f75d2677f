"""Generated slides of small tiles, of which a few in positive slides show larger, denser nuclei."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Cell
from pathoview.datasets.bags import Bag, BagData, EncoderUsed, TileGrid
from pathoview.datasets.labels import Split, TargetClass

Rgb = npt.NDArray[np.uint8]

CLASSES = (TargetClass("Benign"), TargetClass("Tumour"))
ENCODER = EncoderUsed("mobilenetv3_small_100", "w", 648, (0.5,), 32, licence="CC0", source="random")
"""Random weights: quick to build, and nothing is fetched."""
_TISSUE, _NUCLEUS = np.array((226, 186, 208)), np.array((96, 58, 132))


@dataclass(slots=True)
class ArrayPixels:
    """Tiles in memory; counts how many were read."""

    tiles: Rgb
    n_read: int = 0

    def read(self, tiles: npt.NDArray[np.integer]) -> Rgb:
        self.n_read += len(tiles)
        found: Rgb = self.tiles[tiles]
        return found


def tile(side: int, random: np.random.Generator, *, is_tumour: bool) -> Rgb:
    """Return a tile, (side, side, 3); nuclei of tumour are larger and more."""
    area = (side / 24) ** 2
    picture = np.tile(_TISSUE + random.normal(0, 6, 3), (side, side, 1))
    n = random.poisson((6 if is_tumour else 3.5) * area)
    for _number in range(n):
        radius = random.normal(3.4 if is_tumour else 2.4, 0.5)
        center = random.uniform(0, side, 2)
        axes = np.maximum(1, np.rint(radius * random.uniform(0.85, 1.2, 2))).astype(int)
        color = _NUCLEUS + random.normal(0, 14, 3)
        angle = float(random.uniform(0, 180))
        cv2.ellipse(
            picture, np.rint(center).astype(int).tolist(), axes.tolist(), angle, 0, 360,
            color.tolist(), -1,
        )  # fmt: skip
    noisy = picture + random.normal(0, 7, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def tile_slide(
    label: int,
    n_tiles: int,
    side: int,
    random: np.random.Generator,
    *,
    name: str = "slide",
    split: Split = "train",
) -> tuple[Bag, npt.NDArray[np.bool_]]:
    """Return a slide, and which of its tiles show tumour: 3–17 % of those of a positive one."""
    is_tumour = np.zeros(n_tiles, bool)
    if label:
        n = max(1, round(random.uniform(0.03, 0.17) * n_tiles))
        is_tumour[random.choice(n_tiles, n, replace=False)] = True
    tiles = np.stack([tile(side, random, is_tumour=bool(one)) for one in is_tumour])
    grid = TileGrid(
        np.arange(n_tiles, dtype=np.int32), np.zeros(n_tiles, np.int32), Cell.square(float(side))
    )
    features = random.normal(size=(n_tiles, ENCODER.n_features)).astype(np.float32)
    bag = Bag(name, name, features, grid, label, split=split, pixels=ArrayPixels(tiles))
    return bag, is_tumour


def tile_bags(n: int = 8, *, n_tiles: int = 6, n_held_back: int = 2, seed: int = 5) -> BagData:
    """Return slides with pixels, every second one positive; the last ones are of validation."""
    random = np.random.default_rng(seed)
    bags = []
    for number in range(n):
        split: Split = "val" if number >= n - n_held_back else "train"
        said = {"name": f"slide-{number}", "split": split}
        bags.append(tile_slide(number % 2, n_tiles, ENCODER.tile_px, random, **said)[0])  # type: ignore[arg-type]
    return BagData(bags, CLASSES, ENCODER)

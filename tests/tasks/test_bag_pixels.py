"""Pixels of tiles: those that were described, whichever is asked for and however often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makers import he_image, make_pyramid_tiff

from pathoview.core.errors import SlideError
from pathoview.core.geometry import Cell
from pathoview.datasets.bags import TileGrid
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.tasks import bag_pixels
from pathoview.tasks.bag_pixels import SlidePool
from pathoview.tasks.feature_tiles import Block, FeatureTiles
from pathoview.tasks.features import FeatureOrder

SIDE = 48


class Opening:
    """Opens a slide, and counts how often."""

    def __init__(self, path: Path) -> None:
        self.path, self.n_opened = path, 0
        self.last: Slide | None = None

    def __call__(self) -> Slide:
        self.n_opened += 1
        self.last = open_slide(self.path)
        return self.last


@pytest.fixture(scope="module")
def slide_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "s.tif"
    make_pyramid_tiff(path, he_image(400, 300, 3))
    return path


def pixels_of(order: FeatureOrder, path: Path, pool: SlidePool) -> Any:
    """Return all tiles of a slide as they are described, and what reads them one by one."""
    with open_slide(path) as slide:
        tiles = FeatureTiles(slide, order.mpp, order.tile_px, 0.0)
        rows, columns = np.divmod(np.arange(tiles.n_rows * tiles.n_columns), tiles.n_columns)
        normaliser = None
        if order.normalisation != "none":
            normaliser = StainNormaliser.fit(slide, order.normalisation)
        block = Block(columns, rows, np.ones(len(rows), np.float32))
        described = tiles.read(block, normaliser)[0]
        grid = TileGrid(columns.astype(np.int32), rows.astype(np.int32), tiles.cell_l0)
    opening = Opening(path)
    return described, pool.pixels(str(path), opening, grid), opening


@pytest.mark.parametrize("normalisation", ["none", "reinhard"])
@pytest.mark.parametrize("mpp", [0.5, 1.0])
def test_tiles_are_those_that_were_described(
    slide_path: Path, mpp: float, normalisation: str
) -> None:
    order = FeatureOrder.parse({"mpp": (mpp, 4.0), "tile_px": SIDE, "normalisation": normalisation})
    pool = SlidePool(order)
    described, pixels, _opening = pixels_of(order, slide_path, pool)
    some = np.array([4, 0, len(described) - 1, 4])
    np.testing.assert_array_equal(pixels.read(some), described[some])
    np.testing.assert_array_equal(pixels.read(np.arange(len(described))), described)
    assert pixels.read(some[:0]).shape == (0, SIDE, SIDE, 3)
    pool.close()


def test_what_was_read_is_not_read_again(slide_path: Path) -> None:
    order = FeatureOrder(mpp=(0.5,), tile_px=SIDE)
    pool = SlidePool(order)
    described, pixels, opening = pixels_of(order, slide_path, pool)
    some = np.arange(5)
    first = pixels.read(some)
    assert opening.last is not None
    opening.last.close()
    np.testing.assert_array_equal(pixels.read(some[::-1]), first[::-1])
    with pytest.raises(SlideError):
        pixels.read(np.array([len(described) - 1]))
    pool.close()
    assert opening.n_opened == 1


def test_few_slides_are_open_at_once_and_all_are_closed_in_the_end(
    slide_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bag_pixels, "_MOST_OPEN", 2)
    order = FeatureOrder(mpp=(0.5,), tile_px=SIDE)
    pool = SlidePool(order)
    grid = TileGrid(np.arange(6, dtype=np.int32), np.zeros(6, np.int32), Cell.square(float(SIDE)))
    openings = [Opening(slide_path) for _number in range(3)]
    every = [pool.pixels(str(number), one, grid) for number, one in enumerate(openings)]
    for tile in range(2):
        for pixels in every:
            pixels.read(np.array([tile]))
    assert [one.n_opened for one in openings] == [2, 2, 2]
    pool.close()
    for one in openings:
        assert one.last is not None
        with pytest.raises(SlideError):
            one.last.read(0, 0, 0, 8, 8)
    every[0].read(np.array([5]))
    assert openings[0].n_opened == 3
    pool.close()

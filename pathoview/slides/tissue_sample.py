"""Pixels of a slide's tissue, the same ones every time, to measure colours once a slide."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.slides.rgb import reduction, rgb_rule, shrink
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask

_TILE_PX = 256
_MPP = 0.5
_LEAST_SHARE = 0.5
_SEED = 20_090_628


def tissue_pixels(
    slide: Slide, tissue: TissueMask, n_tiles: int = 50, region_l0: Rect | None = None
) -> npt.NDArray[np.uint8]:
    """Return all pixels of randomly chosen tiles of tissue, (n, 3) RGB; (0, 3) without tissue.

    Tiles are 256 px wide at about 0.5 µm per px (at full resolution where the scale is unknown) and
    at least half tissue; where none is, those with the most of it. With ``region_l0`` only tiles
    whose middle lies in it are chosen. Raises `SlideError`.
    """
    downsample = 1.0 if slide.info.mpp is None else max(1.0, _MPP / slide.mpp)
    level, factor = reduction(slide, downsample)
    side_px = _TILE_PX * factor
    side_l0 = side_px * slide.info.levels[level].downsample
    rule = rgb_rule(slide)
    found = [
        shrink(
            rule.apply(slide.read(level, column * side_px, row * side_px, side_px, side_px)), factor
        )
        for row, column in chosen_tiles(tissue.shares(side_l0), side_l0, n_tiles, region_l0)
    ]
    return np.concatenate([np.zeros((0, 3), np.uint8), *(tile.reshape(-1, 3) for tile in found)])


def chosen_tiles(
    shares: npt.NDArray[np.float32], side_l0: float, n_tiles: int, region_l0: Rect | None = None
) -> list[tuple[int, int]]:
    """Return (row, column) of tiles of tissue to read, chosen at random, in the order of the grid.

    ``shares`` are those of tissue in tiles of a side, see `TissueMask.shares`. Tiles are at least
    half tissue; where none is, those with the most of it.
    """
    places = np.argwhere(shares > 0)
    if region_l0 is not None:
        middles = (places[:, ::-1] + 0.5) * side_l0
        is_inside = [region_l0.contains(x, y) for x, y in middles.tolist()]
        places = places[np.array(is_inside, np.bool_)] if is_inside else places
    share = shares[tuple(places.T)]
    places = places[share >= min(_LEAST_SHARE, float(share.max(initial=0.0)))]
    order = np.random.default_rng(_SEED).permutation(len(places))[:n_tiles]
    return [(int(row), int(column)) for row, column in places[np.sort(order)]]

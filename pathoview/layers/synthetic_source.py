"""Pictures that no microscope saw, such as a pseudo-healthy tissue: marked, and never measured.

The rule: what is measured, counted or learned from is read from a `Slide`, never from a layer. So
synthetic pictures, and second slides that were resampled to fit, are there to be looked at only.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.errors import InputError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Pyramid, TileKey
from pathoview.core.translation import _
from pathoview.layers.paint import opaque
from pathoview.layers.raster import COARSEST_PX, Raster
from pathoview.layers.source import Rgba, Unfinished
from pathoview.layers.warped_source import WarpedSource

BADGE = "synthetic"
"""One word in all languages: pictures are passed on, and it must be readable everywhere."""
BADGE_EVERY_PX = 256
"""From badge to badge, px of every level: about as many on the screen."""
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.6
_PADDING_PX = 4


class SyntheticSource(WarpedSource):
    """A synthetic picture on the slide, with a badge in its pixels that cannot be switched off.

    What lies inside is a `SlideSource`, or the `PictureSource` of a raster.
    """

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        tile = super().read_tile(key)
        if tile is None:
            return None
        pixels = tile.pixels if isinstance(tile, Unfinished) else tile
        self._burn(pixels, key)
        return tile

    def _burn(self, pixels: Rgba, key: TileKey) -> None:
        """Draw the badges of a tile, at the same places of the slide whichever tile shows them."""
        own_lv = self.pyramid.to_level(self._own_l0, key.level)
        burn_badges(pixels, self.pyramid.tile_lv(key), own_lv)

    @property
    def _own_l0(self) -> Rect:
        """What the picture takes of the slide."""
        whole = self.inner.pyramid
        return self.placement.rect(Rect(0, 0, whole.width_l0, whole.height_l0))


class PictureSource:
    """A raster of 8-bit colours as tiles in its own frame."""

    changed = Signal(object)
    style_version = 0

    def __init__(self, raster: Raster) -> None:
        """Raise `InputError` when the raster is no picture in colours."""
        if not raster.is_rgb:
            raise InputError(
                _("This is no picture in colours (red, green, blue of 8 bits)."),
                _("Open it as a heatmap or as labels."),
            )
        self.raster = raster
        self.pyramid = Pyramid(raster.levels, COARSEST_PX)

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        rect = self.pyramid.tile_lv(key).as_ints()
        pixels, is_whole = self.raster.read(key.level, *rect)
        return opaque(pixels) if is_whole else Unfinished(opaque(pixels))


def burn_badges(pixels: Rgba, tile_lv: Rect, own_lv: Rect, words: str = BADGE) -> None:
    """Draw the badges of a tile into it; ``own_lv`` is what the whole picture takes of the level.

    They stand at the same places of the picture whichever tile shows them.
    """
    badge = badge_pixels(words)
    height, width = badge.shape[:2]
    first_x, first_y = (
        _first(own_lv.x, own_lv.width, width),
        _first(own_lv.y, own_lv.height, height),
    )
    for y in _steps(first_y, tile_lv.y, tile_lv.bottom):
        for x in _steps(first_x, tile_lv.x, tile_lv.right):
            _stamp(pixels, badge, x - int(tile_lv.x), y - int(tile_lv.y))


@cache
def badge_pixels(words: str = BADGE) -> npt.NDArray[np.uint8]:
    """Return a badge, (height, width, 3): light letters on dark, read-only."""
    (width, height), below = cv2.getTextSize(words, _FONT, _FONT_SCALE, 1)
    size = height + below + 2 * _PADDING_PX, width + 2 * _PADDING_PX
    badge = np.full((*size, 3), (70, 0, 90), np.uint8)
    at = _PADDING_PX, _PADDING_PX + height
    cv2.putText(badge, words, at, _FONT, _FONT_SCALE, (255, 255, 255), 1, cv2.LINE_AA)
    badge.flags.writeable = False
    return badge


def _first(start: float, extent: float, badge_px: int) -> int:
    """Return where the first badge begins: amid a small picture, near the rim of a large one."""
    margin = min((BADGE_EVERY_PX - badge_px) / 2, (extent - badge_px) / 2)
    return round(start + margin)


def _steps(first: int, low: float, high: float) -> range:
    """Return the badges that reach into a stretch; none lies before the first."""
    n_before = max(0, int((low - first) // BADGE_EVERY_PX))
    return range(first + n_before * BADGE_EVERY_PX, int(high), BADGE_EVERY_PX)


def _stamp(pixels: Rgba, badge: npt.NDArray[np.uint8], x: int, y: int) -> None:
    """Lay the badge on those pixels of a tile that show something."""
    left, top = max(x, 0), max(y, 0)
    part = pixels[top : max(0, y + badge.shape[0]), left : max(0, x + badge.shape[1])]
    found = badge[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]]
    is_shown = part[..., 3] == 255
    part[is_shown, :3] = found[is_shown]

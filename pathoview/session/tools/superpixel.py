"""Paint whole superpixels: small regions whose borders follow the picture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import shapely

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.drawing.patch import Shape
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.drawing.superpixels import Superpixels, Tile, tiles_for
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.pixel_brush import Grown, PixelBrush
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import Pointer, Preview

_USUAL_MPP = 0.5
"""Taken where the scale is not known."""
_LEAST_VIEW = 8.0
"""Superpixels that would be smaller on the screen, px, are made twice as large, or more."""
_N_KEPT = 24
"""Tiles, about 2 MB each."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Which superpixels: of which tile, and how wide."""

    pixels: PatchReader
    tile: Tile
    size_l0: float


Tiles = Mapping[_Place, Superpixels]


class SuperpixelTool(PixelBrush):
    """What the pointer goes over, with the superpixels around it as a whole."""

    options = ("superpixel_um",)

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._tiles: OrderedDict[_Place, Superpixels] = OrderedDict()
        """Those used last, last."""

    @property
    def prompt(self) -> str:
        return _("Click or drag to paint superpixels; Alt takes away, [ ] size.")

    @property
    def stroke_name(self) -> str:
        return _("Superpixels")

    def cursor(self, at: Pointer) -> str:
        return "cross"

    def resize(self, factor: float) -> None:
        """Make superpixels larger or smaller."""
        size_um = self.kit.settings.superpixel_um * factor
        self.kit.set("superpixel_um", round(min(500.0, max(5.0, size_um)), 2))

    def size_l0(self, at: Pointer) -> float:
        """Return how wide superpixels are, such that they can be seen."""
        size_l0 = self.kit.settings.superpixel_um / (self.kit.mean_mpp or _USUAL_MPP)
        doublings = np.ceil(np.log2(_LEAST_VIEW / (size_l0 * at.scale)))
        return float(size_l0 * 2 ** max(0.0, doublings))

    def is_far(self, before: Pointer, at: Pointer) -> bool:
        return before.way_view(at) >= 1

    def cancel(self) -> None:
        super().cancel()
        self._tiles.clear()

    # -- painting --------------------------------------------------------------------------------

    def grow(self, before: Pointer, at: Pointer) -> None:
        stroke = [before.place_l0, at.place_l0]
        places = self._places(stroke, at)
        work = partial(_touched, places, dict(self._tiles), stroke, self._shape)
        self.backlog.work(work, partial(self._on_touched, at))

    def _places(self, stroke: Sequence[tuple[float, float]], at: Pointer) -> list[_Place]:
        """Return where the superpixels of a stroke are."""
        pixels, size_l0 = self.kit.pixels, self.size_l0(at)
        if pixels is None:
            return []
        corners = np.array(stroke)
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        rect_l0 = Rect.from_corners(left, top, right, bottom).expanded(0.01)
        tiles = tiles_for(pixels.slide.info.levels, rect_l0, size_l0, pixels.plane)
        return [_Place(pixels, tile, size_l0) for tile in tiles]

    def _on_touched(self, at: Pointer, found: tuple[Tiles, Grown]) -> None:
        tiles, shape = found
        self._keep(tiles)
        self.painted(at, shape)

    def _keep(self, tiles: Tiles) -> None:
        for place, made in tiles.items():
            self._tiles[place] = made
            self._tiles.move_to_end(place)
        while len(self._tiles) > _N_KEPT:
            self._tiles.popitem(last=False)

    # -- what is shown ---------------------------------------------------------------------------

    def look_at(self, at: Pointer) -> Preview:
        """Return what has been painted, and the superpixel under the pointer."""
        preview = replace(super().look_at(at), circle_l0=None)
        shape = self._under(at)
        if shape is None:
            return preview
        return replace(preview, outlines=(*preview.outlines, *outlines_of(shape)))

    def _under(self, at: Pointer) -> Shape | None:
        """Return the superpixel at a place; one that is not made yet is made and shown later."""
        places = self._places([at.place_l0], at)
        if not places:
            return None
        made = self._tiles.get(places[0])
        if made is not None:
            return made.at(*at.place_l0)
        if not self.backlog.is_working:
            self.backlog.work(partial(_made, places, {}), self._on_made)
        return None

    def _on_made(self, tiles: Tiles) -> None:
        self._keep(tiles)
        self.look_again()


def _made(places: Sequence[_Place], tiles: Tiles) -> Tiles:
    """Return the superpixels of some places, those that there are and others."""
    return {place: tiles.get(place) or _superpixels(place) for place in places}


def _superpixels(place: _Place) -> Superpixels:
    (key, factor), pixels = place.tile, place.pixels
    rect_lv = pixels.slide.pyramid(place.tile.size_px).tile_lv(key)
    return Superpixels(pixels.read_level(key.level, rect_lv, factor), size_l0=place.size_l0)


def _touched(
    places: Sequence[_Place],
    tiles: Tiles,
    stroke_l0: Sequence[tuple[float, float]],
    before: Grown,
) -> tuple[Tiles, Grown]:
    """Return the superpixels of a stroke's places, and what was painted with those it touches."""
    made = _made(places, tiles)
    shapes = [one.touched(stroke_l0) for one in made.values()]
    found = [one for one in (before, *shapes) if one is not None]
    return made, shapely.union_all(found) if found else None

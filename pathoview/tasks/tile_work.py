"""What is done with one tile: read it with its halo, compute, and keep what is its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import Detections
from pathoview.core.errors import RunError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.methods.outlines import outlines
from pathoview.methods.spec import Found, InstanceMethod, PixelMethod, Synthesised, SynthesisMethod
from pathoview.slides.reading import AnalysisGrid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.stains import StainMatrix
from pathoview.slides.tissue import TissueMask
from pathoview.study.raster_rows import Planes, quantised
from pathoview.study.synthesis_rows import synthesis_planes
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.tile_plan import Tile, in_tissue, tissue_of

Patch = npt.NDArray[np.uint8]


class TileWork:
    """The stages of an analysis as functions of a tile. Safe to call from several threads."""

    def __init__(
        self,
        slide: Slide,
        built: BuiltMethod,
        grid: AnalysisGrid,
        tissue: TissueMask,
        context: Mapping[str, Any],
    ) -> None:
        self._slide = slide
        self._built = built
        self._grid = grid
        self._tissue = tissue
        self._context = context
        self._halo_px = int(np.ceil(built.halo_um / grid.mpp))
        self.sight_l0 = self._halo_px * grid.scale_l0
        """How far a tile sees beyond its core, level-0 px."""

    def read(self, tile: Tile) -> Patch:
        """Return the tile with its halo, cut at the slide's edge; raise `SlideError`."""
        return read_patch(self._slide, self._grid, *self._place(tile).as_ints())

    def _place(self, tile: Tile) -> Rect:
        whole = Rect(0, 0, self._grid.width, self._grid.height)
        return tile.core.expanded(self._halo_px).intersection(whole)

    def _core(self, tile: Tile) -> tuple[slice, slice]:
        """Return which rows and columns of a tile's patch are its core."""
        place = self._place(tile)
        x, y, width, height = tile.core.moved(-place.x, -place.y).as_ints()
        return slice(y, y + height), slice(x, x + width)

    def _whole_tile(self, tile: Tile, core: Planes, tile_px: int) -> Planes:
        """Return planes of a core, (plane, height, width), in their place in a whole tile.

        (plane, tile_px, tile_px); 0 beside the core, and where there is no tissue.
        """
        out = np.zeros((len(core), tile_px, tile_px), np.uint8)
        left, top = tile.x - tile.col * tile_px, tile.y - tile.row * tile_px
        rows, columns = slice(top, top + tile.height), slice(left, left + tile.width)
        out[:, rows, columns] = core * tissue_of(self._tissue, tile, self._grid.scale_l0)
        return out


class InstanceWork(TileWork):
    """From a patch over labelled nuclei to outlines."""

    def compute(self, patch: Patch) -> Found:
        """Return the instances of a patch."""
        method: InstanceMethod = self._built.method
        return method.predict(patch, self._grid.mpp, self._context)

    def outline(self, tile: Tile, patch: Patch, found: Found) -> Detections:
        """Return the objects whose centroid lies in the tile's core and on tissue, without ids."""
        place, scale = self._place(tile), self._grid.scale_l0
        table = outlines(
            found.labels,
            patch,
            mpp=self._grid.mpp,
            scale_l0=scale,
            origin_l0=(place.x * scale, place.y * scale),
            core_lv=tile.core.moved(-place.x, -place.y),
            stains=StainMatrix.from_json(self._context["stains"]),
            confidence=found.confidence,
        )
        return table.take(in_tissue(self._tissue, table.centroids_l0()))


class PixelWork(TileWork):
    """From a patch over probabilities to the planes of its core.

    Tiles are not blended: where the halo covers all that a pixel's value depends on, both tiles
    beside a seam say the same of it.
    """

    def compute(self, patch: Patch) -> npt.NDArray[np.float32]:
        """Return the probabilities of a patch, (height, width, class); raise `RunError`."""
        method: PixelMethod = self._built.method
        found = method.predict(patch, self._grid.mpp, self._context)
        n_classes = len(self._built.card.classes) if self._built.card else 0
        if found.shape != (*patch.shape[:2], n_classes) or not np.isfinite(found).all():
            raise RunError(
                _("The method did not give a probability for each class and pixel."),
                _("The model may be damaged: train it again, or choose another one."),
            )
        return found

    def planes(self, tile: Tile, found: npt.NDArray[np.float32], tile_px: int) -> Planes:
        """Return the whole tile, (class, tile_px, tile_px): its core on tissue, else 0."""
        return self._whole_tile(tile, quantised(found[self._core(tile)]), tile_px)


class SynthesisWork(TileWork):
    """From a patch over what it would be without pathology to the planes of its core."""

    def compute(self, patch: Patch) -> Synthesised:
        """Return the patch as if it were healthy; raise `RunError`."""
        method: SynthesisMethod = self._built.method
        found = method.predict(patch, self._grid.mpp, self._context)
        is_picture = found.picture.shape == patch.shape and found.picture.dtype == np.uint8
        is_mask = found.pathology.shape == patch.shape[:2] and np.isfinite(found.pathology).all()
        if not is_picture or not is_mask:
            raise RunError(
                _("The method did not give a colour and a probability for each pixel."),
                _("The model may be damaged: train it again, or choose another one."),
            )
        return found

    def planes(self, tile: Tile, patch: Patch, found: Synthesised, tile_px: int) -> Planes:
        """Return the whole tile, (plane, tile_px, tile_px): its core on tissue, else 0."""
        core = self._core(tile)
        made = synthesis_planes(patch[core], found.picture[core], found.pathology[core])
        return self._whole_tile(tile, made, tile_px)

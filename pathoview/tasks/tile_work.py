"""What is done with one tile: read it with its halo, compute, and outline what is its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import Detections
from pathoview.core.geometry import Rect
from pathoview.methods.outlines import outlines
from pathoview.methods.spec import Found, InstanceMethod
from pathoview.slides.reading import AnalysisGrid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.stains import StainMatrix
from pathoview.slides.tissue import TissueMask
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.tile_plan import Tile, in_tissue

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
        self._method: InstanceMethod = built.method
        self._grid = grid
        self._tissue = tissue
        self._context = context
        self._stains = StainMatrix.from_json(context["stains"])
        self._halo_px = int(np.ceil(built.spec.halo_um / grid.mpp))
        self.sight_l0 = self._halo_px * grid.scale_l0
        """How far a tile sees beyond its core, level-0 px."""

    def read(self, tile: Tile) -> Patch:
        """Return the tile with its halo, cut at the slide's edge; raise `SlideError`."""
        return read_patch(self._slide, self._grid, *self._place(tile).as_ints())

    def compute(self, patch: Patch) -> Found:
        """Return the instances of a patch."""
        return self._method.predict(patch, self._grid.mpp, self._context)

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
            stains=self._stains,
            confidence=found.confidence,
        )
        return table.take(in_tissue(self._tissue, table.centroids_l0()))

    def _place(self, tile: Tile) -> Rect:
        whole = Rect(0, 0, self._grid.width, self._grid.height)
        return tile.core.expanded(self._halo_px).intersection(whole)

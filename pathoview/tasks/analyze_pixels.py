"""Analysis by a method that tells classes of pixels: a map of probabilities, and areas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.progress import Progress
from pathoview.tasks.analysis import Analysis, Setting
from pathoview.tasks.tile_plan import Tile
from pathoview.tasks.tile_work import Patch, PixelWork


class PixelAnalysis(Analysis[npt.NDArray[np.float32]]):
    """A run that makes a map."""

    def __init__(self, setting: Setting, progress: Progress) -> None:
        record, grid = setting.run_file.record, setting.grid
        self._map = setting.run_file.map_rows()
        self._n_levels = self._map.n_levels(grid.width, grid.height)
        self._mapper = PixelWork(setting.slide, setting.built, grid, setting.tissue, record.context)
        super().__init__(setting, self._mapper, self._map.finished(), progress)

    def _compute(self, patch: Patch) -> npt.NDArray[np.float32]:
        return self._mapper.compute(patch)

    def _finish(self, tile: Tile, patch: Patch, computed: npt.NDArray[np.float32]) -> None:
        planes = self._mapper.planes(tile, computed, self._map.tile_px)
        self._store(tile, partial(self._map.add, tile.col, tile.row, planes, self._n_levels))

    def _end(self) -> Mapping[str, Any]:
        """Add up the areas of the classes."""
        pixel_mm2 = (self._setting.grid.mpp / 1000) ** 2
        return {"class_areas_mm2": tuple((self._map.class_pixels() * pixel_mm2).tolist())}

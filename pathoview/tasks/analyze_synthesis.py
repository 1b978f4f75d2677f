"""Analysis by a method that shows tissue as if it were healthy: a picture, and where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pathoview.core.progress import Progress
from pathoview.methods.spec import Synthesised
from pathoview.tasks.analysis import Analysis, Setting
from pathoview.tasks.tile_plan import Tile
from pathoview.tasks.tile_work import Patch, SynthesisWork


class SynthesisAnalysis(Analysis[Synthesised]):
    """A run that makes a pseudo-healthy picture. What it shows is never measured."""

    def __init__(self, setting: Setting, progress: Progress) -> None:
        record, grid = setting.run_file.record, setting.grid
        self._rows = setting.run_file.synthesis_rows()
        self._n_levels = self._rows.n_levels(grid.width, grid.height)
        said = (setting.slide, setting.built, grid, setting.tissue, record.context)
        self._maker = SynthesisWork(*said)
        super().__init__(setting, self._maker, self._rows.finished(), progress)

    def _compute(self, patch: Patch) -> Synthesised:
        return self._maker.compute(patch)

    def _finish(self, tile: Tile, patch: Patch, computed: Synthesised) -> None:
        planes = self._maker.planes(tile, patch, computed, self._rows.tile_px)
        self._store(tile, partial(self._rows.add, tile.col, tile.row, planes, self._n_levels))

    def _end(self) -> Mapping[str, Any]:
        """Measure the pathology."""
        pixel_mm2 = (self._setting.grid.mpp / 1000) ** 2
        return {"pathology_mm2": self._rows.counts().n_pathology() * pixel_mm2}

"""The map of a live teaching: what is seen, coarse and then in full, in a run's file that grows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.closing import Closing
from pathoview.core.geometry import Rect
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.datasets.labels import TargetClass
from pathoview.methods.model import ModelCard, ModelClass
from pathoview.methods.spec import MethodSpec
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask
from pathoview.study.raster_rows import Planes, quantised
from pathoview.study.results import SUFFIX, RunFile
from pathoview.tasks.live_preview import previews_folder
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.run_records import new_record
from pathoview.tasks.tile_plan import Tile, tissue_of

TILE_PX = 128
"""Small: no more is painted than is seen, and a few px beside it."""


class LiveMap(Closing):
    """Tiles of probabilities; a plane for background and one for each class, as masks count."""

    def __init__(
        self,
        spec: MethodSpec,
        slide: Slide,
        grid: AnalysisGrid,
        tissue: TissueMask,
        classes: Sequence[TargetClass],
        title: str,
    ) -> None:
        """Make the file; raises `StorageError`."""
        self.classes = tuple(classes)
        self._grid = grid
        self._tissue = tissue
        planes = (ModelClass(name=_("Background")), *map(_told, classes))
        kind = spec.kind.value
        card = ModelCard(title=title, method=spec.name, kind=kind, mpp=spec.mpp, classes=planes)
        params = spec.params()
        built = BuiltMethod(spec, params, load_entry(spec.entry)(params), card)
        record = new_record(built, slide, grid, None, tile_px=TILE_PX, kind="preview")
        self.path: Path = previews_folder() / f"{uuid.uuid4().hex}{SUFFIX}"
        self._file = RunFile.create(self.path, record)
        self._rows = self._file.map_rows()
        self._n_levels = self._rows.n_levels(grid.width, grid.height)

    def close(self) -> None:
        self._file.close()

    def tiles_in(self, rect_l0: Rect) -> list[Tile]:
        """Return the tiles that a rectangle touches, cut at the slide's edge, row by row."""
        grid = self._grid
        whole = Rect(0, 0, grid.width, grid.height)
        part = rect_l0.scaled(1 / grid.scale_l0).outward().intersection(whole)
        if part.is_empty:
            return []
        x, y, width, height = part.as_ints()
        return [
            _tile(col, row, grid)
            for row in range(y // TILE_PX, (y + height - 1) // TILE_PX + 1)
            for col in range(x // TILE_PX, (x + width - 1) // TILE_PX + 1)
        ]

    def put(
        self,
        tiles: Iterable[Tile],
        rect_l0: Rect,
        probabilities: npt.NDArray[np.float32],
        values: Sequence[int],
    ) -> None:
        """Store tiles that lie in a painted rectangle; raise `StorageError`.

        ``probabilities``: (height, width, class) over the rectangle, at any whole step of the
        grid; ``values``: what masks say of each of their classes.
        """
        on_grid = rect_l0.scaled(1 / self._grid.scale_l0)
        x, y = round(on_grid.x), round(on_grid.y)
        width, height = round(on_grid.width), round(on_grid.height)
        full = cv2.resize(probabilities, (width, height), interpolation=cv2.INTER_LINEAR)
        found = quantised(np.asarray(full, np.float32).reshape(height, width, -1))
        planes = np.zeros((len(self.classes) + 1, height, width), np.uint8)
        planes[list(values)] = found
        painted = [(tile.col, tile.row, self._cut(planes, tile, x, y)) for tile in tiles]
        self._rows.add_all(painted, self._n_levels)

    def _cut(self, planes: Planes, tile: Tile, x: int, y: int) -> Planes:
        """Return the whole tile of what was painted from (x, y) on: on tissue, else 0."""
        out = np.zeros((len(planes), TILE_PX, TILE_PX), np.uint8)
        left, top = tile.x - x, tile.y - y
        core = planes[:, max(0, top) : top + tile.height, max(0, left) : left + tile.width]
        part = out[:, max(0, -top) :, max(0, -left) :][:, : core.shape[1], : core.shape[2]]
        part[:] = core
        out[:, : tile.height, : tile.width] *= tissue_of(self._tissue, tile, self._grid.scale_l0)
        return out


def _told(one: TargetClass) -> ModelClass:
    return ModelClass(name=one.name, color=one.color)


def _tile(col: int, row: int, grid: AnalysisGrid) -> Tile:
    x, y = col * TILE_PX, row * TILE_PX
    return Tile(col, row, x, y, min(TILE_PX, grid.width - x), min(TILE_PX, grid.height - y))

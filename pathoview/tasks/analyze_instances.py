"""Analysis by a method that finds nuclei: outlines, ids, and one owner for what lies on a seam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pathoview.annotations.detections import Detections
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.patches import inside
from pathoview.methods.spec import Found
from pathoview.tasks.analysis import Analysis, Setting
from pathoview.tasks.object_ids import id_namespace, object_ids
from pathoview.tasks.seams import find_duplicates
from pathoview.tasks.tile_plan import Tile
from pathoview.tasks.tile_work import InstanceWork, Patch


class InstanceAnalysis(Analysis[Found]):
    """A run that finds nuclei."""

    def __init__(self, setting: Setting, progress: Progress) -> None:
        context = setting.run_file.record.context
        slide, grid = setting.slide, setting.grid
        self._outliner = InstanceWork(slide, setting.built, grid, setting.tissue, context)
        super().__init__(setting, self._outliner, setting.run_file.finished_tiles(), progress)
        # Without the region: a nucleus has one id, whichever regions it was found in.
        self._namespace = id_namespace(
            slide.content_hash, setting.built.run_key(slide.content_hash, None, grid.mpp)
        )

    def _compute(self, patch: Patch) -> Found:
        return self._outliner.compute(patch)

    def _finish(self, tile: Tile, patch: Patch, computed: Found) -> None:
        detections = self._own(self._outliner.outline(tile, patch, computed))
        store = partial(self._file.add_tile, tile.col, tile.row, detections)
        self._store(tile, store, len(detections))

    def _own(self, found: Detections) -> Detections:
        """Return the objects inside the region, with their ids."""
        centers = found.centroids_l0()
        if self._setting.region_l0:
            is_in = inside(self._setting.region_l0, centers)
            found, centers = found.take(is_in), centers[is_in]
        return replace(found, ids=object_ids(self._namespace, centers))

    def _end(self) -> Mapping[str, Any]:
        """Drop what two tiles both claimed."""
        self._progress.report(1.0, _("Comparing neighbouring tiles"))
        scale = self._setting.grid.scale_l0
        seams = find_duplicates(
            {(tile.col, tile.row): tile.core_l0(scale) for tile in self._plan.tiles},
            self._file.tile,
            sight_l0=self._work.sight_l0,
            check=self._watch.check,
        )
        self._file.drop(seams.ids)
        ids = [one.tobytes().hex() for one in seams.ids]
        self._progress.event("finalised", {"dropped": len(ids), "ids": ids})
        return {"n_objects": seams.n_kept}

"""The objects of a whole slide in memory: what an analysis would find, without a run's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pathoview.annotations.detections import Detections, concatenate
from pathoview.core.geometry import Rect
from pathoview.core.params import BaseParams
from pathoview.core.registry import load_entry
from pathoview.methods.outlines import outlines
from pathoview.methods.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.methods.spec import InstanceMethod, MethodSpec
from pathoview.slides.slide import Slide
from pathoview.slides.stains import StainMatrix
from pathoview.slides.tissue import TissueMask, tissue_mask
from pathoview.tasks.seams import find_duplicates
from pathoview.tasks.tile_plan import Tile, TilePlan, in_tissue


def detect(
    slide: Slide, spec: MethodSpec, params: BaseParams, check: Callable[[], None]
) -> Detections:
    """Return all objects, tile by tile and seams settled; ids are mere numbers.

    For pictures whose objects fit into memory. Raises `MissingScaleError`, `SlideError`.
    """
    grid = analysis_grid(slide, spec.mpp)
    method: InstanceMethod = load_entry(spec.entry)(params)
    context = method.prepare(slide, grid.mpp)
    tissue = tissue_mask(slide)
    plan = TilePlan(grid, spec.patch_px, tissue, None, set())
    halo_px = int(np.ceil(spec.halo_um / grid.mpp))
    found: dict[tuple[int, int], Detections] = {}
    n_found = 0
    while (tile := plan.next(None)) is not None:
        check()
        table = _tile_objects(slide, grid, method, context, tissue, tile, halo_px)
        found[tile.col, tile.row] = replace(table, ids=_numbers(n_found, len(table)))
        n_found += len(table)
    cores = {(tile.col, tile.row): tile.core_l0(grid.scale_l0) for tile in plan.tiles}
    seams = find_duplicates(
        cores, lambda col, row: found[col, row], sight_l0=halo_px * grid.scale_l0, check=check
    )
    whole = concatenate(list(found.values()))
    gone = {one.tobytes() for one in seams.ids}
    return whole.take(np.array([one.tobytes() not in gone for one in whole.ids], np.bool_))


def _tile_objects(
    slide: Slide,
    grid: AnalysisGrid,
    method: InstanceMethod,
    context: Mapping[str, Any],
    tissue: TissueMask,
    tile: Tile,
    halo_px: int,
) -> Detections:
    core = Rect(tile.x, tile.y, tile.width, tile.height)
    place = core.expanded(halo_px).intersection(Rect(0, 0, grid.width, grid.height))
    patch = read_patch(slide, grid, *place.as_ints())
    table = outlines(
        method.predict(patch, grid.mpp, context),
        patch,
        mpp=grid.mpp,
        scale_l0=grid.scale_l0,
        origin_l0=(place.x * grid.scale_l0, place.y * grid.scale_l0),
        core_lv=core.moved(-place.x, -place.y),
        stains=StainMatrix.from_json(context["stains"]),
    )
    return table.take(in_tissue(tissue, table.centroids_l0()))


def _numbers(start: int, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    ids = np.zeros((n, 16), np.uint8)
    ids[:, 8:] = np.arange(start, start + n, dtype=">u8").view(np.uint8).reshape(n, 8)
    return ids

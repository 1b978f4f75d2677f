"""The objects of a whole slide in memory: what an analysis would find, without a run's file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pathoview.annotations.detections import Detections, concatenate
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.methods.spec import Kind
from pathoview.slides.reading import analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.seams import find_duplicates
from pathoview.tasks.tile_plan import TilePlan
from pathoview.tasks.tile_work import InstanceWork


def detect(
    slide: Slide,
    built: BuiltMethod,
    check: Callable[[], None],
    is_wanted: Callable[[Rect], bool] = lambda core_l0: True,
) -> Detections:
    """Return all objects, tile by tile and seams settled; ids are mere numbers.

    ``is_wanted`` says of the core of a tile, level-0 px, whether to look for objects in it.

    For pictures whose objects fit into memory. Raises `MissingScaleError`, `SlideError`, and
    `UsageError` for a method that finds no objects.
    """
    if built.spec.kind is not Kind.INSTANCE:
        raise UsageError(
            _("“{title}” finds no objects.").format(title=built.spec.title),
            _("Choose a method that outlines nuclei."),
        )
    grid = analysis_grid(slide, built.mpp)
    context = built.method.prepare(slide, grid.mpp)
    tissue = tissue_mask(slide)
    work = InstanceWork(slide, built, grid, tissue, context)
    plan = TilePlan(grid, built.spec.patch_px, tissue, None, set())
    found: dict[tuple[int, int], Detections] = {}
    n_found = 0
    while (tile := plan.next(None)) is not None:
        check()
        if not is_wanted(tile.core_l0(grid.scale_l0)):
            continue
        patch = work.read(tile)
        table = work.outline(tile, patch, work.compute(patch))
        found[tile.col, tile.row] = replace(table, ids=_numbers(n_found, len(table)))
        n_found += len(table)
    cores = {
        (tile.col, tile.row): tile.core_l0(grid.scale_l0)
        for tile in plan.tiles
        if (tile.col, tile.row) in found
    }
    seams = find_duplicates(
        cores, lambda col, row: found[col, row], sight_l0=work.sight_l0, check=check
    )
    return concatenate(list(found.values())).without(seams.ids)


def _numbers(start: int, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    ids = np.zeros((n, 16), np.uint8)
    ids[:, 8:] = np.arange(start, start + n, dtype=">u8").view(np.uint8).reshape(n, 8)
    return ids

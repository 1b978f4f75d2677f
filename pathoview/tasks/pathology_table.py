"""A pseudo-healthy run in figures, for the whole of it and for each region that was drawn.

*Identity* is how alike the slide and its picture are outside of what the run itself takes for
pathology (`evaluation.synthesis`): it says whether healthy tissue was left alone, not whether the
pathology was found. *Healthiness* can only be told by somebody who had no part in the picture: by
another model, the judge, which looks for the same pathology in both. Without one it is left empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.columns import Column, NumberColumn, TextColumn
from pathoview.annotations.dialects.rasters import mask_of
from pathoview.annotations.feature import Feature
from pathoview.annotations.table_writer import write_table
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.evaluation.synthesis import LEAST_SIDE_PX, identity
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.slides.slide import Slide
from pathoview.study.raster_rows import FULL
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import (
    BLUE,
    BRIGHTNESS,
    LIKELY,
    PATHOLOGY,
    RED,
    SynthesisCounts,
)
from pathoview.tasks.healthiness_judge import Judge

Flags = npt.NDArray[np.bool_]
_SQUARE_PX = 512
"""Pictures are compared in squares of this side: more would take too much memory."""


@dataclass
class _Region:
    """What is counted of one region."""

    name: str
    kind: str = ""
    """Of what class it is."""
    id: str = ""
    area: BaseGeometry | None = None
    """px of the run; None: all that was analysed."""
    counts: SynthesisCounts = field(default_factory=SynthesisCounts.none)
    alike: float = 0.0
    """Sum of identities, each times the px that it is of."""
    n_alike: int = 0
    n_before: int = 0
    """Px in which the judge finds pathology in the slide."""
    n_after: int = 0
    """The same in the picture."""

    def mask(self, part: Rect) -> Flags | None:
        """Return which px of a part of the run lie inside, (height, width); None: none does."""
        x, y, width, height = part.as_ints()
        if self.area is None:
            return np.ones((height, width), bool)
        inside = shapely.intersection(self.area, shapely.box(x, y, x + width, y + height))
        inside = shapely.MultiPolygon(
            [one for one in shapely.get_parts(inside) if shapely.get_dimensions(one) == 2]
        )
        if inside.is_empty:
            return None
        found, left, top = mask_of(inside)
        mask = np.zeros((height, width), bool)
        mask[top - y : top - y + found.shape[0], left - x : left - x + found.shape[1]] = found
        return mask


def write_pathology_table(
    output: Path,
    run_file: RunFile,
    slide: Slide,
    drawn: Sequence[Feature],
    judge: str,
    progress: Progress,
) -> dict[str, Any]:
    """Write a line for the whole run and one for each area that was drawn; return what is told.

    ``judge``: a model file, or the name of one in the library; empty: nobody tells healthiness.
    Raises `UsageError` when it cannot judge, or the slide is read otherwise than the run did;
    `StorageError`, `SlideError`, and `Cancelled` when asked to stop.
    """
    record = run_file.record
    grid = _grid_of(slide, record)
    seen_by = Judge(judge, record, slide, grid) if judge else None
    regions = [_Region(_("All that was analysed")), *_regions(drawn, record.scale_l0)]
    rows, side = run_file.synthesis_rows(), record.tile_px
    tiles = sorted(rows.finished())
    for number, (col, row) in enumerate(tiles):
        progress.check()
        progress.report(number / len(tiles), _("Measuring regions"))
        for part in _squares(col, row, side, grid):
            planes = rows.area(0, *part.as_ints())
            patch = read_patch(slide, grid, *part.as_ints())
            made = np.where(
                planes[BRIGHTNESS][..., None] > 0, np.moveaxis(planes[RED : BLUE + 1], 0, 2), patch
            )
            found = None if seen_by is None else seen_by.found(part, rows)
            for region in regions:
                mask = region.mask(part)
                if mask is not None and planes[BRIGHTNESS][mask].any():
                    _count(region, mask, planes, (patch, made), found)
    n = write_table(output, _columns(regions, record), np.arange(len(regions)), progress, 1.0)
    return {
        "output": str(output),
        "n_objects": n,
        "warnings": [],
        "bytes": output.stat().st_size,
    }


def _grid_of(slide: Slide, record: RunRecord) -> AnalysisGrid:
    """Return the pixels that the run saw."""
    grid = analysis_grid(slide, record.mpp or slide.mpp)
    if (grid.width, grid.height, grid.scale_l0) != (*record.grid_px, record.scale_l0):
        raise UsageError(
            _("The slide has another scale now than when “{title}” was made.").format(
                title=record.title
            ),
            _("Apply the model again."),
        )
    return grid


def _regions(drawn: Sequence[Feature], scale_l0: float) -> Iterator[_Region]:
    for number, one in enumerate(drawn, 1):
        if shapely.get_dimensions(one.geometry) == 2:
            yield _Region(
                one.name or _("Region {number}").format(number=number),
                one.classification.name if one.classification else "",
                str(one.id),
                shapely.transform(one.geometry, lambda xy: xy / scale_l0),
            )


def _squares(col: int, row: int, side: int, grid: AnalysisGrid) -> Iterator[Rect]:
    """Yield the squares of a tile, cut at the slide's edge."""
    whole = Rect(0, 0, grid.width, grid.height)
    tile = Rect(col * side, row * side, side, side).intersection(whole)
    for y in range(int(tile.y), int(tile.bottom), _SQUARE_PX):
        for x in range(int(tile.x), int(tile.right), _SQUARE_PX):
            yield Rect(x, y, _SQUARE_PX, _SQUARE_PX).intersection(tile)


def _count(
    region: _Region,
    mask: Flags,
    planes: npt.NDArray[np.uint8],
    pictures: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
    found: tuple[Flags, Flags] | None,
) -> None:
    """Count a square; ``pictures`` and ``found``: of the slide and of what was made of it."""
    region.counts += SynthesisCounts.of(planes, mask)
    counts = mask & (planes[BRIGHTNESS] > 0)
    if found is not None:
        region.n_before += int((found[0] & counts).sum())
        region.n_after += int((found[1] & counts).sum())
    left_alone = counts & (planes[PATHOLOGY] < LIKELY * FULL)
    if min(mask.shape) < LEAST_SIDE_PX:
        return
    alike, n = identity(*pictures, ~left_alone), int(left_alone.sum())
    if np.isfinite(alike):
        region.alike += alike * n
        region.n_alike += n


def _columns(regions: Sequence[_Region], record: RunRecord) -> dict[str, Column]:
    pixel_mm2 = ((record.mpp or 0.0) / 1000) ** 2
    numbers: Mapping[str, Callable[[_Region], float]] = {
        "Analysed mm²": lambda one: one.counts.n_px * pixel_mm2,
        "Pathology mm²": lambda one: one.counts.n_pathology() * pixel_mm2,
        "Share of pathology": lambda one: _ratio(one.counts.n_pathology(), one.counts.n_px),
        "Mean difference": lambda one: one.counts.mean_difference,
        "Mean difference in pathology": lambda one: one.counts.mean_inside,
        "Mean difference elsewhere": lambda one: one.counts.mean_outside,
        "Identity": lambda one: _ratio(one.alike, one.n_alike),
        "Healthiness": lambda one: 1 - _ratio(one.n_after, one.n_before),
    }
    return {
        "Region": TextColumn.of([one.name for one in regions]),
        "Class": TextColumn.of([one.kind for one in regions]),
        "Id": TextColumn.of([one.id for one in regions]),
        **{
            name: NumberColumn(np.array([value(one) for one in regions], np.float64))
            for name, value in numbers.items()
        },
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")

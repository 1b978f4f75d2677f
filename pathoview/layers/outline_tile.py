"""Outlines of many objects on one tile, colour by colour.

Python's lock is held for a fraction of a millisecond at a time: the window goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pathoview.core.geometry import Rect
from pathoview.layers import paint
from pathoview.layers.density import UNCOUNTED
from pathoview.layers.detection_index import Chunk, Rows
from pathoview.layers.outline_colors import Look

_N_COLORS = 256
"""Colours of measurements."""
_CHOSEN_COLOR: paint.Color = (255, 255, 255)


def draw_objects(
    canvas: paint.Canvas,
    near: Sequence[tuple[Chunk, Rows]],
    look: Look,
    tile_lv: Rect,
    downsample: float,
    line_width_px: float,
) -> None:
    """Draw rows of chunks that lie near a tile."""
    groups = dict(_groups(near, look, tile_lv, downsample))
    palette = look.palette(_N_COLORS)
    if look.style.fill_opacity > 0:
        for kind, rings in groups.items():
            paint.fill_rings(canvas, rings, palette[kind], look.style.fill_opacity)
    n_rings = sum(map(len, groups.values()))
    is_smooth = paint.can_be_smooth(n_rings, line_width_px)
    for kind, rings in groups.items():
        paint.draw_outlines(canvas, rings, palette[kind], line_width_px, is_smooth=is_smooth)


def draw_chosen(
    canvas: paint.Canvas,
    near: Sequence[tuple[Chunk, Rows]],
    chosen: Sequence[int],
    look: Look,
    tile_lv: Rect,
    downsample: float,
) -> None:
    """Draw those of the rows near a tile that are chosen, by their places in the whole table."""
    if not chosen:
        return
    rings: list[paint.Ring] = []
    for chunk, rows in near:
        own = rows[np.isin(chunk.start + rows, chosen)]
        for row in own[~look.is_hidden(chunk.table.class_index[own])].tolist():
            points, _offsets = chunk.table.points_of(np.array([row]))
            rings.append(paint.canvas_points(points, tile_lv, downsample))
    width = look.style.line_width_px + (len(chosen) == 1)  # many side by side would be a blot
    paint.draw_outlines(canvas, rings, (0, 0, 0), width + 2)
    paint.draw_outlines(canvas, rings, _CHOSEN_COLOR, width)


def _groups(
    near: Sequence[tuple[Chunk, Rows]], look: Look, tile_lv: Rect, downsample: float
) -> Iterator[tuple[int, list[paint.Ring]]]:
    """Yield each colour with the outlines that have it."""
    kinds = np.concatenate([look.kinds(chunk.table, _N_COLORS, rows) for chunk, rows in near])
    tables = [chunk.table.points_of(rows) for chunk, rows in near]
    points = paint.canvas_points(
        np.concatenate([points for points, _offsets in tables]), tile_lv, downsample
    )
    ends = np.cumsum(np.concatenate([np.diff(offsets) for _points, offsets in tables]))
    starts = np.concatenate([[0], ends[:-1]])
    order = np.argsort(kinds, kind="stable")
    edges = np.flatnonzero(np.diff(kinds[order])) + 1
    for rows in np.split(order, edges):
        kind = int(kinds[rows[0]])
        if kind != UNCOUNTED:
            pairs = zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
            yield kind, [points[start:end] for start, end in pairs]

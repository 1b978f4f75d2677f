"""Labelled objects as tiles: a colour for each number, never one for a mixture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.affine import Affine
from pathoview.core.pyramid import TileKey
from pathoview.core.translation import _
from pathoview.layers.many_colors import N_COLORS, many_colors
from pathoview.layers.paint import Color
from pathoview.layers.placed import Packed
from pathoview.layers.raster import MOST_SAMPLES, Raster
from pathoview.layers.raster_source import RasterSource, check_whole_numbers, packed_colors
from pathoview.layers.source import Rgba, Unfinished
from pathoview.slides.slide import Pixels

_MOST_COUNTED_PX = 64 * MOST_SAMPLES
_WIDEST_LINE_PX = 8
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """How labelled objects look."""

    fill_opacity: float = 0.4
    """0: outlines only."""
    line_width_px: float = 1.5
    """Of the outlines, which lie inside of the objects; 0: none."""
    color: Color | None = None
    """Of all objects; None: each its own, always the same for a number."""


class LabelSource(RasterSource[LabelStyle]):
    """A raster in which 0 is the background and every other number one object."""

    def __init__(
        self,
        raster: Raster,
        placement: Affine,
        width_l0: float,
        height_l0: float,
        style: LabelStyle | None = None,
    ) -> None:
        """Raise `InputError` when the raster holds no whole numbers."""
        check_whole_numbers(raster, _("A picture of labels"))
        super().__init__(raster, placement, width_l0, height_l0, style or LabelStyle())
        self._n_instances: int | None = None

    def id_at(self, x_l0: float, y_l0: float) -> int | None:
        """Return the number of the object under a point; None: there is none.

        May read the file. Raises `SlideError`.
        """
        return int(self._value_at(x_l0, y_l0) or 0) or None

    def n_instances(self) -> int | None:
        """Return how many objects there are; None: counting them would take long.

        The first call reads all. Raises `SlideError`.
        """
        finest = self.raster.levels[0]
        if self._n_instances is None and finest.width * finest.height <= _MOST_COUNTED_PX:
            values, _is_whole = self.raster.read(0, 0, 0, finest.width, finest.height, 0)
            self._n_instances = int(np.count_nonzero(np.unique(values)))
        return self._n_instances

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        style = self._style
        line_px = min(round(style.line_width_px), _WIDEST_LINE_PX)
        if 0 < style.line_width_px < 1:
            line_px = 1
        seen = self._seen(key, margin=line_px)
        if seen is None:
            return None
        labels = seen.carried(seen.block)
        inner = np.s_[line_px : len(labels) - line_px, line_px : labels.shape[1] - line_px]
        index = labels[inner].astype(np.intp)
        is_background = index == 0
        index &= N_COLORS - 1
        np.putmask(index, is_background, N_COLORS)
        if line_px:
            np.add(index, N_COLORS + 1, out=index, where=_edges(labels, line_px)[inner])
        colors = _palette(style).take(index)
        tile = colors.view(np.uint8).reshape(*colors.shape, 4)
        return tile if seen.is_whole else Unfinished(tile)


def _palette(style: LabelStyle) -> Packed:
    """Return the colours of the insides of objects, none for the background, and of outlines."""
    colors = many_colors() if style.color is None else np.tile(style.color, (N_COLORS, 1))
    nothing = np.zeros(1, np.uint32)
    return np.concatenate(
        [packed_colors(colors, style.fill_opacity), nothing, packed_colors(colors)]
    )


def _edges(labels: Pixels, width_px: int) -> Mask:
    """Return which pixels of objects lie within a width of another object or the background."""
    differs = np.zeros(labels.shape, np.uint8)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    differs[:, 1:] |= across
    differs[:, :-1] |= across
    differs[1:] |= down
    differs[:-1] |= down
    if width_px > 1:
        reach = 2 * width_px - 1
        differs = np.asarray(cv2.dilate(differs, np.ones((reach, reach), np.uint8)), np.uint8)
    return np.logical_and(differs, labels)

"""A heatmap as tiles: colours for numbers, nothing where there is none."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pathoview.core.affine import Affine
from pathoview.core.pyramid import TileKey
from pathoview.layers.colormaps import DEFAULT, Colormap, colors_of
from pathoview.layers.placed import Packed
from pathoview.layers.raster import Raster
from pathoview.layers.raster_source import RasterSource, packed_colors
from pathoview.layers.source import Rgba, Unfinished
from pathoview.slides.slide import Pixels

_N_COLORS = 256
_N_BINS = 1 << 16


@dataclass(frozen=True, slots=True)
class HeatmapStyle:
    """How a heatmap looks."""

    colormap: Colormap = DEFAULT
    limits: tuple[float, float] | None = None
    """Values at both ends of the colours; None: taken from the data (see `percentiles`)."""
    percentiles: tuple[float, float] = (1.0, 99.0)
    scaling: Literal["linear", "rank"] = "linear"
    """``rank``: each colour stands for equally many of the values between the limits."""
    threshold: float | None = None
    """Smaller values are not drawn."""
    interpolate: bool = False
    """Fade from pixel to pixel; False: every pixel is a plain square."""
    low_opacity: float = 1.0
    """Opacity at the low end of the colours, rising to 1 at the high end."""
    channel: int = 0
    """Which of the raster's channels is shown."""


class _Ranks:
    """Tells between which of 255 values one lies; they part a sample into 256 equal shares."""

    def __init__(self, sample: npt.NDArray[np.float32], limits: tuple[float, float]) -> None:
        """Take the part of the sample that lies between the limits."""
        between = sample[(sample >= limits[0]) & (sample <= limits[1])]
        shares = np.arange(1, _N_COLORS) / _N_COLORS
        steps = np.quantile(between if len(between) else limits, shares)
        self._steps = steps.astype(np.float32)
        self._limits = limits
        # A search a pixel is slow. In most of many even bins all values have the same place.
        self._bins = np.zeros(_N_BINS, np.int16)
        at_step = _even_steps(self._steps, limits, _N_BINS).astype(np.intp)
        np.add.at(self._bins, at_step, 1)
        self._bins = np.cumsum(self._bins, dtype=np.int16)
        self._bins[at_step] = -1

    def index(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.integer]:
        index = self._bins.take(_even_steps(values, self._limits, _N_BINS).astype(np.uint16))
        is_open = index < 0
        if is_open.any():
            index[is_open] = np.searchsorted(self._steps, values[is_open], side="right")
        return index


def _even_steps(
    values: npt.NDArray[np.float32], limits: tuple[float, float], n_steps: int
) -> npt.NDArray[np.float32]:
    """Return numbers from 0 to ``n_steps`` - 1 that rise evenly from limit to limit."""
    low, high = limits
    step = np.clip(values, np.float32(low), np.float32(high))
    step -= np.float32(low)
    step *= np.float32((n_steps - 1) / max(high - low, 1e-12))
    return np.rint(step, out=step)


@dataclass(frozen=True, slots=True)
class _Look:
    """The colours of a style, now that the data have had their say."""

    style: HeatmapStyle
    limits: tuple[float, float]
    palette: Packed
    """(256,) from low to high."""
    ranks: _Ranks | None
    """None: colours go evenly from limit to limit."""

    def packed(self, values: Pixels) -> Packed:
        """Return colours for values, (height, width)."""
        values = np.asarray(values, np.float32)
        is_drawn = np.isfinite(values)
        if self.style.threshold is not None:
            is_drawn &= values >= np.float32(self.style.threshold)
        all_drawn = bool(is_drawn.all())
        if not all_drawn:
            values = np.where(is_drawn, values, np.float32(self.limits[0]))
        colors: Packed = self.palette.take(self._index(values))
        if not all_drawn:
            colors[~is_drawn] = 0
        return colors

    def _index(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.integer]:
        if self.ranks is not None:
            return self.ranks.index(values)
        return _even_steps(values, self.limits, _N_COLORS).astype(np.uint8)


class HeatmapSource(RasterSource[HeatmapStyle]):
    """Numbers as colours; what is no number (NaN, infinite) is transparent."""

    meaning = ""
    """What the numbers are, in words for legends; empty: the layer's name says it."""
    is_in_blocks = False
    """Whether each pixel is an area that was measured as a whole: nothing fades between them."""

    def __init__(
        self,
        raster: Raster,
        placement: Affine,
        width_l0: float,
        height_l0: float,
        style: HeatmapStyle | None = None,
    ) -> None:
        super().__init__(raster, placement, width_l0, height_l0, style or HeatmapStyle())
        self._look: _Look | None = None
        self._samples: dict[int, npt.NDArray[np.float32]] = {}
        self._reading = threading.RLock()
        """Held while the file is read; who changes the style never waits for it."""

    @property
    def limits(self) -> tuple[float, float]:
        """The values at both ends of the colours; the first call may read the file.

        Raises `SlideError`.
        """
        return self._current_look().limits

    def sample(self) -> npt.NDArray[np.float32]:
        """Return values of the channel shown, (n,), a few hundred thousand from all over.

        Those that are no numbers are left out. The first call may read the file. Raises
        `SlideError`.
        """
        channel = self._style.channel
        with self._reading:
            if channel not in self._samples:
                values = self.raster.sample(channel).astype(np.float32)
                self._samples[channel] = values[np.isfinite(values)]
            return self._samples[channel]

    def value_at(self, x_l0: float, y_l0: float) -> float | None:
        """Return the raster's own value at a point; None outside, or where it is no number.

        May read the file. Raises `SlideError`.
        """
        value = self._value_at(x_l0, y_l0, self._style.channel)
        return float(value) if value is not None and np.isfinite(value) else None

    def painted(self, values: Pixels) -> Rgba:
        """Return values, (height, width), in the colours they are drawn in; may read the file.

        Raises `SlideError`.
        """
        return self._current_look().packed(values).view(np.uint8).reshape(*values.shape, 4)

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        look = self._current_look()
        seen = self._seen(key, look.style.channel)
        if seen is None:
            return None
        may_fade = look.style.interpolate and not self.is_in_blocks
        is_smooth = may_fade and seen.to_block.scale < 1
        pixels = seen.painted(look.packed, smooth=is_smooth)
        return pixels if seen.is_whole else Unfinished(pixels)

    def _current_look(self) -> _Look:
        with self._reading:
            if self._look is None or self._look.style != self._style:
                self._look = self._looked(self._style)
            return self._look

    def _looked(self, style: HeatmapStyle) -> _Look:
        limits = style.limits
        if limits is None:
            values = self.sample()
            ends = np.percentile(values, style.percentiles) if len(values) else (0, 1)
            limits = float(ends[0]), float(ends[1])
        opacity = np.linspace(style.low_opacity, 1, _N_COLORS)
        palette = packed_colors(colors_of(style.colormap), opacity)
        ranks = _Ranks(self.sample(), limits) if style.scaling == "rank" else None
        return _Look(style, limits, palette, ranks)

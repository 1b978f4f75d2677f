"""What a run makes of tissue as if it were healthy, as layers: picture, difference, pathology.

All of them read the same tiles of the run's file while they come in. The picture is synthetic: it
carries its badge in its pixels, and nothing measures it. What is measured is the slide: where it is
taken for pathology, and how far it is from the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Pyramid, TileKey
from pathoview.core.translation import _
from pathoview.layers.heatmap_source import HeatmapStyle
from pathoview.layers.layer import Layer
from pathoview.layers.map_tiles import MapRaster, MapTiles
from pathoview.layers.prediction_source import PredictedHeatmapSource
from pathoview.layers.raster import COARSEST_PX
from pathoview.layers.source import Rgba, Unfinished
from pathoview.layers.synthetic_source import SyntheticSource
from pathoview.slides.slide import Pixels
from pathoview.study.raster_rows import Planes
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import (
    BLUE,
    BRIGHTNESS,
    LIKELY,
    RED,
    SynthesisCounts,
    brightness_of,
    difference_of,
    pathology_of,
)

PATHOLOGY_MEANING = _("Probability of pathology")
DIFFERENCE_MEANING = _("Difference between slide and pseudo-healthy picture, grey levels")
BRIGHTNESS_MEANING = _("Darker (blue) or brighter (red) than the pseudo-healthy picture")
_OPACITY = 0.6
_MOST_DIFFERENT = 100.0
_LEAST_DIFFERENT = 25.0
"""Grey levels: what is drawn of the difference, and its strongest colour."""

SynthesisName = Literal["pseudo-healthy", "difference", "brightness", "pathology"]
SYNTHESIS_NAMES: tuple[SynthesisName, ...] = get_args(SynthesisName)
"""What layers are called on the command line, in the order of `synthesis_layers`."""
ValuesOf = Callable[[Planes], npt.NDArray[np.float32]]


class SynthesisTiles(MapTiles):
    """The tiles of a run, and what their pixels add up to."""

    def __init__(self, run_file: RunFile, memory: ByteCache | None = None) -> None:
        """Raises `StorageError` when the file cannot be read."""
        rows = run_file.synthesis_rows()
        super().__init__(run_file.record, rows, memory)
        self._synthesis_rows = rows
        self._counts = SynthesisCounts.none()

    @property
    def counts(self) -> SynthesisCounts:
        """Of the tiles that are known of."""
        return self._counts

    def look(self) -> Rect | None:
        """See `MapTiles.look`; counts the pixels too."""
        found = super().look()
        if found is not None:
            self._counts = self._synthesis_rows.counts()
        return found


class _Values(MapRaster):
    """Numbers made of the planes; NaN where nothing is known."""

    dtype = np.dtype(np.float32)

    def __init__(self, tiles: SynthesisTiles, values_of: ValuesOf) -> None:
        super().__init__(tiles)
        self._values_of = values_of

    def _values(self, planes: Planes, channel: int) -> Pixels:
        return self._values_of(planes)[..., None]


class SynthesisValueSource(PredictedHeatmapSource):
    """Numbers of a run that may come tile by tile."""

    def __init__(
        self,
        tiles: SynthesisTiles,
        values_of: ValuesOf,
        meaning: str,
        size_l0: tuple[float, float],
        style: HeatmapStyle,
    ) -> None:
        self.meaning = meaning
        self._synthesis = tiles
        super().__init__(_Values(tiles, values_of), tiles.scale_l0, *size_l0, 0)
        self._style = style


class _ThresholdSource(SynthesisValueSource):
    """Numbers of which a threshold says what is looked for."""

    highest: float
    """The threshold is at most that."""

    def area_above(self, threshold: float) -> tuple[float, float]:
        """Return the area that reaches a threshold, mm², and its share of what was analysed."""
        counts, (mpp, _mpp_y) = self._synthesis.counts, self.raster.mpp or (0.0, 0.0)
        n = self._n_above(counts, threshold)
        return n * (mpp / 1000) ** 2, n / max(1, counts.n_px)

    def _n_above(self, counts: SynthesisCounts, threshold: float) -> int:
        raise NotImplementedError

    def outlined_from(self, threshold: float) -> dict[str, Any]:
        """Return the members of `study.map_params.SynthesisParams` that outline just that."""
        raise NotImplementedError


class PathologySource(_ThresholdSource):
    """Where the slide is taken for pathology."""

    highest = 1.0

    def _n_above(self, counts: SynthesisCounts, threshold: float) -> int:
        return counts.n_pathology(threshold)

    def outlined_from(self, threshold: float) -> dict[str, Any]:
        return {"of": "pathology", "probability": max(threshold, 0.01)}


class DifferenceSource(_ThresholdSource):
    """How far the slide is from the picture; what reaches the threshold is a candidate."""

    highest = 255.0

    def _n_above(self, counts: SynthesisCounts, threshold: float) -> int:
        return counts.n_different(threshold)

    def outlined_from(self, threshold: float) -> dict[str, Any]:
        return {"of": "difference", "difference": max(threshold, 1.0)}


class _Picture:
    """The picture's own tiles, in px of the run; transparent where nothing was analysed."""

    changed = Signal(object)
    style_version = 0

    def __init__(self, tiles: SynthesisTiles) -> None:
        self._tiles = tiles
        self.pyramid = Pyramid(tiles.levels, COARSEST_PX)

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        planes = self._tiles.planes(key.level, *self.pyramid.tile_lv(key).as_ints())
        return picture_of(planes) if planes.any() else None


def picture_of(planes: Planes) -> Rgba:
    """Return the picture of some planes, (height, width, 4); transparent where it is not known."""
    alpha = np.where(planes[BRIGHTNESS] > 0, 255, 0).astype(np.uint8)
    return np.ascontiguousarray(np.dstack([*planes[RED : BLUE + 1], alpha]))


class PseudoHealthySource(SyntheticSource):
    """The picture of a run, which may come tile by tile."""

    def __init__(
        self,
        tiles: SynthesisTiles,
        size_l0: tuple[float, float],
        region_l0: Rect | None,
        memory: ByteCache | None,
    ) -> None:
        self._picture = _Picture(tiles)
        self._region_l0 = region_l0
        super().__init__(self._picture, Affine.scaled(tiles.scale_l0), *size_l0, memory)

    @property
    def _own_l0(self) -> Rect:
        """What was analysed, so that a small region has its badge too."""
        return super()._own_l0 if self._region_l0 is None else self._region_l0

    def grew(self, rect_l0: Rect) -> None:
        """Have what is new drawn."""
        self._picture.changed.emit(self.placement.inverse().rect(rect_l0))


def synthesis_layers(
    tiles: SynthesisTiles,
    title: str,
    size_l0: tuple[float, float],
    region_l0: Rect | None = None,
    memory: ByteCache | None = None,
) -> tuple[Layer, Layer, Layer, Layer]:
    """Return the layers of a run, back to front: all but the last, the pathology, hidden at first.

    They are the picture, the difference, what is darker or brighter, and the pathology.
    """
    picture = PseudoHealthySource(tiles, size_l0, region_l0, memory)
    style = HeatmapStyle(
        colormap="magma", limits=(0.0, _MOST_DIFFERENT), threshold=_LEAST_DIFFERENT
    )
    difference = DifferenceSource(tiles, difference_of, DIFFERENCE_MEANING, size_l0, style)
    style = HeatmapStyle(colormap="blue-red", limits=(-_MOST_DIFFERENT, _MOST_DIFFERENT))
    brightness = SynthesisValueSource(tiles, brightness_of, BRIGHTNESS_MEANING, size_l0, style)
    style = HeatmapStyle(limits=(0.0, 1.0), threshold=LIKELY)
    pathology = PathologySource(tiles, pathology_of, PATHOLOGY_MEANING, size_l0, style)
    named = (
        (_("Pseudo-healthy: {title}"), picture, 1.0),
        (_("Difference: {title}"), difference, 1.0),
        (_("Darker or brighter: {title}"), brightness, 1.0),
        (_("Pathology: {title}"), pathology, _OPACITY),
    )
    first, second, third, last = (
        Layer(name.format(title=title), source, visible=source is pathology, opacity=opacity)
        for name, source, opacity in named
    )
    return first, second, third, last


def synthesis_layer(
    run_file: RunFile, width_l0: float, height_l0: float, shown: SynthesisName
) -> Layer:
    """Return a layer of a finished run, for pictures made without a window."""
    tiles, record = SynthesisTiles(run_file), run_file.record
    tiles.look()
    region = Rect(*record.region_l0) if record.region_l0 else None
    layers = synthesis_layers(tiles, record.title, (width_l0, height_l0), region)
    layer = layers[SYNTHESIS_NAMES.index(shown)]
    layer.visible = True
    return layer

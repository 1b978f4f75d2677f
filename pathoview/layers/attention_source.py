"""What a method for whole slides says of each tile, as layers: attention, and evidence of classes.

One px of the raster is one tile, laid on the slide's own grid. A tile was seen as a whole, so it is
drawn as a plain rectangle at every zoom; nothing fades into its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass
from pathoview.core.affine import Affine
from pathoview.core.geometry import Cell
from pathoview.core.translation import _
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.layer import Layer
from pathoview.layers.raster import ArrayRaster
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile

ATTENTION_MEANING = _("Attention: importance, not probability (1 is an average tile)")
EVIDENCE_MEANING = _("Probability as if the tile were the whole slide")
_LEAST_TOP = 2.0
"""Attention at the strongest colour, at least: tiles that count alike look alike."""
_TOP_PERCENTILE = 99.0
_OPACITY = 0.6


class TileValueSource(HeatmapSource):
    """Numbers of the tiles of a slide, which come all at once."""

    is_in_blocks = True

    def __init__(
        self,
        meaning: str,
        channels: Sequence[str],
        cell_l0: Cell,
        width_l0: float,
        height_l0: float,
        style: HeatmapStyle,
    ) -> None:
        """``cell_l0``: a tile, level-0 px; ``channels``: names of its numbers."""
        self.meaning = meaning
        nothing = np.full((1, 1, len(channels)), np.nan, np.float32)
        raster = ArrayRaster(nothing, channels=channels, is_rgb=False)
        super().__init__(raster, Affine.scaled(*cell_l0), width_l0, height_l0, style)

    def fill(self, image: npt.NDArray[np.float32]) -> None:
        """Show these numbers, (row, column, channel), from now on; NaN where no tile is."""
        with self._reading:
            self.raster = ArrayRaster(image, channels=self.raster.channels, is_rgb=False)
            self._samples.clear()
            self._look = None
        self._restyled()


def attention_layers(
    record: RunRecord, title: str, width_l0: float, height_l0: float
) -> tuple[Layer, Layer]:
    """Return the layers of a run: attention, and, hidden at first, evidence; see `fill_layers`.

    Patches of a whole picture count alike: there it is the evidence that is seen.
    """
    cell_l0, size = record.cell_l0, (width_l0, height_l0)
    names = [one.name for one in record.classes]
    style = HeatmapStyle(limits=(0.0, _LEAST_TOP), low_opacity=0.0)
    attention = TileValueSource(ATTENTION_MEANING, [_("attention")], cell_l0, *size, style)
    style = HeatmapStyle(limits=(0.0, 1.0), low_opacity=0.0, channel=_looked_for(record.classes))
    evidence = TileValueSource(EVIDENCE_MEANING, names, cell_l0, *size, style)
    return (
        Layer(
            _("{title}: attention").format(title=title),
            attention,
            # A frame of a clip is one tile: its value would only cover it.
            visible=record.picture_columns != 1 and not record.is_of_whole,
            opacity=_OPACITY,
        ),
        Layer(
            _("{title}: evidence").format(title=title),
            evidence,
            visible=record.is_of_whole,
            opacity=_OPACITY,
        ),
    )


def fill_layers(
    layers: Sequence[Layer],
    tiles: BagTiles,
    grid_px: tuple[int, int],
    columns: slice = slice(None),
) -> None:
    """Give the layers of a run their numbers; ``grid_px``: width and height in tiles.

    ``columns``: those that are laid on the picture, of pictures in a row those of one of them.
    """
    attention, evidence = (layer.source for layer in layers)
    assert isinstance(attention, TileValueSource)
    assert isinstance(evidence, TileValueSource)
    relative = tiles.relative_attention
    attention.fill(tiles.image(relative[:, None], grid_px)[:, columns])
    evidence.fill(tiles.image(tiles.evidence, grid_px)[:, columns])
    if len(tiles):
        top = max(_LEAST_TOP, float(np.percentile(relative, _TOP_PERCENTILE)))
        attention.style = replace(attention.style, limits=(0.0, top))


def attention_layer(run_file: RunFile, width_l0: float, height_l0: float) -> Layer:
    """Return the attention of a finished run, for pictures made without a window."""
    record, tiles = run_file.record, run_file.bag_rows().read()
    layers = attention_layers(record, record.title, width_l0, height_l0)
    if tiles is not None:
        fill_layers(layers, tiles, record.grid_px)
    return layers[0]


def _looked_for(classes: Sequence[DetectionClass]) -> int:
    """Return the class whose evidence is shown first: of two, the second is looked for."""
    return 1 if len(classes) == 2 else 0

"""Write what is said of the tiles of a whole slide as a picture, or as numbers, one px a tile."""

from __future__ import annotations

from dataclasses import replace
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.layers.attention_source import ATTENTION_MEANING, attention_layer
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.tile_outlines import check_is_of_slide, tile_values

_SIDE_PX = 2048
"""A picture's longer side is about that: each tile is a square of whole px."""


def write_attention(file: IO[bytes], run_file: RunFile) -> float:
    """Write a PNG of the attention in its colours; return µm per px.

    It begins at the slide's corner and ends with the last tile; transparent where no tile is.
    """
    from PIL import Image

    record = run_file.record
    tiles = _tiles(run_file)
    source = attention_layer(run_file, 1, 1).source  # its size does not matter: nothing is placed
    assert isinstance(source, HeatmapSource)
    source.style = replace(source.style, low_opacity=1.0)
    colors = source.painted(tiles.image(tiles.relative_attention, record.grid_px))
    enlarged = max(1, min(record.tile_px, _SIDE_PX // max(record.grid_px)))
    pixels = colors.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    mpp = tile_um(record) / enlarged
    Image.fromarray(pixels).save(file, "PNG", pnginfo=_said(source, mpp))
    return mpp


def _said(source: HeatmapSource, mpp: float) -> Any:
    from PIL.PngImagePlugin import PngInfo

    said = PngInfo()
    low, high = source.limits
    said.add_text("Meaning", ATTENTION_MEANING)
    said.add_text("Values", f"{source.style.colormap}: {low:g} – {high:g}")
    said.add_text("Microns per pixel", str(mpp))
    said.add_text("Notice", RESEARCH_USE)
    return said


def write_values(file: IO[bytes], run_file: RunFile) -> float:
    """Write an OME-TIFF of float32, a channel a value, NaN where no tile is; return µm per px."""
    import tifffile

    record, tiles = run_file.record, _tiles(run_file)
    values = tile_values(record, tiles)
    planes = np.stack([tiles.image(one, record.grid_px) for one in values.values()])
    tifffile.imwrite(
        file,
        planes,
        ome=True,
        photometric="minisblack",
        compression="zlib",
        metadata=_metadata(record, list(values)),
    )
    return tile_um(record)


def _metadata(record: RunRecord, names: list[str]) -> dict[str, Any]:
    place = _("One pixel is {side:g} level-0 pixels of the slide, from its corner on.")
    place = place.format(side=record.scale_l0)
    described = f"{record.title}. {ATTENTION_MEANING}. {place} {RESEARCH_USE}"
    facts: dict[str, Any] = {
        "axes": "CYX",
        "Name": record.pseudonym,
        "Description": described,
        "Channel": {"Name": names},
    }
    for axis in "XY":
        facts |= {f"PhysicalSize{axis}": tile_um(record), f"PhysicalSize{axis}Unit": "µm"}
    return facts


def tile_um(record: RunRecord) -> float:
    """Return the side of a tile, µm."""
    return (record.mpp or 0.0) * record.tile_px


def _tiles(run_file: RunFile) -> BagTiles:
    check_is_of_slide(run_file.record)
    tiles = run_file.bag_rows().read()
    if tiles is not None:
        return tiles
    nothing: npt.NDArray[np.float32] = np.zeros((0, len(run_file.record.classes)), np.float32)
    places = np.zeros(0, np.int32)
    return BagTiles(places, places, nothing.sum(axis=1), nothing)

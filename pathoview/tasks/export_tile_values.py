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
from pathoview.tasks.tile_outlines import check_is_of_slide, tile_um, tile_values

_SIDE_PX = 2048
"""A picture's longer side is about that: each tile is some whole px wide and high."""
_TRACE = 1e-6
"""What rounding may take from a whole number."""


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
    across, down = _enlarged(record)
    pixels = colors.repeat(down, axis=0).repeat(across, axis=1)
    mpp = tile_um(record)[0] / across
    Image.fromarray(pixels).save(file, "PNG", pnginfo=_said(source, mpp))
    return mpp


def _enlarged(record: RunRecord) -> tuple[int, int]:
    """Return how many px a tile is wide and high in a picture."""
    cell = np.array(record.cell_l0)
    scale = min(record.tile_px / cell.max(), _SIDE_PX / (cell * record.grid_px).max())
    across, down = np.maximum(1, np.floor(cell * scale + _TRACE)).astype(int).tolist()
    return across, down


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
    return tile_um(record)[0]


def _metadata(record: RunRecord, names: list[str]) -> dict[str, Any]:
    place = _("One pixel is {width:g} × {height:g} level-0 pixels, from the slide's corner on.")
    place = place.format(width=record.cell_l0.width, height=record.cell_l0.height)
    described = f"{record.title}. {ATTENTION_MEANING}. {place} {RESEARCH_USE}"
    facts: dict[str, Any] = {
        "axes": "CYX",
        "Name": record.pseudonym,
        "Description": described,
        "Channel": {"Name": names},
    }
    for axis, side_um in zip("XY", tile_um(record), strict=True):
        facts |= {f"PhysicalSize{axis}": side_um, f"PhysicalSize{axis}Unit": "µm"}
    return facts


def _tiles(run_file: RunFile) -> BagTiles:
    check_is_of_slide(run_file.record)
    tiles = run_file.bag_rows().read()
    if tiles is not None:
        return tiles
    nothing: npt.NDArray[np.float32] = np.zeros((0, len(run_file.record.classes)), np.float32)
    places = np.zeros(0, np.int32)
    return BagTiles(places, places, nothing.sum(axis=1), nothing)

"""What an export of a map or of tiles can be told; forms and command line are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import field_validator

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


class MapParams(BaseParams):
    """How a map of classes becomes outlines, or a picture."""

    tolerance_um: float = param(
        2.0,
        _("Tolerance"),
        _("Outlines lie within this distance of the pixels' edges; 0 keeps every step."),
        unit="µm",
        ge=0,
        le=1000,
    )
    smallest_um2: float = param(
        100.0,
        _("Smallest area"),
        _("Smaller regions are left out, and smaller holes filled."),
        unit="µm²",
        ge=0,
        le=1e9,
    )
    as_float: bool = param(
        False,
        _("Floating-point numbers"),
        _("Probabilities as 0–1 rather than 0–255; larger files."),
    )


class AttentionParams(BaseParams):
    """How the tiles that a whole slide was predicted from are written."""

    squares: bool = param(
        True,
        _("Tiles"),
        _("Each tile as a square with its attention and its evidence."),
    )
    contours: str = param(
        "2",
        _("Contours from"),
        _("Areas of at least this are outlined; several are parted by commas, none: no outlines."),
    )
    contours_of: str = param(
        "",
        _("Contours of"),
        _("A class, whose evidence (0–1) is outlined; empty: attention (1: an average tile)."),
    )

    @field_validator("contours")
    @classmethod
    def _check_contours(cls, text: str) -> str:
        _numbers(text)
        return text

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The values that are outlined, rising."""
        return _numbers(self.contours)


def _numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a text, rising; raise ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        numbers = sorted({float(part) for part in parts})
    except ValueError as error:
        raise ValueError(_("numbers parted by commas are wanted")) from error
    if any(not 0 < number < float("inf") for number in numbers):
        raise ValueError(_("numbers above 0 are wanted"))
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class MapFormat:
    """A picture that a map, or the tiles of a whole slide, can be written as."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    """The first is that of files to be written."""
    gives: Literal["pixel", "bag"] = "pixel"
    """Of what runs; see `records.RunRecord.gives`."""


CLASS_MAP = MapFormat("class-map", _("Picture of the classes"), (".png",))
PROBABILITIES = MapFormat("probabilities", _("Probabilities (OME-TIFF)"), (".ome.tif", ".ome.tiff"))
MAP_FORMATS = (CLASS_MAP, PROBABILITIES)
ATTENTION_PICTURE = MapFormat("attention", _("Picture of the attention"), (".png",), "bag")
TILE_VALUES = MapFormat(
    "tile-values", _("Values of the tiles (OME-TIFF)"), (".ome.tif", ".ome.tiff"), "bag"
)
TILE_FORMATS = (ATTENTION_PICTURE, TILE_VALUES)

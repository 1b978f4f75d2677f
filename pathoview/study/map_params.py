"""What an export of a map can be told; the form and the command line are made from it."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class MapFormat:
    """A picture that a map can be written as."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    """The first is that of files to be written."""


CLASS_MAP = MapFormat("class-map", _("Picture of the classes"), (".png",))
PROBABILITIES = MapFormat("probabilities", _("Probabilities (OME-TIFF)"), (".ome.tif", ".ome.tiff"))
MAP_FORMATS = (CLASS_MAP, PROBABILITIES)

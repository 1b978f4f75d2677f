"""What an export of a map, of tiles or of a picture can be told; forms are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import field_validator

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


def _tolerance() -> Any:
    return param(
        2.0,
        _("Tolerance"),
        _("Outlines lie within this distance of the pixels' edges; 0 keeps every step."),
        unit="µm",
        ge=0,
        le=1000,
    )


def _smallest() -> Any:
    return param(
        100.0,
        _("Smallest area"),
        _("Smaller regions are left out, and smaller holes filled."),
        unit="µm²",
        ge=0,
        le=1e9,
    )


class MapParams(BaseParams):
    """How a map of classes becomes outlines, or a picture."""

    tolerance_um: float = _tolerance()
    smallest_um2: float = _smallest()
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


class SynthesisParams(BaseParams):
    """What is outlined of a run that shows tissue as if it were healthy."""

    of: Literal["pathology", "difference"] = param(
        "pathology",
        _("Outlines of"),
        _("What is taken for pathology, or what differs from the pseudo-healthy picture."),
    )
    probability: float = param(
        0.5,
        _("Probability from"),
        _("Pathology of at least this probability is outlined."),
        ge=0.01,
        le=1,
    )
    difference: float = param(
        25.0,
        _("Difference from"),
        _("What differs by at least so many grey levels (0–255) is outlined."),
        ge=1,
        le=255,
    )
    tolerance_um: float = _tolerance()
    smallest_um2: float = _smallest()

    @property
    def threshold(self) -> float:
        """Of what is outlined."""
        return self.probability if self.of == "pathology" else self.difference


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
    """A picture, or a table, that what a run has made can be written as."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    """The first is that of files to be written."""
    gives: Literal["pixel", "bag", "synthesis"] = "pixel"
    """Of what runs; see `records.RunRecord.gives`."""


CLASS_MAP = MapFormat("class-map", _("Picture of the classes"), (".png",))
PROBABILITIES = MapFormat("probabilities", _("Probabilities (OME-TIFF)"), (".ome.tif", ".ome.tiff"))
MAP_FORMATS = (CLASS_MAP, PROBABILITIES)
ATTENTION_PICTURE = MapFormat("attention", _("Picture of the attention"), (".png",), "bag")
TILE_VALUES = MapFormat(
    "tile-values", _("Values of the tiles (OME-TIFF)"), (".ome.tif", ".ome.tiff"), "bag"
)
TILE_FORMATS = (ATTENTION_PICTURE, TILE_VALUES)
PSEUDO_HEALTHY = MapFormat("pseudo-healthy", _("Pseudo-healthy picture"), (".png",), "synthesis")
PSEUDO_HEALTHY_PYRAMID = MapFormat(
    "pseudo-healthy-tiff",
    _("Pseudo-healthy picture (OME-TIFF)"),
    (".ome.tif", ".ome.tiff"),
    "synthesis",
)
DIFFERENCE = MapFormat(
    "difference",
    _("Difference and pathology (OME-TIFF)"),
    (".ome.tif", ".ome.tiff"),
    "synthesis",
)
PATHOLOGY_TABLE = MapFormat(
    "pathology-table", _("Table of regions (CSV)"), (".csv", ".tsv"), "synthesis"
)
SYNTHESIS_FORMATS = (PSEUDO_HEALTHY, PSEUDO_HEALTHY_PYRAMID, DIFFERENCE, PATHOLOGY_TABLE)
RUN_FORMATS = (*MAP_FORMATS, *TILE_FORMATS, *SYNTHESIS_FORMATS)
"""As all of which what runs have made can be written."""

_AREA_PARAMS: dict[str, type[BaseParams]] = {"bag": AttentionParams, "synthesis": SynthesisParams}


def area_params(gives: str) -> type[BaseParams]:
    """Return what can be set about the areas of runs of a kind (`records.RunRecord.gives`)."""
    return _AREA_PARAMS.get(gives, MapParams)

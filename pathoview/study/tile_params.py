"""What an export of tiles can be told; the form and the command line are made from it."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


class TileParams(BaseParams):
    """How slides are cut into pictures and masks to train on."""

    um_per_px: float = param(
        0.5, _("Resolution"), _("Of pictures and masks; 0.5 is 20×."), unit="µm/px", ge=0.01, le=100
    )
    tile_px: int = param(512, _("Side"), _("Of a tile, pixels."), unit="px", ge=16, le=8192)
    overlap: float = param(
        0.0,
        _("Overlap"),
        _("Share of its side that a tile has in common with the next."),
        ge=0,
        le=0.9,
    )
    min_labelled: float = param(
        0.01, _("Least labelled"), _("Share of a tile that must be labelled."), ge=0, le=1
    )
    scribble_um: float = param(
        10.0, _("Width of strokes"), _("Scribbles and lines are drawn this wide."), unit="µm", ge=0
    )
    point_um: float = param(
        3.0, _("Radius of points"), _("Points are drawn as discs."), unit="µm", ge=0
    )
    split: str = param("", _("Split"), _("Such as train=0.8,val=0.2; empty: none."))
    by: Literal["patient", "slide"] = param(
        "patient",
        _("Never in two splits"),
        _("Slides of one patient stay together, or each slide."),
    )
    seed: int = param(1, _("Seed"), _("Another one gives other splits."), ge=0)

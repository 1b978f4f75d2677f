"""What a picture is to show: a value that a thread can work with while the window goes on."""

from __future__ import annotations

from dataclasses import dataclass

from pathoview.core.geometry import Rect
from pathoview.layers.compose import Shown
from pathoview.layers.frame import Frame
from pathoview.layers.measuring_grid import DARK_LINE
from pathoview.layers.paint import Color
from pathoview.layers.source import TileSource

WHITE: Color = (255, 255, 255)
DARK: Color = (20, 21, 24)


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """A place, the layers over it, and what is written beside them."""

    frame: Frame
    """What is seen, in px of the picture."""
    shown: tuple[Shown, ...]
    """Back to front."""
    slide_l0: Rect
    mpp: tuple[float, float] | None = None
    """µm per level-0 px; None: no scale bar and no grid."""
    enlarged: float = 1.0
    """How many times as large as on the screen letters and lines are."""
    background: Color = WHITE
    """Around the slide."""
    scale_bar: bool = True
    grid: bool = False
    grid_um: float | None = None
    """Distance of the grid's lines; None: one that suits the scale."""
    grid_color: Color = DARK_LINE
    legend: tuple[tuple[str, TileSource], ...] = ()
    """Layers that a legend explains, by name."""
    note: str = ""
    """A short line at the bottom."""
    beyond: tuple[Shown, ...] = ()
    """What is drawn instead right of the curtain."""
    curtain: float | None = None
    """Where the curtain is, as a share of the width; None: there is none."""

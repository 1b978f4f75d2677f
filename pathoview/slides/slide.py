"""What every reader gives: facts about the picture, and raw pixels of any level and plane."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pathoview.core.byte_cache import ByteCache
from pathoview.core.closing import Closing
from pathoview.core.errors import MissingScaleError
from pathoview.core.pyramid import Level, Plane, Pyramid
from pathoview.core.translation import _

Pixels = npt.NDArray[Any]

PLAUSIBLE_MPP = (0.02, 60.0)
"""µm per px that a microscope or a thumbnail of a slide can have; others are asked for."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a picture; ``color`` is (red, green, blue), 0–255, None: grey."""

    name: str
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class SlideInfo:
    """Facts about a slide. Sizes are level-0 px of the orientation-applied picture."""

    reader: str
    """Name of the reader: ``openslide``, ``tiff``, ``image``, ``folder`` or ``video``."""
    vendor: str
    levels: tuple[Level, ...]
    native_tile_px: int
    """Side of a stored tile at level 0, px; 0 when the file has no tiles."""
    dtype: str
    """numpy name of the samples: ``uint8``, ``uint16``, ``float32`` …"""
    channels: tuple[Channel, ...]
    """As many as `Slide.read` returns on the last axis for ``plane.c == -1``."""
    is_rgb: bool
    """The channels are red, green, blue (never with alpha: readers compose it on white)."""
    mpp: tuple[float, float] | None = None
    """µm per level-0 px (x, y); None when the file states none or an impossible one."""
    mpp_problem: str = ""
    """Why `mpp` is None, as a sentence; empty when it is known."""
    objective_power: float | None = None
    size_z: int = 1
    size_t: int = 1
    bounds_offset_l0: tuple[int, int] = (0, 0)
    """Origin of the vendor's bounds (``openslide.bounds-x/y``), subtracted on export."""
    icc_profile: bytes | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return self.levels[0].width

    @property
    def height(self) -> int:
        return self.levels[0].height


class Slide(Closing):
    """An open slide. `read` may be called from several threads at once."""

    path: Path
    info: SlideInfo
    content_hash: str
    """Hexadecimal hash of the file's content (`slides.identity`); survives moving it."""
    scale_source: Literal["file", "user"] = "file"
    """Who stated the µm per pixel."""
    is_series: bool = False
    """Its planes of time are the frames of a clip, or the pictures of one folder."""

    @property
    def pseudonym(self) -> str:
        """A name that tells nothing of the patient; used in logs, reports and exports."""
        return f"slide-{self.content_hash[:8]}"

    @property
    def mpp(self) -> float:
        """µm per level-0 px (mean of x and y); raise `MissingScaleError` when unknown."""
        if self.info.mpp is None:
            raise MissingScaleError(
                self.info.mpp_problem or _("The slide states no µm per pixel."),
                _("Give it once with --mpp or in the window; it is remembered."),
            )
        return (self.info.mpp[0] + self.info.mpp[1]) / 2

    @abstractmethod
    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        """Return raw pixels of a rectangle given in px of ``level``.

        Shape (height, width, channel); white (the dtype's maximum for RGB, else 0) beyond the
        picture's edge. ``plane.c`` -1 gives all channels, else one. Raises `SlideError` when the
        pixels cannot be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the file; reads after this raise `SlideError`."""

    def use_memory(self, memory: ByteCache) -> None:
        """Count what is kept of decoded tiles to a memory shared with others."""

    def time_s(self, t: int) -> float | None:
        """Return when a frame was taken, seconds from the first; None: nobody says."""
        return None

    def associated_names(self) -> tuple[str, ...]:
        """Names of label, macro and thumbnail pictures (they may show a patient's name)."""
        return ()

    def read_associated(self, name: str) -> Pixels:
        """Return an associated picture, (height, width, 3) uint8; KeyError when unknown."""
        raise KeyError(name)

    def pyramid(self, tile_size: int) -> Pyramid:
        """Return the slide's levels cut into tiles of ``tile_size`` px."""
        return Pyramid(self.info.levels, tile_size)


def cut_out(stored: Pixels, x: int, y: int, width: int, height: int, info: SlideInfo) -> Pixels:
    """Return a copy of a rectangle of a level in memory, (row, column, channel), `white` beyond."""
    left, top = max(x, 0), max(y, 0)
    found = stored[top : max(y + height, 0), left : max(x + width, 0)]
    if found.shape[:2] == (height, width):
        return found.copy()
    pixels = white(height, width, len(info.channels), info.dtype, info.is_rgb)
    rows, columns = found.shape[:2]
    pixels[top - y : top - y + rows, left - x : left - x + columns] = found
    return pixels


def white(height: int, width: int, n_channels: int, dtype: str, is_rgb: bool) -> Pixels:
    """Return what lies beyond a picture's edge: white for RGB, nothing (0) otherwise."""
    kind = np.dtype(dtype)
    fill = np.iinfo(kind).max if is_rgb and kind.kind in "ui" else 1.0 if is_rgb else 0
    return np.full((height, width, n_channels), fill, dtype=kind)

"""Paint what looks like the place under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import shapely

from pathoview.annotations.shapes import fill_holes
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.drawing.patch import Patch
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.drawing.wand import Space, Wand
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.pixel_brush import Grown, PixelBrush
from pathoview.session.tools.tool import Pointer
from pathoview.slides.stains import StainMatrix

_LEAST_STEP, _LARGEST_STEP = 0.25, 0.75
"""Regions of a stroke are grown so many radii apart."""
_TOLERANCE_PX = 1.0
"""Of a patch: it takes the steps of the pixels away."""
_LARGEST_HOLE = 0.1
"""Holes of a stroke that are filled, as a share of the brush's disc."""
_ROOM = 3.0
_LEAST_PATCH_PX, _LARGEST_PATCH_PX = 384.0, 1536.0
"""A patch is so many diameters of the brush wide, within these bounds."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a wand looks at, and how; another look needs another wand."""

    pixels: PatchReader
    downsample: float
    space: Space
    stains: StainMatrix


@dataclass(frozen=True, slots=True)
class _Ground:
    """Pixels that a wand was made for."""

    wand: Wand
    patch: Patch
    look: _Look

    def has_room_for(self, rect_l0: Rect) -> bool:
        """Say whether all of a rectangle is on the patch, or else beside the slide."""
        wanted = rect_l0.intersection(self.look.pixels.bounds_l0)
        corners = (wanted.x, wanted.y), (wanted.right, wanted.bottom)
        places = self.patch.to_patch(corners)
        # A px at the rim may be cut off by rounding.
        size = np.array([self.patch.width, self.patch.height])
        return bool(((places >= -1) & (places <= size + 1)).all())


class WandTool(PixelBrush):
    """What is grown from the places that the pointer goes over, no farther than the brush."""

    options = ("wand_space", "wand_sensitivity", "brush_view")

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._ground: _Ground | None = None

    @property
    def prompt(self) -> str:
        return _("Drag over what looks alike; Alt takes away, Shift goes on with the chosen one.")

    @property
    def stroke_name(self) -> str:
        return _("Wand")

    def cancel(self) -> None:
        super().cancel()
        self._ground = None

    @property
    def tolerance_l0(self) -> float:
        return 0.0 if self._ground is None else _TOLERANCE_PX * self._ground.patch.downsample

    def is_far(self, before: Pointer, at: Pointer) -> bool:
        way_l0 = np.hypot(at.x_l0 - before.x_l0, at.y_l0 - before.y_l0)
        return bool(way_l0 >= _LEAST_STEP * self.radius_l0(at))

    def grow(self, before: Pointer, at: Pointer) -> None:
        pixels = self.kit.pixels
        if pixels is None:
            return
        settings = self.kit.settings
        look = _Look(pixels, 1 / at.scale, settings.wand_space, self.kit.stains)
        radius_l0, sensitivity = self.radius_l0(at), settings.wand_sensitivity
        places = _places(before, at, _LARGEST_STEP * radius_l0)
        work = partial(_grown, look, self._ground, places, radius_l0, sensitivity, self._shape)
        self.backlog.work(work, partial(self._on_grown, at))

    def _on_grown(self, at: Pointer, grown: tuple[_Ground | None, Grown]) -> None:
        self._ground, shape = grown
        self.painted(at, shape)


def _places(before: Pointer, at: Pointer, step_l0: float) -> list[tuple[float, float]]:
    """Return the places on the way to a place, as far apart as a step, and that itself."""
    way = np.array(at.place_l0) - before.place_l0
    n_steps = max(1, math.ceil(np.hypot(*way) / step_l0))
    places = before.place_l0 + way * np.arange(1, n_steps + 1)[:, None] / n_steps
    return [(x, y) for x, y in places.tolist()]


def _grown(
    look: _Look,
    ground: _Ground | None,
    places_l0: Sequence[tuple[float, float]],
    radius_l0: float,
    sensitivity: float,
    before: Grown,
) -> tuple[_Ground | None, Grown]:
    """Return what was painted with what is grown from places, and the ground for the next."""
    found = [] if before is None else [before]
    for place_l0 in places_l0:
        around = _around(place_l0, radius_l0)
        if ground is None or ground.look != look or not ground.has_room_for(around):
            ground = _ground_at(look, place_l0, radius_l0)
        if ground is not None:
            radius_px = radius_l0 / ground.patch.downsample
            shape = ground.wand.grow(*place_l0, radius_px=radius_px, sensitivity=sensitivity)
            found += [] if shape is None else [shape]
    if not found:
        return ground, None
    return ground, fill_holes(shapely.union_all(found), _LARGEST_HOLE * np.pi * radius_l0**2)


def _ground_at(look: _Look, place_l0: tuple[float, float], radius_l0: float) -> _Ground | None:
    side_px = float(
        np.clip(2 * _ROOM * radius_l0 / look.downsample, _LEAST_PATCH_PX, _LARGEST_PATCH_PX)
    )
    reach_l0 = max(side_px * look.downsample / 2, radius_l0)
    patch = look.pixels.read(_around(place_l0, reach_l0), look.downsample)
    if patch is None:
        return None
    return _Ground(Wand(patch, space=look.space, stains=look.stains), patch, look)


def _around(place_l0: tuple[float, float], reach_l0: float) -> Rect:
    x, y = place_l0
    return Rect(x - reach_l0, y - reach_l0, 2 * reach_l0, 2 * reach_l0)

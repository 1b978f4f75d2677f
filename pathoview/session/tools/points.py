"""One click a nucleus: points to count, and to learn from."""

from __future__ import annotations

from functools import partial

import shapely

from pathoview.annotations.feature import Feature
from pathoview.core.errors import SlideError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.drawing.snap import snapped
from pathoview.session.drawing.stain import Stained
from pathoview.session.tools.backlog import Backlog
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.tool import NOTHING, DrawingTool, Pointer, Preview
from pathoview.slides.stains import StainMatrix

_MPP = 0.5
"""Fine enough for the middle of a nucleus."""


class PointsTool(DrawingTool):
    """A press beside a point sets one; a press on a point chooses it, and a drag moves it.

    A new point may snap to the nearest maximum of the nuclear stain: pixels are read first.
    """

    options = ("snaps_points", "snap_radius_um")

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._backlog = Backlog(kit, self.cancel)
        self._held: Feature | None = None
        self._to: tuple[float, float] | None = None

    @property
    def prompt(self) -> str:
        return _("Click to set points, drag a point to move it.")

    @property
    def is_busy(self) -> bool:
        return self._to is not None or self._backlog.is_working

    def cursor(self, at: Pointer) -> str:
        return "move" if self._point_at(at) is not None else "cross"

    def _point_at(self, at: Pointer) -> Feature | None:
        here = self.annotations.find(at.x_l0, at.y_l0, at.reach_l0)
        found = (one for one in here if isinstance(one.geometry, shapely.Point))
        return next(found, None)

    def press(self, at: Pointer) -> bool:
        self._held, self._to = self._point_at(at), None
        if self._held is None:
            self._backlog.tell(partial(self._set_point, at))
        else:
            self.annotations.select([self._held.id])
        return True

    def drag(self, at: Pointer) -> None:
        if self._held is not None and not self._held.is_locked:
            self._to = at.place_l0
            self.show(Preview(handles_l0=(self._to,)))

    def release(self, at: Pointer) -> None:
        held, to = self._held, self._to
        self._held = self._to = None
        if held is not None:
            self.show(NOTHING)
        if held is not None and to is not None:
            self.annotations.reshape(held, shapely.Point(to), _("Move point"))

    def double_click(self, at: Pointer) -> None:
        """Two quick clicks are two presses; the second one is on the point of the first."""

    def cancel(self) -> None:
        self._backlog.clear()
        self._held = self._to = None
        self.show(NOTHING)

    # -- a new point -----------------------------------------------------------------------------

    def _set_point(self, at: Pointer) -> None:
        """Add a point, there or on the nucleus that was meant."""
        kit, settings = self.kit, self.kit.settings
        if not settings.snaps_points or kit.mean_mpp is None or kit.pixels is None:
            self._draw(at.place_l0)
            return
        self.show(Preview(handles_l0=(at.place_l0,)))
        stains = kit.stains, kit.stained
        radius_um = settings.snap_radius_um
        work = partial(_snapped, kit.pixels, at.place_l0, kit.mean_mpp, *stains, radius_um)
        self._backlog.work(work, self._on_snapped)

    def _on_snapped(self, place_l0: tuple[float, float]) -> None:
        self.show(NOTHING)
        self._draw(place_l0)

    def _draw(self, place_l0: tuple[float, float]) -> None:
        self.annotations.draw(shapely.Point(place_l0), _("Set point"))


def _snapped(
    pixels: PatchReader,
    place_l0: tuple[float, float],
    mpp: float,
    stains: StainMatrix,
    stained: Stained,
    radius_um: float,
) -> tuple[float, float]:
    """Return where a point belongs; the place itself where there is nothing, or it is unreadable.

    ``mpp``: of level 0.
    """
    (x, y), reach_l0 = place_l0, 2 * radius_um / mpp
    try:
        rect_l0 = Rect(x - reach_l0, y - reach_l0, 2 * reach_l0, 2 * reach_l0)
        patch = pixels.read(rect_l0, _MPP / mpp)
    except SlideError:
        return place_l0
    if patch is None:
        return place_l0
    of_patch = mpp * patch.downsample
    found = snapped(patch, x, y, mpp=of_patch, stains=stains, stained=stained, radius_um=radius_um)
    return found or place_l0

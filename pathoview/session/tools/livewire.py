"""Draw along edges of the picture: between two clicks the line finds its way by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import shapely

from pathoview.annotations.shapes import tidy
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.drawing.livewire import LiveWire
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.tools.backlog import Backlog
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.tool import (
    BACK,
    NOTHING,
    REACH_VIEW,
    DrawingTool,
    Outline,
    Pointer,
    Points,
    Preview,
)

_REACH_PX = 256.0
"""How far around its last anchor the line finds its way, px of the patch."""
_MARGIN_PX = 96.0
"""An anchor nearer to the rim of the patch gets another patch."""
_TOLERANCE_PX = 0.7
_FREEHAND_VIEW = 6.0
"""A press that is dragged farther draws freehand."""
_STEP_VIEW = 2.0
_AREA = shapely.Polygon()


@dataclass(frozen=True, slots=True)
class _Wire:
    """Edges around a place, with the ways from the last anchor."""

    live: LiveWire
    rect_l0: Rect
    downsample: float
    pixels: PatchReader

    def suits(self, at: Pointer, pixels: PatchReader) -> bool:
        """Say whether the ways from an anchor may be found on this patch."""
        if pixels != self.pixels or not 0.5 < self.downsample * at.scale < 2:
            return False
        beside = pixels.bounds_l0.intersection(self.rect_l0.expanded(-_MARGIN_PX * self.downsample))
        return beside.contains(*at.place_l0)


class LiveWireTool(DrawingTool):
    """Clicks set anchors; a double click, Return or a click on the first one closes the outline.

    With Shift a piece is straight, a drag draws it freehand, and Backspace takes it back.
    """

    options = (BACK,)

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._backlog = Backlog(kit, self.cancel)
        self._pieces: list[Points] = []
        """Each begins after the anchor at which the one before ends; the first is an anchor."""
        self._drag: list[tuple[float, float]] = []
        """Freehand, since the press."""
        self._pressed: Pointer | None = None
        self._last: Pointer | None = None
        self._wire: _Wire | None = None
        """None: at the last anchor it is not ready yet."""
        self._before: _Wire | None = None
        """The one that was used last."""

    @property
    def prompt(self) -> str:
        return _("Click along an edge, Shift for a straight piece; a double click closes.")

    @property
    def is_busy(self) -> bool:
        return bool(self._pieces) or self._backlog.is_waiting

    # -- what is told ----------------------------------------------------------------------------

    def press(self, at: Pointer) -> bool:
        self._pressed, self._drag = at, []
        return True

    def drag(self, at: Pointer) -> None:
        if self._pressed is None:
            return
        if self._drag or self._pressed.way_view(at) > _FREEHAND_VIEW:
            last = self._drag[-1] if self._drag else self._pressed.place_l0
            if np.hypot(last[0] - at.x_l0, last[1] - at.y_l0) * at.scale >= _STEP_VIEW:
                self._drag.append(at.place_l0)
        self.hover(at)

    def release(self, at: Pointer) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is None:
            return
        self._backlog.tell(partial(self._click, pressed))
        if self._drag:
            line = np.array([*self._drag, at.place_l0])
            self._drag = []
            self._backlog.tell(partial(self._add_freehand, at, line))
        self.hover(at)

    def hover(self, at: Pointer) -> None:
        self._last = at
        if self._pieces or self._drag:
            self.show(self._preview(at))

    def double_click(self, at: Pointer) -> None:
        self._backlog.tell(partial(self._close, at))

    @property
    def keys(self) -> frozenset[str]:
        return frozenset({"return", "backspace"} if self.is_busy else ())

    def key(self, name: str) -> bool:
        self._backlog.tell(self._close if name == "return" else self._take_back)
        return True

    def leave(self) -> None:
        self._last = None

    def cancel(self) -> None:
        self._backlog.clear()
        self._forget()

    def _forget(self) -> None:
        self._pieces.clear()
        self._drag = []
        self._pressed = self._last = self._wire = self._before = None
        self.show(NOTHING)

    # -- what is done, one after another ---------------------------------------------------------

    def _click(self, at: Pointer) -> None:
        first = self._pieces[0][0] if len(self._pieces) > 2 else None
        if first is not None and np.hypot(*(first - at.place_l0)) * at.scale <= REACH_VIEW:
            self._close()
        else:
            self._pieces.append(self._way_to(at))
            self._set_anchor(at)

    def _add_freehand(self, at: Pointer, line: Points) -> None:
        if self._pieces:
            self._pieces.append(line)
            self._set_anchor(at)

    def _take_back(self) -> None:
        if self._pieces:
            self._pieces.pop()
        if self._pieces and self._before is not None:
            x, y = self._pieces[-1][-1].tolist()
            self._set_anchor(Pointer(x, y, scale=1 / self._before.downsample))
        self._look_again()

    def _close(self, at: Pointer | None = None) -> None:
        """Add what was drawn; of a double click on nothing choose what is there."""
        pieces, tolerance_l0 = list(self._pieces), self._tolerance_l0
        if len(pieces) > 1:
            x, y = pieces[0][0].tolist()
            pieces.append(self._way_to(Pointer(x, y)))
        self._forget()
        points = np.concatenate(pieces) if pieces else np.empty((0, 2))
        if len(points) > 3:
            shape = tidy(shapely.simplify(shapely.Polygon(points), tolerance_l0), _AREA)
            if shape is not None:
                self.commit(shape, _("Draw along edges"))
        elif at is not None:
            self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)

    def _way_to(self, at: Pointer) -> Points:
        """Return the piece from the last anchor to a place, without the anchor."""
        if self._wire is None or at.is_shift or not self._pieces:
            return np.array([at.place_l0])
        return self._wire.live.path_to(*at.place_l0)[1:]

    @property
    def _tolerance_l0(self) -> float:
        return 0.0 if self._before is None else _TOLERANCE_PX * self._before.downsample

    def _set_anchor(self, at: Pointer) -> None:
        """Have the ways from a place worked out."""
        pixels = self.kit.pixels
        self._wire = None
        if pixels is not None:
            self._backlog.work(partial(_anchored, pixels, self._before, at), self._on_anchored)

    def _on_anchored(self, wire: _Wire | None) -> None:
        self._wire = self._before = wire
        self._look_again()

    # -- what is shown ---------------------------------------------------------------------------

    def _look_again(self) -> None:
        if self._last is not None:
            self.show(self._preview(self._last) if self._pieces else NOTHING)

    def _preview(self, at: Pointer) -> Preview:
        done = np.concatenate(self._pieces) if self._pieces else np.empty((0, 2))
        if self._drag:
            pressed = [] if self._pressed is None else [self._pressed.place_l0]
            way = np.array([*pressed, *self._drag, at.place_l0])
        else:
            way = self._way_to(at)
        line = np.concatenate([done, way])
        anchors = tuple((x, y) for x, y in (piece[-1].tolist() for piece in self._pieces))
        return Preview((Outline(line, is_dashed=self.kit.is_selecting),), anchors)


def _anchored(pixels: PatchReader, before: _Wire | None, at: Pointer) -> _Wire | None:
    """Return the ways from an anchor; None: it is beside the slide."""
    wire = before
    if wire is None or not wire.suits(at, pixels):
        reach_l0 = _REACH_PX / at.scale
        rect_l0 = Rect(at.x_l0 - reach_l0, at.y_l0 - reach_l0, 2 * reach_l0, 2 * reach_l0)
        patch = pixels.read(rect_l0, 1 / at.scale)
        if patch is None:
            return None
        wire = _Wire(LiveWire(patch), rect_l0, patch.downsample, pixels)
    wire.live.set_anchor(*at.place_l0)
    return wire

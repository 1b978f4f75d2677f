"""What every drawing tool is told, and what it shows meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely
from psygnal import Signal

from pathoview.annotations.feature import Role
from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.session.annotation_desk import AnnotationDesk

if TYPE_CHECKING:
    from pathoview.session.tools.kit import ToolKit

Points = npt.NDArray[np.float64]
"""(n, 2) x, y in level-0 px."""
Color = tuple[int, int, int]

REACH_VIEW = 7.0
"""How near, px of the view, a pointer must come to a handle, a line or a point."""


_UNTURNED = Affine()
_EVERYWHERE = Rect(-1e9, -1e9, 2e9, 2e9)


@dataclass(frozen=True, slots=True)
class Look:
    """How the slide lies on the screen, for what keeps its size and its side there."""

    affine: Affine = _UNTURNED
    """From level-0 px to px of the view."""
    visible_l0: Rect = _EVERYWHERE

    @property
    def scale(self) -> float:
        """Px of the view a level-0 px."""
        return self.affine.scale

    def way_view(self, dx_l0: float, dy_l0: float) -> tuple[float, float]:
        """Return where a way on the slide leads on the screen, px of the view."""
        return self.affine.xx * dx_l0 + self.affine.xy * dy_l0, (
            self.affine.yx * dx_l0 + self.affine.yy * dy_l0
        )

    def way_l0(self, dx_view: float, dy_view: float) -> tuple[float, float]:
        """Return where a way on the screen leads on the slide, level-0 px."""
        back = self.affine.inverse()
        return back.xx * dx_view + back.xy * dy_view, back.yx * dx_view + back.yy * dy_view


_PLAIN = Look()


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, and what is held down."""

    x_l0: float
    y_l0: float
    scale: float = 1.0
    """Px of the view a level-0 px."""
    is_shift: bool = False
    is_alt: bool = False
    is_ctrl: bool = False
    pressure: float = 1.0
    """Of a pen, 0 to 1; a mouse presses with 1."""
    look: Look = _PLAIN

    @property
    def place_l0(self) -> tuple[float, float]:
        return self.x_l0, self.y_l0

    @property
    def reach_l0(self) -> float:
        """`REACH_VIEW` in level-0 px."""
        return REACH_VIEW / self.scale

    def way_view(self, other: Pointer) -> float:
        """Return how far another place is, px of the view."""
        return float(np.hypot(other.x_l0 - self.x_l0, other.y_l0 - self.y_l0)) * self.scale


BACK = "goes_back_to_move"
"""One of the `DrawingTool.options`: after each annotation the move tool is in hand again."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A line to be drawn, level-0 px."""

    points_l0: Points
    is_closed: bool = False
    is_filled: bool = False
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a tool would have the canvas draw over the picture."""

    outlines: tuple[Outline, ...] = ()
    handles_l0: tuple[tuple[float, float], ...] = ()
    """Places to grab: small squares."""
    knobs_l0: tuple[tuple[float, float], ...] = ()
    """Places to grab: small disks."""
    circle_l0: tuple[float, float, float] | None = None
    """x, y, radius of the brush; None: none."""
    text: str = ""
    """A length, a size, an angle."""
    text_l0: tuple[float, float] | None = None
    """Beside which place it is written; None: the end of the last outline."""
    color: Color | None = None
    """None: that of the drawing class."""


NOTHING = Preview()


class DrawingTool:
    """One tool. Methods are called on the session's thread, with the slide open."""

    changed = Signal()
    """`preview`, or `is_busy`."""
    options: tuple[str, ...] = ()
    """Fields of `DrawingSettings` that this tool follows, the most used one first."""

    def __init__(self, kit: ToolKit) -> None:
        self.kit = kit
        self.preview: Preview = NOTHING
        self.key_look = _PLAIN
        """That of the canvas on which the last key was pressed."""

    @property
    def annotations(self) -> AnnotationDesk:
        return self.kit.annotations

    @property
    def prompt(self) -> str:
        """Say in a sentence what to do with it."""
        return ""

    @property
    def is_busy(self) -> bool:
        """Whether a gesture has been begun and not finished: a polygon between two clicks."""
        return False

    def cursor(self, at: Pointer) -> str:
        """Return the name of the pointer's shape at a place.

        It is ``cross``, ``arrow``, ``move``, ``none``, ``turn``, or ``slope`` and ``rise`` for what
        is drawn along a falling or a rising diagonal of the screen.
        """
        return "cross"

    def at_rest(self, look: Look) -> Preview:
        """Return what is drawn as long as nothing is begun, such as handles."""
        return NOTHING

    def press(self, at: Pointer) -> bool:
        """Begin something; False: it means nothing to this tool, and the canvas pans."""
        return True

    def drag(self, at: Pointer) -> None:
        """Go on with the button held."""

    def release(self, at: Pointer) -> None:
        """Finish what the press began."""

    def hover(self, at: Pointer) -> None:
        """Move with no button held."""

    def double_click(self, at: Pointer) -> None:
        """Press a second time at the same place; the first press was told as one."""
        self.press(at)

    def takes_double_click(self, at: Pointer) -> bool:
        """Say whether a second press here would mean something; else the canvas takes it."""
        return True

    def wheel(self, at: Pointer, notches: float) -> bool:
        """Turn the wheel with Alt held; False: it means nothing to this tool."""
        return False

    @property
    def keys(self) -> frozenset[str]:
        """Keys that it takes now: see `ui.tool_hand` for their names."""
        return frozenset()

    def key(self, name: str) -> bool:
        """Take one of its `keys`; False: it did nothing."""
        return False

    def leave(self) -> None:
        """The pointer has left the canvas."""

    def cancel(self) -> None:
        """Give up what was begun."""
        self.show(NOTHING)

    def show(self, preview: Preview) -> None:
        self.preview = preview
        self.changed.emit()

    def commit(self, shape: shapely.Geometry, name: str, role: Role = "", **members: Any) -> None:
        """Add the area or line that was drawn; in selection mode choose what lies in it."""
        if self.kit.is_selecting:
            self.annotations.select_in(shape)
        else:
            self.annotations.draw(shape, name, role, **members)
            self.kit.committed.emit()

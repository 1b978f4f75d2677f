"""What every drawing tool is told, and what it shows meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.session.annotation_desk import AnnotationDesk

if TYPE_CHECKING:
    from pathoview.session.tools.kit import ToolKit

Points = npt.NDArray[np.float64]
"""(n, 2) x, y in level-0 px."""
Color = tuple[int, int, int]

REACH_VIEW = 7.0
"""How near, px of the view, a pointer must come to a handle, a line or a point."""


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

    @property
    def place_l0(self) -> tuple[float, float]:
        return self.x_l0, self.y_l0

    @property
    def reach_l0(self) -> float:
        """`REACH_VIEW` in level-0 px."""
        return REACH_VIEW / self.scale


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
    """Places to grab."""
    circle_l0: tuple[float, float, float] | None = None
    """x, y, radius of the brush; None: none."""
    text: str = ""
    """Beside the pointer: a length, an area."""
    color: Color | None = None
    """None: that of the drawing class."""


NOTHING = Preview()


class DrawingTool:
    """One tool. Methods are called on the session's thread, with the slide open."""

    changed = Signal()
    """`preview`, or `is_busy`."""

    def __init__(self, kit: ToolKit) -> None:
        self.kit = kit
        self.preview: Preview = NOTHING

    @property
    def annotations(self) -> AnnotationDesk:
        return self.kit.annotations

    @property
    def is_busy(self) -> bool:
        """Whether a gesture has been begun and not finished: a polygon between two clicks."""
        return False

    def cursor(self, at: Pointer) -> str:
        """Return the name of the pointer's shape at a place: cross, arrow, move or none."""
        return "cross"

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

    def wheel(self, at: Pointer, notches: float) -> bool:
        """Turn the wheel with Alt held; False: it means nothing to this tool."""
        return False

    @property
    def keys(self) -> frozenset[str]:
        """Keys that it takes now: ``return``, ``backspace``, ``delete``, ``[`` and ``]``."""
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

"""The hand that holds a drawing tool: events of the canvas become what the tool is told."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QTabletEvent, QWheelEvent

from pathoview.session.session import Session
from pathoview.session.tools.tool import DrawingTool, Look, Pointer
from pathoview.session.view import View

_Key = Qt.Key
_Held = Qt.KeyboardModifier
_KEYS: dict[int, str] = {
    _Key.Key_Return: "return",
    _Key.Key_Enter: "return",
    _Key.Key_Backspace: "backspace",
    _Key.Key_Delete: "delete",
    _Key.Key_BracketLeft: "[",
    _Key.Key_BracketRight: "]",
}
"""Keys that a tool may take, by the names that it knows."""
_ALT_KEYS: dict[int, str] = {
    _Key.Key_Left: "alt+left",
    _Key.Key_Right: "alt+right",
    _Key.Key_Up: "alt+up",
    _Key.Key_Down: "alt+down",
}
_CURSORS = {
    "arrow": Qt.CursorShape.ArrowCursor,
    "cross": Qt.CursorShape.CrossCursor,
    "move": Qt.CursorShape.SizeAllCursor,
    "turn": Qt.CursorShape.PointingHandCursor,
    "slope": Qt.CursorShape.SizeFDiagCursor,
    "rise": Qt.CursorShape.SizeBDiagCursor,
    "none": Qt.CursorShape.BlankCursor,
}


class ToolHand:
    """Every method says whether the tool took what it was told."""

    def __init__(self, session: Session, view: View) -> None:
        self._session = session
        self._viewport = view.viewport
        self._pressure = 1.0
        self.is_pressing = False
        """The tool is told of moves as drags."""

    @property
    def tool(self) -> DrawingTool | None:
        """The tool in hand, if it draws."""
        return self._session.toolbox.drawing

    @property
    def is_busy(self) -> bool:
        """Whether the tool has begun something."""
        return self.is_pressing or (self.tool is not None and self.tool.is_busy)

    @property
    def look(self) -> Look:
        """How the slide lies on this canvas."""
        return Look(self._viewport.affine, self._viewport.visible_l0)

    def cancel(self) -> None:
        """Give up what the tool has begun."""
        self.is_pressing = False
        if self.tool is not None:
            self.tool.cancel()

    def cursor(self, at: QPointF) -> Qt.CursorShape | None:
        """Return the pointer's shape; None: the tool in hand does not draw."""
        if self.tool is None or self._session.slide is None:
            return None
        return _CURSORS[self.tool.cursor(self._pointer(at, _Held.NoModifier))]

    def press(self, event: QMouseEvent) -> bool:
        self.is_pressing = self.tool is not None and self.tool.press(self._at(event))
        return self.is_pressing

    def move(self, event: QMouseEvent, *, is_free: bool) -> bool:
        """Drag, or hover when the button ``is_free`` of other things."""
        if self.tool is None:
            return False
        if self.is_pressing:
            self.tool.drag(self._at(event))
        elif is_free:
            self.tool.hover(self._at(event))
        return self.is_pressing

    def release(self, event: QMouseEvent) -> bool:
        if not self.is_pressing or event.button() != Qt.MouseButton.LeftButton:
            return False
        self.is_pressing = False
        if self.tool is not None:
            self.tool.release(self._at(event))
        return True

    def double_click(self, event: QMouseEvent) -> bool:
        """Tell of the second press, if it means something there."""
        if self.tool is None or event.button() != Qt.MouseButton.LeftButton:
            return False
        at = self._at(event)
        if not self.tool.takes_double_click(at):
            return False
        self.tool.double_click(at)
        return True

    def wheel(self, event: QWheelEvent, notches: float) -> bool:
        is_alt = bool(event.modifiers() & _Held.AltModifier)
        pointer = self._pointer(event.position(), event.modifiers())
        return is_alt and self.tool is not None and self.tool.wheel(pointer, notches)

    def wants(self, event: QKeyEvent) -> bool:
        """Say whether the tool would take a key now."""
        return self.tool is not None and _key_name(event) in self.tool.keys

    def key(self, event: QKeyEvent) -> bool:
        if self.tool is None or not self.wants(event):
            return False
        self.tool.key_look = self.look
        return self.tool.key(_key_name(event))

    def leave(self) -> None:
        """The pointer has left the canvas."""
        if self.tool is not None:
            self.tool.leave()

    def pen(self, event: QTabletEvent) -> bool:
        """Remember how hard a pen presses; the mouse event that follows tells the rest."""
        is_down = event.type() != QTabletEvent.Type.TabletRelease
        self._pressure = event.pressure() if is_down else 1.0
        return False

    def _at(self, event: QMouseEvent) -> Pointer:
        return self._pointer(event.position(), event.modifiers())

    def _pointer(self, at: QPointF, held: Qt.KeyboardModifier) -> Pointer:
        return Pointer(
            *self._viewport.to_l0(at.x(), at.y()),
            scale=self._viewport.scale,
            is_shift=bool(held & _Held.ShiftModifier),
            is_alt=bool(held & _Held.AltModifier),
            is_ctrl=bool(held & _Held.ControlModifier),
            pressure=self._pressure,
            look=self.look,
        )


def _key_name(event: QKeyEvent) -> str:
    """Return how a tool calls a key; empty: it knows none such."""
    held = event.modifiers() & ~_Held.KeypadModifier
    names = _ALT_KEYS if held == _Held.AltModifier else _KEYS
    return names.get(event.key(), "")

"""What a hand does on the canvas: mouse, wheel, trackpad and keys become movements and choices.

The table of gestures is QuPath's: drag pans with the Move tool, Space or the middle button pan with
any tool, the wheel zooms about the cursor, Ctrl and the wheel fade the overlay.
"""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from pathoview.core.geometry import Rect
from pathoview.session.pointing import click, leave
from pathoview.session.session import Session
from pathoview.session.tools.tool import REACH_VIEW
from pathoview.session.view import View
from pathoview.ui.glide import Glide
from pathoview.ui.region_drag import Grip, RegionDrag, grip_at
from pathoview.ui.tool_hand import ToolHand

_NOTCH = 120
"""What one step of a wheel is called."""
_ZOOM_PER_NOTCH = 1.25
_ZOOM_PER_PX = 1.004
"""For trackpads, which scroll by px."""
_KEY_ZOOM = 1.5
_CLICK_ZOOM = 2.0
_OPACITY_PER_NOTCH = 0.05
_KEY_STEP_VIEW = 80.0
_KEY_GAIN_VIEW = 10.0
"""A held arrow key goes faster by this at each repetition, up to `_KEY_GAINS` times."""
_KEY_GAINS = 12
_DRAG_START_VIEW = 4.0
"""A press that moves less is a click."""
_GRIP_REACH_VIEW = 7.0
_SMALLEST_REGION_VIEW = 4.0
_THROW_S = 0.08
"""A throw goes at the mean speed of this last part of a drag."""
_SLOWEST_THROW_VIEW = 120.0

_Key = Qt.Key
_PANS = {
    _Key.Key_Left: (1, 0),
    _Key.Key_Right: (-1, 0),
    _Key.Key_Up: (0, 1),
    _Key.Key_Down: (0, -1),
}
_ZOOM_KEYS = {_Key.Key_Plus: _KEY_ZOOM, _Key.Key_Equal: _KEY_ZOOM, _Key.Key_Minus: 1 / _KEY_ZOOM}
_SHIFT_ZOOM_KEYS = {_Key.Key_Up: _KEY_ZOOM, _Key.Key_Down: 1 / _KEY_ZOOM}
_OTHER_KEYS = {_Key.Key_Space, _Key.Key_Escape}


class _PanDrag:
    """A drag of the picture, with its speed of late."""

    def __init__(self, start: QPointF, *, can_click: bool) -> None:
        self.start = start
        self.can_click = can_click
        self.is_moving = not can_click
        self.samples: deque[tuple[float, QPointF]] = deque([(time.perf_counter(), start)])

    def moved(self, to: QPointF) -> QPointF:
        """Return the way since the last call; none while it may still be a click."""
        way = to - self.start
        if not self.is_moving and math.hypot(way.x(), way.y()) < _DRAG_START_VIEW:
            return QPointF(0, 0)
        self.is_moving = True
        now_s, last = time.perf_counter(), self.samples[-1][1]
        self.samples.append((now_s, to))
        while now_s - self.samples[0][0] > _THROW_S:
            self.samples.popleft()
        return to - last

    def velocity(self) -> tuple[float, float]:
        """Return the speed at the end, view px a second; 0 when the hand had come to rest."""
        (first_s, first), (last_s, last) = self.samples[0], self.samples[-1]
        seconds = last_s - first_s
        if time.perf_counter() - last_s > _THROW_S / 2 or seconds < 0.005:
            return 0.0, 0.0
        way = (last - first) / seconds
        is_slow = math.hypot(way.x(), way.y()) < _SLOWEST_THROW_VIEW
        return (0.0, 0.0) if is_slow else (way.x(), way.y())


class Gestures(QObject):
    """Turns the events of a canvas into what they mean for the session."""

    changed = Signal()
    """The cursor's place or the half-drawn region is another one."""
    opacity_set = Signal()

    def __init__(self, canvas: QWidget, session: Session, view: View, glide: Glide) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._session = session
        self._view = view
        self._viewport = view.viewport
        self._glide = glide
        self._pan: _PanDrag | None = None
        self._drag: RegionDrag | None = None
        self.hand = ToolHand(session, view)
        self._is_space_held = False
        self._n_repeats = 0
        self.cursor_view: QPointF | None = None
        """Where the pointer is on the canvas, if it is."""
        self.drawn_region_l0: Rect | None = None
        """The region while it is being drawn."""
        if sys.platform != "darwin":  # there, pinches come as native gestures
            canvas.grabGesture(Qt.GestureType.PinchGesture)
        kind = QEvent.Type
        self._handlers: dict[QEvent.Type, Callable[[Any], bool]] = {
            kind.MouseButtonPress: self._on_press,
            kind.MouseMove: self._on_move,
            kind.MouseButtonRelease: self._on_release,
            kind.MouseButtonDblClick: self._on_double_click,
            kind.Wheel: self._on_wheel,
            kind.NativeGesture: self._on_native_gesture,
            kind.Gesture: self._on_gesture,
            kind.ShortcutOverride: self._on_shortcut_override,
            kind.KeyPress: self._on_key_press,
            kind.KeyRelease: self._on_key_release,
            kind.Leave: self._on_leave,
            kind.FocusOut: self._on_focus_out,
            **dict.fromkeys((kind.TabletPress, kind.TabletMove, kind.TabletRelease), self.hand.pen),
        }

    @property
    def is_dragging(self) -> bool:
        is_panning = self._pan is not None and self._pan.is_moving
        return self._drag is not None or self.hand.is_pressing or is_panning

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Do what an event of the canvas means, before the canvas sees it."""
        handler = self._handlers.get(event.type())
        if handler is None or self._session.slide is None or not handler(event):
            return False
        event.accept()
        return True

    def cancel(self) -> None:
        """Let go of whatever is being dragged."""
        self._pan = self._drag = self.drawn_region_l0 = None
        self.hand.cancel()
        self.update_cursor()
        self.changed.emit()

    def update_cursor(self) -> None:
        """Show by the pointer what a press would do."""
        self._canvas.setCursor(self._cursor())

    def _cursor(self) -> Qt.CursorShape:
        if self._pan is not None and self._pan.is_moving:
            return Qt.CursorShape.ClosedHandCursor
        if self._is_space_held:
            return Qt.CursorShape.OpenHandCursor
        grip = self._drag.grip if self._drag is not None else self._grip_under_cursor()
        if grip is not None and not self._is_new(self._drag):
            return self._grip_cursor(grip)
        of_tool = None if self.cursor_view is None else self.hand.cursor(self.cursor_view)
        if of_tool is not None:
            return of_tool
        is_aiming = self._session.tool != "move" and self._session.slide is not None
        return Qt.CursorShape.CrossCursor if is_aiming else Qt.CursorShape.ArrowCursor

    def _grip_cursor(self, grip: Grip) -> Qt.CursorShape:
        """Return the arrows along which an edge or a corner moves on screen."""
        turn = self._viewport.affine
        x, y = turn.xx * grip[0] + turn.xy * grip[1], turn.yx * grip[0] + turn.yy * grip[1]
        if abs(y) < abs(x) / 2:
            return Qt.CursorShape.SizeHorCursor
        if abs(x) < abs(y) / 2:
            return Qt.CursorShape.SizeVerCursor
        return Qt.CursorShape.SizeFDiagCursor if x * y > 0 else Qt.CursorShape.SizeBDiagCursor

    @staticmethod
    def _is_new(drag: RegionDrag | None) -> bool:
        return drag is not None and drag.before_l0.is_empty

    def _grip_under_cursor(self) -> Grip | None:
        region_l0, at = self._session.region_l0, self.cursor_view
        if region_l0 is None or at is None:
            return None
        place_l0 = self._viewport.to_l0(at.x(), at.y())
        return grip_at(region_l0, *place_l0, _GRIP_REACH_VIEW / self._viewport.scale)

    def tell_cursor(self) -> None:
        """Say which place of the slide is under the pointer, when it is on this canvas."""
        if self.cursor_view is not None:
            x, y = self.cursor_view.x(), self.cursor_view.y()
            self._session.set_cursor(*self._viewport.to_l0(x, y))

    def _on_press(self, event: QMouseEvent) -> bool:
        self._glide.stop()
        self._session.views.activate(self._view)
        self.cursor_view = event.position()
        self.tell_cursor()
        button = event.button()
        if self.is_dragging:
            return True
        if button == Qt.MouseButton.MiddleButton or (
            button == Qt.MouseButton.LeftButton and self._is_space_held
        ):
            self._pan = _PanDrag(event.position(), can_click=False)
        elif button == Qt.MouseButton.LeftButton:
            self._press_with_tool(event)
        else:
            return False
        self.update_cursor()
        return True

    def _press_with_tool(self, event: QMouseEvent) -> None:
        at = event.position()
        grip, region_l0 = self._grip_under_cursor(), self._session.region_l0
        place_l0 = self._viewport.to_l0(at.x(), at.y())
        if grip is not None and region_l0 is not None:
            self._drag = RegionDrag(region_l0, grip, place_l0)
        elif self._session.tool == "region":
            self._drag = RegionDrag.new(*place_l0)
        elif not self.hand.press(event):
            self._pan = _PanDrag(at, can_click=True)

    def _on_move(self, event: QMouseEvent) -> bool:
        at = self.cursor_view = event.position()
        if self._pan is not None:
            way = self._pan.moved(at)
            if not way.isNull():
                self._viewport.pan(way.x(), way.y())
        elif not self.hand.move(event, is_free=self._drag is None) and self._drag is not None:
            is_square = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.drawn_region_l0 = self._drag.rect_l0(
                *self._viewport.to_l0(at.x(), at.y()), self._viewport.slide_l0, square=is_square
            )
        self.tell_cursor()
        self.update_cursor()
        self.changed.emit()
        return True

    def _on_release(self, event: QMouseEvent) -> bool:
        pan, drag, region_l0 = self._pan, self._drag, self.drawn_region_l0
        if self.hand.release(event):
            self.update_cursor()
            self.changed.emit()
            return True
        if event.button() == Qt.MouseButton.RightButton or (pan is None and drag is None):
            return False
        self._pan = self._drag = self.drawn_region_l0 = None
        self.update_cursor()
        self.changed.emit()
        if drag is not None:
            self._end_region(region_l0, event.position())
        elif pan is not None and pan.is_moving:
            self._glide.throw(*pan.velocity())
        else:
            self._click(event.position(), event.modifiers())
        return True

    def _end_region(self, region_l0: Rect | None, at: QPointF) -> None:
        smallest = _SMALLEST_REGION_VIEW / self._viewport.scale
        if region_l0 is None or min(region_l0.width, region_l0.height) < max(smallest, 1):
            self._click(at)
            return
        self._session.set_region(region_l0)
        self._session.set_tool("move")

    def _click(
        self, at: QPointF, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        more = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        reach_l0 = REACH_VIEW / self._viewport.scale
        place_l0 = self._viewport.to_l0(at.x(), at.y())
        click(self._session, *place_l0, reach_l0, add=bool(held & more))

    def _on_double_click(self, event: QMouseEvent) -> bool:
        if self.hand.double_click(event):
            return True
        if event.button() != Qt.MouseButton.LeftButton or self._session.tool != "move":
            return self._on_press(event)
        is_out = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        at = event.position()
        self._glide.zoom(at.x(), at.y(), 1 / _CLICK_ZOOM if is_out else _CLICK_ZOOM)
        return True

    def _on_wheel(self, event: QWheelEvent) -> bool:
        at, angle, px = event.position(), event.angleDelta(), event.pixelDelta()
        # Alt turns the wheel sideways on some platforms.
        notches = (angle.y() or angle.x()) / _NOTCH
        if self.hand.wheel(event, notches):
            return True
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._session.overlay.change_opacity(notches * _OPACITY_PER_NOTCH)
            self.opacity_set.emit()
        elif not px.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase:
            self._on_trackpad(event)
        elif notches:
            self._glide.zoom(at.x(), at.y(), _ZOOM_PER_NOTCH**notches)
        return True

    def _on_trackpad(self, event: QWheelEvent) -> None:
        """Zoom, or move where the settings say so; a trackpad is smooth by itself."""
        at, px = event.position(), event.pixelDelta()
        is_zoom = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self._session.settings.trackpad_pans and not is_zoom:
            self._viewport.pan(px.x(), px.y())
        else:
            self._viewport.zoom_about(at.x(), at.y(), _ZOOM_PER_PX ** (px.y() or px.x()))

    def _on_native_gesture(self, event: QNativeGestureEvent) -> bool:
        at, kind = event.position(), event.gestureType()
        if kind == Qt.NativeGestureType.RotateNativeGesture:
            self._viewport.turn(event.value())
        elif kind == Qt.NativeGestureType.ZoomNativeGesture:
            self._glide.stop()
            self._viewport.zoom_about(at.x(), at.y(), max(0.1, 1 + event.value()))
        else:
            return False
        return True

    def _on_gesture(self, event: QGestureEvent) -> bool:
        pinch = event.gesture(Qt.GestureType.PinchGesture)
        if not isinstance(pinch, QPinchGesture):
            return False
        self._pan = None  # the first finger had begun a drag
        at = self._canvas.mapFromGlobal(pinch.hotSpot())
        self._viewport.zoom_about(at.x(), at.y(), max(0.1, pinch.scaleFactor()))
        event.accept(pinch)
        return True

    def _on_shortcut_override(self, event: QKeyEvent) -> bool:
        # The canvas moves smoothly by itself, where the menu's commands would jump.
        if _is_ours(event) or self.hand.wants(event):
            event.accept()
            return True
        return False

    def _on_key_press(self, event: QKeyEvent) -> bool:
        if self.hand.key(event):
            return True
        if not _is_ours(event):
            return False
        key, center = _Key(event.key()), self._canvas.rect().center()
        is_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._n_repeats = min(self._n_repeats + 1, _KEY_GAINS) if event.isAutoRepeat() else 0
        factor = (_SHIFT_ZOOM_KEYS if is_shift else {}).get(key) or _ZOOM_KEYS.get(key)
        if factor is not None:
            self._glide.zoom(center.x(), center.y(), factor)
        elif key in _PANS:
            step = _KEY_STEP_VIEW + self._n_repeats * _KEY_GAIN_VIEW
            self._glide.pan(_PANS[key][0] * step, _PANS[key][1] * step)
        elif key == _Key.Key_Space:
            self._is_space_held = True
            self.update_cursor()
        elif self.is_dragging or self.hand.is_busy:
            self.cancel()
        else:
            leave(self._session)
        return True

    def _on_key_release(self, event: QKeyEvent) -> bool:
        if event.key() != _Key.Key_Space:
            return False
        if not event.isAutoRepeat():
            self._is_space_held = False
            self.update_cursor()
        return True

    def _on_leave(self, event: QEvent) -> bool:
        self.cursor_view = None
        self.hand.leave()
        self._session.set_cursor(None)
        self.changed.emit()
        return False

    def _on_focus_out(self, event: QEvent) -> bool:
        self._is_space_held = False
        self.update_cursor()
        return False


def _is_ours(event: QKeyEvent) -> bool:
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if event.key() not in {*_PANS, *_ZOOM_KEYS, *_OTHER_KEYS}:
        return False
    return modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)

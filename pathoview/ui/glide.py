"""Smooth movement of the viewport: eased zooms and steps, and the throw after a drag."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from pathoview.session.viewport import Viewport

_FRAME_MS = 15
_EASE_S = 0.045
"""Time in which a zoom or a step has come all but a third of its way."""
_GLIDE_S = 0.16
"""Time in which a throw loses two thirds of its speed."""
_SLOWEST_VIEW = 15.0
"""View px a second below which a throw has ended."""
_LONGEST_STEP_S = 0.05


class Glide(QObject):
    """Moves a viewport little by little."""

    rested = Signal()

    def __init__(self, viewport: Viewport, parent: QObject) -> None:
        super().__init__(parent)
        self._viewport = viewport
        self._timer = QTimer(self, interval=_FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._last_s = 0.0
        self._velocity = (0.0, 0.0)
        self._way = (0.0, 0.0)
        self._log_zoom = 0.0
        self._anchor = (0.0, 0.0)

    @property
    def is_moving(self) -> bool:
        return self._timer.isActive()

    def throw(self, vx_view: float, vy_view: float) -> None:
        """Let the picture run on at a speed (view px a second), slower and slower."""
        self._velocity = (vx_view, vy_view)
        self._start()

    def pan(self, dx_view: float, dy_view: float) -> None:
        """Move the picture by view px, eased; steps add up."""
        self._way = (self._way[0] + dx_view, self._way[1] + dy_view)
        self._start()

    def zoom(self, x_view: float, y_view: float, factor: float) -> None:
        """Zoom by a factor about a place on the canvas, eased; factors multiply."""
        self._anchor = (x_view, y_view)
        self._log_zoom += math.log(factor)
        self._start()

    def stop(self) -> None:
        """Stand still here."""
        self._velocity = self._way = (0.0, 0.0)
        self._log_zoom = 0.0
        if self._timer.isActive():
            self._timer.stop()
            self.rested.emit()

    def _start(self) -> None:
        if not self._timer.isActive():
            self._last_s = time.perf_counter() - _FRAME_MS / 1000
            self._timer.start()
            self._on_tick()

    def _on_tick(self) -> None:
        now_s = time.perf_counter()
        step_s = min(now_s - self._last_s, _LONGEST_STEP_S)
        self._last_s = now_s
        share = 1 - math.exp(-step_s / _EASE_S)
        self._zoom_on(share)
        self._move_on(step_s, share)
        if not self._log_zoom and self._velocity == self._way == (0.0, 0.0):
            self.stop()

    def _zoom_on(self, share: float) -> None:
        if not self._log_zoom:
            return
        step = self._log_zoom if abs(self._log_zoom) < 0.004 else self._log_zoom * share
        before = self._viewport.scale
        self._viewport.zoom_about(*self._anchor, math.exp(step))
        # At the bounds of the zoom nothing is left to do.
        self._log_zoom = 0.0 if self._viewport.scale == before else self._log_zoom - step

    def _move_on(self, step_s: float, share: float) -> None:
        (vx, vy), (wx, wy) = self._velocity, self._way
        if math.hypot(wx, wy) < 1:
            share = 1
        dx, dy = wx * share + vx * step_s, wy * share + vy * step_s
        if dx or dy:
            self._viewport.pan(dx, dy)
        self._way = (wx * (1 - share), wy * (1 - share))
        slower = math.exp(-step_s / _GLIDE_S)
        is_slow = math.hypot(vx, vy) * slower < _SLOWEST_VIEW
        self._velocity = (0.0, 0.0) if is_slow else (vx * slower, vy * slower)

"""The canvas drawn by OpenGL instead of by the processor: an experiment, off by default.

The same painting goes onto another surface, so the picture is the same.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QOffscreenSurface, QOpenGLContext, QPainter
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QWidget


class GlSurface(QOpenGLWidget):
    """Lies over a whole widget, below its children, and lets the mouse through."""

    def __init__(self, parent: QWidget, paint: Callable[[QPainter], None]) -> None:
        super().__init__(parent)
        self._paint = paint
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.lower()

    def paintGL(self) -> None:
        """Paint everything: OpenGL keeps nothing from frame to frame."""
        with QPainter(self) as painter:
            self._paint(painter)


def is_available() -> bool:
    """Whether this screen can draw by OpenGL at all."""
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    return surface.isValid() and context.create() and context.makeCurrent(surface)

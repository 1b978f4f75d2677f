"""The measuring grid on the canvas: thin lines fixed to the slide, and how far apart they are."""

from __future__ import annotations

from PySide6.QtCore import QLineF
from PySide6.QtGui import QColor, QPainter, QPen

from pathoview.core.translation import _
from pathoview.layers.measuring_grid import LINE_OPACITY, grid_lines, grid_step_um, line_color
from pathoview.layers.scale_bar import length_text
from pathoview.session.session import Session
from pathoview.session.viewport import Viewport


def draw_grid(painter: QPainter, session: Session, viewport: Viewport) -> str:
    """Draw the grid if it is shown; return what is to be said of it, empty if nothing."""
    slide, grid = session.slide, session.places.grid
    if slide is None or slide.info.mpp is None or not grid.is_shown:
        return ""
    mpp = slide.info.mpp
    step_um = grid_step_um(mpp[0] / viewport.scale, grid.step_um)
    step_l0 = (step_um / mpp[0], step_um / mpp[1])
    lines = grid_lines(viewport.visible_l0, viewport.slide_l0, step_l0)
    ends = viewport.affine.points(lines.reshape(-1, 2)).reshape(-1, 4).tolist()
    color = QColor(*line_color(slide.info.is_rgb))
    color.setAlphaF(LINE_OPACITY)
    pen = QPen(color, 1)
    pen.setCosmetic(True)
    painter.save()
    # Upright lines are sharp as they are; slanted ones would be stairs.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, viewport.rotation % 90 != 0)
    painter.setPen(pen)
    painter.drawLines([QLineF(*end) for end in ends])
    painter.restore()
    return _("Grid {length}").format(length=length_text(step_um))

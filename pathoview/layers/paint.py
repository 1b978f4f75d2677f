"""Outlines, colours and blending as RGBA arrays; OpenCV lets other threads run meanwhile.

All tiles are *premultiplied* (an antialiased edge mixes all four values alike).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import SUBPIXEL, Ints
from pathoview.core.geometry import Rect
from pathoview.layers.source import Rgba

Color = tuple[int, int, int]
Canvas = npt.NDArray[np.uint8]
"""(height, width, 4) uint8, premultiplied."""
Ring = npt.NDArray[np.int32]
"""(vertices, 2) in 1/16 px of a canvas; see `to_canvas`."""

_SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV."""
_MOST_SMOOTH = 4000
"""More hairlines than that on one tile are drawn without antialiasing (wide ones: fewer)."""
_FARTHEST = 1 << 30
"""Corners that lie farther beyond a tile are taken to lie there: nobody sees the difference."""
_RINGS_AT_ONCE = 500
"""Outlines given to OpenCV in one call: it holds Python's lock until it has taken them all in."""


def blank(rect_lv: Rect) -> Canvas:
    """Return an empty canvas of a tile's size."""
    _x, _y, width, height = rect_lv.as_ints()
    return np.zeros((height, width, 4), np.uint8)


def to_canvas(points_l0: npt.NDArray[np.float64], tile_lv: Rect, downsample: float) -> Ring:
    """Return level-0 points as canvas coordinates.

    A point is the corner of pixels, whereas OpenCV counts from the centre of a pixel: hence the
    half pixel.
    """
    origin = np.array([tile_lv.x + 0.5, tile_lv.y + 0.5])
    ring: Ring = np.rint((points_l0 / downsample - origin) * (1 << _SHIFT)).astype(np.int32)
    return ring


def canvas_points(points: Ints, tile_lv: Rect, downsample: float) -> Ring:
    """Return points in hundredths of a level-0 px as canvas coordinates; see `to_canvas`."""
    corner = np.array([tile_lv.x + 0.5, tile_lv.y + 0.5]) * (downsample * SUBPIXEL)
    moved = points - corner
    moved *= (1 << _SHIFT) / (downsample * SUBPIXEL)
    np.rint(moved, out=moved)
    return np.clip(moved, -_FARTHEST, _FARTHEST, out=moved).astype(np.int32)


def can_be_smooth(n_rings: int, width_px: float) -> bool:
    """Say whether there is time to draw that many outlines of a tile with smooth edges."""
    return n_rings * width_px**2 <= _MOST_SMOOTH


def draw_outlines(
    canvas: Canvas,
    rings: Sequence[Ring],
    color: Color,
    width_px: float,
    *,
    closed: bool = True,
    is_smooth: bool = True,
) -> None:
    """Draw closed outlines, or open lines."""
    kind = cv2.LINE_AA if is_smooth else cv2.LINE_8
    width = max(1, round(width_px))
    for start in range(0, len(rings), _RINGS_AT_ONCE):
        some = rings[start : start + _RINGS_AT_ONCE]
        cv2.polylines(canvas, some, closed, (*color, 255), width, kind, shift=_SHIFT)


def fill_rings(canvas: Canvas, rings: Sequence[Ring], color: Color, opacity: float) -> None:
    """Fill each of many rings by itself (they may overlap)."""
    value = _premultiplied(color, opacity)
    for ring in rings:
        cv2.fillPoly(canvas, [ring], value, cv2.LINE_8, _SHIFT)


def fill_with_holes(canvas: Canvas, rings: Sequence[Ring], color: Color, opacity: float) -> None:
    """Fill what lies inside an odd number of rings."""
    cv2.fillPoly(canvas, rings, _premultiplied(color, opacity), cv2.LINE_8, _SHIFT)


def draw_dot(canvas: Canvas, center: Ring, color: Color, radius_px: float) -> None:
    """Draw a filled disc with a dark rim; ``center`` is one canvas point, (2,)."""
    at = (int(center[0]), int(center[1]))
    for radius, value in ((radius_px + 1, (0, 0, 0, 255)), (radius_px, (*color, 255))):
        cv2.circle(canvas, at, round(radius * (1 << _SHIFT)), value, -1, cv2.LINE_AA, _SHIFT)


def draw_specks(
    canvas: Canvas,
    centers_px: npt.NDArray[np.float64],
    colors: npt.NDArray[np.uint8],
    side_px: int,
) -> None:
    """Draw many small squares at once: centers (n, 2) x, y in px of the canvas, colours (n, 3)."""
    height, width = canvas.shape[:2]
    corner = np.floor(centers_px - (side_px - 1) / 2).astype(np.int64)
    for dx, dy in np.ndindex(side_px, side_px):
        x, y = corner[:, 0] + dx, corner[:, 1] + dy
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        canvas[y[inside], x[inside], :3] = colors[inside]
        canvas[y[inside], x[inside], 3] = 255


def premultiplied(rgba: npt.NDArray[np.uint8]) -> Rgba:
    """Return a tile whose colours were not multiplied by its alpha yet."""
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA), np.uint8)


def opaque(rgb: npt.NDArray[np.uint8]) -> Rgba:
    """Return (height, width, 3) colours as an opaque tile."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2RGBA), np.uint8)


def _premultiplied(color: Color, opacity: float) -> tuple[float, float, float, float]:
    red, green, blue = color
    return red * opacity, green * opacity, blue * opacity, 255 * opacity

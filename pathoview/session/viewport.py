"""Where the person looks: the only place where view pixels become level-0 pixels and back."""

from __future__ import annotations

from psygnal import Signal

from pathoview.core.affine import Affine, Point
from pathoview.core.geometry import Rect
from pathoview.layers.frame import Frame, Look

MAX_SCALE = 16.0
"""View px a level-0 px at the strongest zoom."""
OBJECTIVE_MPP = 10.0
"""µm per px at 1×, by the convention that 20× is 0.5 µm per px."""
_SMALLEST_SHARE = 0.5
"""The whole slide never gets smaller than this share of the fitted view."""
_FIT_MARGIN = 0.96


class Viewport:
    """A window on the slide: its centre, its scale, its turn and its size."""

    changed = Signal()

    def __init__(self) -> None:
        self.slide_l0 = Rect(0, 0, 1, 1)
        """The whole slide."""
        self.center_l0: Point = (0.5, 0.5)
        self.scale = 1.0
        """View px per level-0 px."""
        self.rotation = 0.0
        """Degrees by which the slide is turned, clockwise on screen, from 0 to below 360."""
        self.is_flipped = False
        """Whether the slide is seen from behind: mirrored left to right, then turned."""
        self.size_view: tuple[float, float] = (1.0, 1.0)
        """Width and height of the canvas, device-independent px."""
        self._is_fitted = True

    @property
    def visible_l0(self) -> Rect:
        """The smallest upright rectangle round all that is seen, also beyond the slide's edges."""
        return self.affine.inverse().rect(Rect(0, 0, *self.size_view))

    @property
    def corners_l0(self) -> tuple[Point, Point, Point, Point]:
        """The corners of the view, clockwise from its top left."""
        width, height = self.size_view
        to_l0 = self.affine.inverse()
        left_top, right_top = to_l0.point(0, 0), to_l0.point(width, 0)
        return left_top, right_top, to_l0.point(width, height), to_l0.point(0, height)

    @property
    def affine(self) -> Affine:
        """From level-0 px to view px."""
        turned = self.look().affine
        x, y = turned.point(*self.center_l0)
        return turned.then(Affine.moved(self.size_view[0] / 2 - x, self.size_view[1] / 2 - y))

    def look(self, ratio: float = 1.0) -> Look:
        """Return how the slide is seen on a screen of ``ratio`` device px a view px."""
        return Look(self.scale * ratio, self.rotation, self.is_flipped)

    def frame(self, ratio: float = 1.0) -> Frame:
        """Return what is seen, in whole device px of a screen of ``ratio`` device px a view px."""
        width, height = (round(side * ratio) for side in self.size_view)
        return Frame.around(self.center_l0, self.look(ratio), width, height)

    @property
    def downsample(self) -> float:
        """Level-0 px a view px."""
        return 1 / self.scale

    @property
    def fit_scale(self) -> float:
        """The scale at which the whole slide is just seen."""
        return _FIT_MARGIN * self._scale_for(self.slide_l0)

    def _scale_for(self, rect_l0: Rect) -> float:
        around = Look(1.0, self.rotation, self.is_flipped).affine.rect(rect_l0)
        return min(
            self.size_view[0] / max(around.width, 1e-9),
            self.size_view[1] / max(around.height, 1e-9),
        )

    def magnification(self, mpp: float) -> float:
        """Return the magnification, as an objective's power, of a slide of ``mpp`` µm per px."""
        return OBJECTIVE_MPP / mpp * self.scale

    def scale_of(self, magnification: float, mpp: float) -> float:
        """Return the scale that a magnification has on a slide of ``mpp`` µm per px."""
        return magnification * mpp / OBJECTIVE_MPP

    def to_view(self, x_l0: float, y_l0: float) -> Point:
        return self.affine.point(x_l0, y_l0)

    def to_l0(self, x_view: float, y_view: float) -> Point:
        return self.affine.inverse().point(x_view, y_view)

    def rect_to_view(self, rect_l0: Rect) -> Rect:
        """Return the smallest upright rectangle of the view round a place."""
        return self.affine.rect(rect_l0)

    def set_slide(self, width: float, height: float) -> None:
        """Look at another slide of that size (level-0 px), the whole of it, unturned."""
        self.slide_l0 = Rect(0, 0, width, height)
        self.rotation, self.is_flipped = 0.0, False
        self.fit()

    def set_size(self, width: float, height: float) -> None:
        """Tell the canvas's size, view px. A fitted slide stays fitted, else the centre stays."""
        self.size_view = (max(width, 1.0), max(height, 1.0))
        if self._is_fitted:
            self.fit()
        else:
            self._look(*self.center_l0, self.scale)

    def fit(self, rect_l0: Rect | None = None) -> None:
        """See a rectangle, or the whole slide."""
        if rect_l0 is None:
            self._look(*self.slide_l0.center, self.fit_scale)
            self._is_fitted = True
            self.changed.emit()
            return
        grown = Rect(rect_l0.x, rect_l0.y, max(rect_l0.width, 1.0), max(rect_l0.height, 1.0))
        self._look(*rect_l0.center, self._scale_for(grown))
        self.changed.emit()

    def look_at(self, x_l0: float, y_l0: float, scale: float | None = None) -> None:
        """Put a place into the centre, and take a scale if one is given."""
        self._look(x_l0, y_l0, self.scale if scale is None else scale)
        self.changed.emit()

    def pan(self, dx_view: float, dy_view: float) -> None:
        """Move the picture by view px: what was at (0, 0) is then at (dx, dy)."""
        width, height = self.size_view
        self.look_at(*self.to_l0(width / 2 - dx_view, height / 2 - dy_view))

    def zoom_about(self, x_view: float, y_view: float, factor: float) -> None:
        """Zoom by a factor; the place under (x_view, y_view) stays where it is."""
        x, y = self.to_l0(x_view, y_view)
        scale = self._bounded(self.scale * factor)
        share = self.scale / scale
        center_x, center_y = self.center_l0
        self.look_at(x + (center_x - x) * share, y + (center_y - y) * share, scale)

    def zoom(self, factor: float) -> None:
        """Zoom about the centre."""
        self.look_at(*self.center_l0, self.scale * factor)

    def turn(self, degrees: float) -> None:
        """Turn the slide about the centre of the view, clockwise on screen."""
        self.set_turn(self.rotation + degrees, self.is_flipped)

    def flip(self) -> None:
        """Mirror what is seen left to right."""
        self.set_turn(-self.rotation, not self.is_flipped)

    def set_turn(self, rotation: float, is_flipped: bool) -> None:
        """Turn to an angle (degrees, clockwise); a fitted slide stays fitted."""
        rotation = round(rotation % 360, 6) % 360
        if (rotation, is_flipped) == (self.rotation, self.is_flipped):
            return
        self.rotation, self.is_flipped = rotation, is_flipped
        if self._is_fitted:
            self.fit()
        else:
            self.changed.emit()

    def take(self, other: Viewport) -> None:
        """Look where another viewport looks, in the same way, whatever the sizes of the two."""
        self.rotation, self.is_flipped = other.rotation, other.is_flipped
        self.center_l0, self.scale = other.center_l0, other.scale
        self._is_fitted = False
        self.changed.emit()

    def _bounded(self, scale: float) -> float:
        return min(MAX_SCALE, max(min(self.fit_scale, 1.0) * _SMALLEST_SHARE, scale))

    def _look(self, x_l0: float, y_l0: float, scale: float) -> None:
        slide = self.slide_l0
        self.scale = self._bounded(scale)
        self.center_l0 = (
            min(max(x_l0, slide.x), slide.right),
            min(max(y_l0, slide.y), slide.bottom),
        )
        self._is_fitted = False

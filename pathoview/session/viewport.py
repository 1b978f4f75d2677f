"""Where the person looks: the only place where view pixels become level-0 pixels and back."""

from __future__ import annotations

from psygnal import Signal

from pathoview.core.geometry import Rect

MAX_SCALE = 16.0
"""View px a level-0 px at the strongest zoom."""
_SMALLEST_SHARE = 0.5
"""The whole slide never gets smaller than this share of the fitted view."""
_FIT_MARGIN = 0.96
_OBJECTIVE_MPP = 10.0
"""µm per px at 1×, by the convention that 20× is 0.5 µm per px."""


class Viewport:
    """A window on the slide: its centre, its scale and its size."""

    changed = Signal()

    def __init__(self) -> None:
        self.slide_l0 = Rect(0, 0, 1, 1)
        """The whole slide."""
        self.center_l0: tuple[float, float] = (0.5, 0.5)
        self.scale = 1.0
        """View px per level-0 px."""
        self.size_view: tuple[float, float] = (1.0, 1.0)
        """Width and height of the canvas, device-independent px."""
        self._is_fitted = True

    @property
    def visible_l0(self) -> Rect:
        """The rectangle seen; it may reach beyond the slide's edges."""
        width, height = self.size_view[0] / self.scale, self.size_view[1] / self.scale
        return Rect(self.center_l0[0] - width / 2, self.center_l0[1] - height / 2, width, height)

    @property
    def downsample(self) -> float:
        """Level-0 px a view px."""
        return 1 / self.scale

    @property
    def fit_scale(self) -> float:
        """The scale at which the whole slide is just seen."""
        return _FIT_MARGIN * min(
            self.size_view[0] / self.slide_l0.width, self.size_view[1] / self.slide_l0.height
        )

    def magnification(self, mpp: float) -> float:
        """Return the magnification, as an objective's power, of a slide of ``mpp`` µm per px."""
        return _OBJECTIVE_MPP / mpp * self.scale

    def to_view(self, x_l0: float, y_l0: float) -> tuple[float, float]:
        return (
            (x_l0 - self.center_l0[0]) * self.scale + self.size_view[0] / 2,
            (y_l0 - self.center_l0[1]) * self.scale + self.size_view[1] / 2,
        )

    def to_l0(self, x_view: float, y_view: float) -> tuple[float, float]:
        return (
            (x_view - self.size_view[0] / 2) / self.scale + self.center_l0[0],
            (y_view - self.size_view[1] / 2) / self.scale + self.center_l0[1],
        )

    def rect_to_view(self, rect_l0: Rect) -> Rect:
        left, top = self.to_view(rect_l0.x, rect_l0.y)
        return Rect(left, top, rect_l0.width * self.scale, rect_l0.height * self.scale)

    def set_slide(self, width: float, height: float) -> None:
        """Look at another slide of that size (level-0 px), the whole of it."""
        self.slide_l0 = Rect(0, 0, width, height)
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
        width, height = max(rect_l0.width, 1.0), max(rect_l0.height, 1.0)
        scale = min(self.size_view[0] / width, self.size_view[1] / height)
        self._look(*rect_l0.center, scale)
        self.changed.emit()

    def look_at(self, x_l0: float, y_l0: float, scale: float | None = None) -> None:
        """Put a place into the centre, and take a scale if one is given."""
        self._look(x_l0, y_l0, self.scale if scale is None else scale)
        self.changed.emit()

    def pan(self, dx_view: float, dy_view: float) -> None:
        """Move the picture by view px: what was at (0, 0) is then at (dx, dy)."""
        x, y = self.center_l0
        self.look_at(x - dx_view / self.scale, y - dy_view / self.scale)

    def zoom_about(self, x_view: float, y_view: float, factor: float) -> None:
        """Zoom by a factor; the place under (x_view, y_view) stays where it is."""
        x, y = self.to_l0(x_view, y_view)
        scale = self._bounded(self.scale * factor)
        dx, dy = x_view - self.size_view[0] / 2, y_view - self.size_view[1] / 2
        self.look_at(x - dx / scale, y - dy / scale, scale)

    def zoom(self, factor: float) -> None:
        """Zoom about the centre."""
        self.look_at(*self.center_l0, self.scale * factor)

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

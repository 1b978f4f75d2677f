"""A second slide laid on the first: moved, turned and scaled until both fit."""

from __future__ import annotations

from collections.abc import Sequence

from pathoview.core.affine import Affine, Point
from pathoview.core.byte_cache import ByteCache
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.warped_source import WarpedSource


class RegisteredSource(WarpedSource):
    """Tiles of a second slide in the frame of the base slide."""

    def __init__(
        self,
        inner: SlideSource,
        placement: Affine,
        width_l0: float,
        height_l0: float,
        memory: ByteCache | None = None,
    ) -> None:
        """``placement`` takes level-0 px of the second slide to those of the base slide."""
        super().__init__(inner, placement, width_l0, height_l0, memory)
        self.slide_source = inner
        """The second slide by itself; its style and display are set there."""

    def to_base(self, x: float, y: float) -> Point:
        """Return where on the base slide a point of the second one lies; both level-0 px."""
        return self.placement.point(x, y)

    def to_second(self, x_l0: float, y_l0: float) -> Point:
        """Return which point of the second slide lies under one of the base slide."""
        return self.placement.inverse().point(x_l0, y_l0)

    def nudge(self, dx_l0: float, dy_l0: float) -> None:
        """Move the second slide by level-0 px of the base slide."""
        self.placement = self.placement.then(Affine.moved(dx_l0, dy_l0))

    def turn(self, degrees: float, about_l0: Point) -> None:
        """Turn it clockwise about a point of the base slide."""
        self._change(Affine.turned(degrees), about_l0)

    def scale(self, factor: float, about_l0: Point) -> None:
        """Make it larger or smaller; a point of the base slide stays where it is."""
        self._change(Affine.scaled(factor), about_l0)

    def align(self, second: Sequence[Point], base_l0: Sequence[Point]) -> None:
        """Lay three points of the second slide (its own level-0 px) on three of the base slide.

        Raises `UsageError` when the points of a triple lie on one line.
        """
        self.placement = Affine.through(second, base_l0)

    def _change(self, change: Affine, about_l0: Point) -> None:
        x, y = about_l0
        about = Affine.moved(-x, -y).then(change).then(Affine.moved(x, y))
        self.placement = self.placement.then(about)

"""Which part of the slide a picture shows, how large and how turned, in whole px of the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pathoview.core.affine import Affine, Point
from pathoview.core.geometry import Rect


@dataclass(frozen=True, slots=True)
class Look:
    """How the slide is seen, wherever one looks: pictures of one look are cut from one plane.

    That plane has whole px, so that a move of the view moves finished pictures by whole px.
    """

    scale: float
    """px of the plane a level-0 px."""
    rotation: float = 0.0
    """Degrees, clockwise on screen."""
    is_flipped: bool = False
    """Mirrored left to right, before it is turned."""

    @property
    def affine(self) -> Affine:
        """From level-0 px to px of the plane."""
        size = Affine.scaled(-self.scale if self.is_flipped else self.scale, self.scale)
        return size if not self.rotation else size.then(Affine.turned(self.rotation))

    @property
    def is_upright(self) -> bool:
        return not self.rotation and not self.is_flipped


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of the plane of a look; ``left`` and ``top`` are px of that plane."""

    look: Look
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def around(cls, center_l0: Point, look: Look, width: int, height: int) -> Frame:
        """Return the frame of that size with a place in its middle (to half a px)."""
        x, y = look.affine.point(*center_l0)
        return cls(look, round(x - width / 2), round(y - height / 2), width, height)

    @property
    def scale(self) -> float:
        """Px a level-0 px."""
        return self.look.scale

    @property
    def to_px(self) -> Affine:
        """From level-0 px to px of the frame."""
        return self.look.affine.then(Affine.moved(-self.left, -self.top))

    @property
    def rect_px(self) -> Rect:
        """The frame itself, in px of the plane."""
        return Rect(self.left, self.top, self.width, self.height)

    @property
    def visible_l0(self) -> Rect:
        """The smallest upright rectangle round all that is seen."""
        return self.look.affine.inverse().rect(self.rect_px)

    def rect(self, rect_l0: Rect) -> Rect:
        """Return the smallest rectangle of whole px of the frame round a place of the slide."""
        return self.to_px.rect(rect_l0).outward()

    def expanded(self, margin: int) -> Frame:
        return Frame(
            self.look,
            self.left - margin,
            self.top - margin,
            self.width + 2 * margin,
            self.height + 2 * margin,
        )

    def moved(self, dx: int, dy: int) -> Frame:
        return replace(self, left=self.left + dx, top=self.top + dy)

"""Where on the slide a raster lies: stated by a person, or guessed when there is no doubt."""

from __future__ import annotations

from typing import Protocol

from pathoview.core.affine import Affine
from pathoview.core.errors import InputError, UsageError
from pathoview.core.pyramid import Level
from pathoview.core.translation import _

_ALIKE = 0.01
"""How much two scales may differ and still be taken for the same."""


class Picture(Protocol):
    """What is placed: a raster, or the facts about a second slide."""

    @property
    def levels(self) -> tuple[Level, ...]: ...

    @property
    def mpp(self) -> tuple[float, float] | None: ...


def stated_placement(
    scale: float | tuple[float, float], offset_l0: tuple[float, float] = (0.0, 0.0)
) -> Affine:
    """Return the map from px of a raster to level-0 px of the slide.

    ``scale`` is level-0 px per raster px (x, y); ``offset_l0`` is where the raster's corner lies.
    Raises `UsageError` when a scale is not above 0.
    """
    x, y = scale if isinstance(scale, tuple) else (scale, scale)
    if not (x > 0 and y > 0):
        raise UsageError(
            _("A scale of {x:g} × {y:g} cannot be drawn.").format(x=x, y=y),
            _("Give how many level-0 pixels of the slide one pixel of the picture covers."),
        )
    return Affine.scaled(x, y).then(Affine.moved(*offset_l0))


def guessed_placement(picture: Picture, base: Picture) -> Affine:
    """Return the placement that the sizes or the µm per pixel of both pictures tell.

    A picture of the slide's proportions covers all of it; one with a scale of its own starts at
    the slide's corner. Raises `InputError` when neither holds, or both do and contradict.
    """
    by_size, by_mpp = _by_size(picture, base), _by_mpp(picture, base)
    if by_size and by_mpp and not _alike(by_size.scale, by_mpp.scale):
        raise InputError(
            _(
                "The picture’s size says {size:.4g} level-0 px per pixel, its µm per pixel say "
                "{mpp:.4g}."
            ).format(size=by_size.scale, mpp=by_mpp.scale),
            _("State the scale, and the offset when it does not start at the slide’s corner."),
        )
    found = by_size or by_mpp
    if found is None:
        raise InputError(
            _("Where the picture lies on the slide is not known: it has another shape."),
            _("State its scale (level-0 px of the slide per pixel) and its offset (level-0 px)."),
        )
    return found


def placement_by_mpp(picture: Picture, base: Picture) -> Affine:
    """Return the scale that both pictures' µm per px state, corner on corner; else none (1:1)."""
    return _by_mpp(picture, base) or Affine()


def _by_size(picture: Picture, base: Picture) -> Affine | None:
    small, large = picture.levels[0], base.levels[0]
    x, y = large.width / small.width, large.height / small.height
    return Affine.scaled(x, y) if _alike(x, y) else None


def _by_mpp(picture: Picture, base: Picture) -> Affine | None:
    if picture.mpp is None or base.mpp is None:
        return None
    return Affine.scaled(picture.mpp[0] / base.mpp[0], picture.mpp[1] / base.mpp[1])


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= _ALIKE * max(one, other)

"""Which two stains a slide may be taken apart into, in words."""

from __future__ import annotations

from dataclasses import dataclass

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.slide_style import estimated_stains
from pathoview.slides.stains import H_DAB, H_E, StainMatrix

_WORDS = {"Hematoxylin": _("Haematoxylin"), "Eosin": _("Eosin"), "DAB": _("DAB")}


@dataclass(frozen=True, slots=True)
class StainChoice:
    """Two stains with their colours."""

    matrix: StainMatrix
    """For `SlideStyle.stains`."""
    name: str
    stains: tuple[str, str]


def choice_of(matrix: StainMatrix) -> StainChoice:
    """Return what a pair of stains is called."""
    first, second = (_WORDS.get(stain, stain) for stain in matrix.stains)
    name = f"{first} + {second}"
    if matrix not in (H_E, H_DAB):
        name = _("{stains}, as estimated").format(stains=name)
    return StainChoice(matrix, name, (first, second))


FIXED = choice_of(H_E), choice_of(H_DAB)
"""Colours from the literature."""


def estimate(source: SlideSource, rect_l0: Rect) -> tuple[StainChoice, str]:
    """Return the stains of a region of a slide (its own level-0 px), and why not, if so.

    Where the estimate cannot be trusted, the fixed colours are returned with a reason. Raises
    `UsageError` when the region lies beside the slide, and `SlideError`.
    """
    found = estimated_stains(source.slide, rect_l0)
    return choice_of(found.matrix), found.problem

"""Which two stains a slide may be taken apart into, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.slide_style import estimated_stains
from pathoview.slides.stains import H_DAB, H_E, StainMatrix
from pathoview.study.model import SlideRecord

if TYPE_CHECKING:
    from pathoview.session.session import Session

_BROWN = ("H-DAB", "IHC")
"""Stains of a slide, as the study says, that show haematoxylin and DAB."""
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


def stains_of(session: Session) -> StainMatrix:
    """Return the stains of the open slide: as chosen for its looks, else as the study says."""
    source = session.layers[0].source if len(session.layers) else None
    if isinstance(source, SlideSource) and source.style.stains != H_E:
        return source.style.stains
    slide_hash = "" if session.slide is None else session.slide.content_hash
    record = session.studies.records.get(SlideRecord, slide_hash)
    return H_DAB if record is not None and record.stain in _BROWN else H_E

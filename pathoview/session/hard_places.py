"""The labelled places where a model does worst, as far as they lie on a slide."""

from __future__ import annotations

from pathoview.core.geometry import Rect
from pathoview.methods.model import ModelCard
from pathoview.slides.slide import Slide


def hard_places(slide: Slide | None, card: ModelCard) -> list[tuple[Rect, float]]:
    """Return rectangles in level-0 px with their losses, the worst first; None: no slide."""
    here = "" if slide is None else slide.content_hash
    return [(Rect(*one.rect_l0), one.loss) for one in card.areas if one.slide_hash == here]

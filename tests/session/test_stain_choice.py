from __future__ import annotations

import numpy as np
from fakes import ArraySlide
from makers import he_image

from pathoview.core.geometry import Rect
from pathoview.layers.slide_source import SlideSource
from pathoview.session.stain_choice import FIXED, estimate


def test_fixed_and_estimated_stains_have_different_names() -> None:
    assert [choice.name for choice in FIXED] == ["Haematoxylin + Eosin", "Haematoxylin + DAB"]
    choice, problem = estimate(SlideSource(ArraySlide(he_image(400, 400))), Rect(0, 0, 400, 400))
    assert not problem
    assert choice.name.endswith("as estimated")
    assert choice.stains == FIXED[0].stains


def test_an_empty_place_keeps_the_fixed_colours_and_says_why() -> None:
    blank = SlideSource(ArraySlide(np.full((100, 100, 3), 250, np.uint8)))
    choice, problem = estimate(blank, Rect(0, 0, 100, 100))
    assert choice == FIXED[0]
    assert problem

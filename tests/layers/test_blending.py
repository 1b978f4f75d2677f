from __future__ import annotations

import numpy as np
import pytest

from pathoview.layers.blending import blend
from pathoview.layers.layer import BLENDS, Blend
from pathoview.layers.source import Rgba

BELOW = (200, 100, 40, 255)


def plain(color: tuple[int, int, int, int]) -> Rgba:
    return np.full((3, 5, 4), color, np.uint8)


@pytest.mark.parametrize(
    ("mode", "opacity", "expected"),
    [
        ("normal", 1.0, (100, 200, 0)),
        ("normal", 0.5, (150, 150, 20)),
        ("multiply", 1.0, (78, 78, 0)),
        ("multiply", 0.5, (139, 89, 20)),
        ("additive", 1.0, (255, 255, 40)),
        ("additive", 0.5, (250, 200, 40)),
    ],
)
def test_an_opaque_picture_meets_what_lies_below(
    mode: Blend, opacity: float, expected: tuple[int, int, int]
) -> None:
    picture = plain(BELOW)
    blend(picture, plain((100, 200, 0, 255)), opacity, mode)
    assert picture[0, 0].tolist() == pytest.approx([*expected, 255], abs=1)
    assert (picture == picture[0, 0]).all()


@pytest.mark.parametrize("mode", BLENDS)
def test_what_is_transparent_changes_nothing(mode: Blend) -> None:
    picture = plain(BELOW)
    blend(picture, plain((0, 0, 0, 0)), 0.7, mode)
    assert (picture == BELOW).all()

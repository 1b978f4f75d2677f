from __future__ import annotations

import numpy as np
from fakes import ArraySlide
from painted import boxes

from pathoview.core.geometry import Rect
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.thumbnail import thumbnail


def test_a_thumbnail_shows_the_whole_in_its_proportions() -> None:
    pixels = np.full((100, 400, 3), 255, np.uint8)
    pixels[:, 200:] = (200, 0, 0)
    picture = thumbnail(SlideSource(ArraySlide(pixels)), 40)
    assert picture.shape == (10, 40, 4)
    assert picture[5, 5].tolist() == [255, 255, 255, 255]
    assert picture[5, 35].tolist() == [200, 0, 0, 255]


def test_a_thumbnail_of_objects_is_clear_where_there_are_none() -> None:
    source = DetectionSource(1000, 1000)
    source.set(boxes([Rect(100, 100, 200, 200)]))
    alpha = thumbnail(source, 40)[..., 3]
    assert alpha[4:12, 4:12].any()
    assert not alpha[20:, 20:].any()


def test_a_very_narrow_picture_keeps_a_pixel() -> None:
    picture = thumbnail(SlideSource(ArraySlide(np.zeros((4, 900, 3), np.uint8))), 40)
    assert picture.shape == (1, 40, 4)

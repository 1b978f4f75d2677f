from __future__ import annotations

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image
from painted import boxes

from pathoview.core.geometry import Rect
from pathoview.layers.compose import compose
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.layer import Layer
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.slide_source import SlideSource


def test_at_full_size_a_part_of_a_slide_is_its_pixels() -> None:
    image = he_image(1300, 900)
    slide = Layer("Slide", SlideSource(ArraySlide(image)))
    picture = compose([slide], Rect(450, 300, 700, 500), 700, 500)
    np.testing.assert_array_equal(picture[..., :3], image[300:800, 450:1150])
    assert (picture[..., 3] == 255).all()


def test_a_small_picture_of_the_whole_slide_is_its_mean() -> None:
    image = he_image(1300, 900)
    slide = Layer("Slide", SlideSource(ArraySlide(image)))
    picture = compose([slide], Rect(0, 0, 1300, 900), 130, 90)[..., :3]
    expected = cv2.resize(image, (130, 90), interpolation=cv2.INTER_AREA)
    difference = np.abs(picture.astype(int) - expected.astype(int))
    assert np.median(difference) <= 4


def test_what_lies_beyond_the_slide_is_white() -> None:
    slide = Layer("Slide", SlideSource(ArraySlide(np.zeros((64, 64, 3), np.uint8))))
    picture = compose([slide], Rect(-64, -64, 192, 192), 192, 192)[..., 0]
    assert (picture[66:126, 66:126] == 0).all()
    assert (picture[:62] == 255).all()
    assert (picture[130:] == 255).all()


@pytest.mark.parametrize("factor", [0.7, 1.0, 3.3])
def test_slide_and_outlines_lie_on_each_other_at_any_scale(factor: float) -> None:
    image = np.full((600, 800, 3), 255, np.uint8)
    box = Rect(203, 101, 60, 40)
    image[101:141, 203:263] = 0
    source = DetectionSource(800, 600, OutlineStyle(color=(255, 0, 0), line_width_px=1))
    source.append(boxes([box]))
    layers = [Layer("Slide", SlideSource(ArraySlide(image))), Layer("Nuclei", source)]
    part = Rect(150, 60, 200, 150)
    size = round(part.width * factor), round(part.height * factor)
    picture = compose(layers, part, *size).astype(int)
    red = (picture[..., 0] > 150) & (picture[..., 1] < 120)
    ys, xs = np.nonzero(red)
    scale_x, scale_y = size[0] / part.width, size[1] / part.height
    expected = box.moved(-part.x, -part.y)
    edges = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    wanted = (
        expected.x * scale_x,
        expected.y * scale_y,
        expected.right * scale_x,
        expected.bottom * scale_y,
    )
    assert edges == pytest.approx(wanted, abs=1.6)


def test_hidden_layers_are_left_out_and_faint_ones_shine_through() -> None:
    slide = Layer("Slide", SlideSource(ArraySlide(np.zeros((64, 64, 3), np.uint8))))
    whole = Rect(0, 0, 64, 64)
    assert compose([slide], whole, 64, 64)[..., 0].max() == 0
    slide.opacity = 0.5
    assert np.unique(compose([slide], whole, 64, 64)[..., 0]).tolist() == [128]
    slide.visible = False
    assert compose([slide], whole, 64, 64)[..., 0].min() == 255


@pytest.mark.parametrize("factor", [0.3, 0.77, 1.5, 5.3])
def test_the_edge_of_a_slide_is_neither_dark_nor_blurred(factor: float) -> None:
    slide = Layer("Slide", SlideSource(ArraySlide(np.full((300, 400, 3), 240, np.uint8))))
    part = Rect(-50.3, -40.2, 500, 400)
    width, height = round(part.width * factor), round(part.height * factor)
    picture = compose([slide], part, width, height)[..., 0]
    assert set(np.unique(picture).tolist()) == {240, 255}
    rows, columns = np.nonzero(picture == 240)
    assert columns.min() == round(50.3 * width / part.width)
    assert rows.max() + 1 == round(340.2 * height / part.height)

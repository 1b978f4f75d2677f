from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from makers import he_scene

from pathoview.slides.stain_measures import pixels_in, stain_measures, stain_names
from pathoview.slides.stains import H_DAB, H_E, separate


def test_pixels_count_whose_centres_lie_inside() -> None:
    square = shapely.box(102, 51, 106.1, 54)  # level-0 px; patch at (100, 50), 2 px a pixel
    inside = pixels_in(square, (4, 5), (100, 50), 2)
    assert np.argwhere(inside).tolist() == [[1, 1], [1, 2]]


def test_statistics_are_those_of_the_pixels_in_the_shape() -> None:
    rgb = he_scene(80, 60).rgb
    ring = shapely.Point(40, 30).buffer(25).difference(shapely.Point(40, 30).buffer(10))
    measures = stain_measures(rgb, ring, H_E)
    row, column = np.indices(rgb.shape[:2])
    distance = np.hypot(column + 0.5 - 40, row + 0.5 - 30)
    near_the_truth = separate(rgb, H_E)[(distance < 25) & (distance > 10)][:, :2]
    assert tuple(measures) == stain_names(H_E)
    assert measures["Hematoxylin mean"] == pytest.approx(near_the_truth[:, 0].mean(), abs=0.01)
    assert measures["Eosin SD"] == pytest.approx(near_the_truth[:, 1].std(), abs=0.01)
    assert measures["Eosin min"] <= measures["Eosin mean"] <= measures["Eosin max"]


def test_nuclei_hold_more_hematoxylin_than_what_lies_around() -> None:
    scene = he_scene(200, 200)
    row, column = (int(place) for place in np.argwhere(scene.labels == scene.labels.max()).mean(0))
    nucleus = shapely.Point(column, row).buffer(3)
    around = nucleus.buffer(15).difference(nucleus.buffer(8))
    dark, pale = (stain_measures(scene.rgb, shape, H_E) for shape in (nucleus, around))
    assert dark["Hematoxylin mean"] > 2 * pale["Hematoxylin mean"]


def test_a_shape_beside_the_patch_has_no_stain() -> None:
    rgb = np.full((5, 5, 3), 200, np.uint8)
    measures = stain_measures(rgb, shapely.box(50, 50, 60, 60), H_DAB)
    assert set(measures) == set(stain_names(H_DAB))
    assert all(math.isnan(value) for value in measures.values())


def test_one_colour_has_no_spread() -> None:
    measures = stain_measures(np.full((9, 9, 3), 120, np.uint8), shapely.box(2, 2, 7, 7), H_DAB)
    assert measures["DAB SD"] == pytest.approx(0, abs=1e-9)
    assert measures["DAB min"] == measures["DAB max"] == pytest.approx(measures["DAB mean"])

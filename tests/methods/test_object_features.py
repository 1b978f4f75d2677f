"""Numbers of objects: the picture around a place, what lies beside it, what it looks like."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_scene
from scipy.spatial import cKDTree
from teaching import centers

from pathoview.methods import object_features
from pathoview.methods.object_features import (
    MEASUREMENTS,
    PICTURE_FEATURES,
    PICTURE_PX,
    REACH_UM,
    measurement_rows,
    picture_rows,
    pictures,
    surroundings,
)
from pathoview.slides.reading import analysis_grid

SCENE = he_scene(320, 320, seed=4)
MIDDLES = np.array([(one.x, one.y) for one in centers(SCENE)])


def shown(mpp: float, middles: np.ndarray, rgb: np.ndarray = SCENE.rgb) -> np.ndarray:
    slide = ArraySlide(rgb, mpp)
    return pictures(slide, analysis_grid(slide, 0.5), middles)


def test_a_picture_lies_around_its_place() -> None:
    (one,) = shown(0.5, np.array([[100.0, 60.0]]))
    assert np.array_equal(one, SCENE.rgb[36:84, 76:124])


def test_pictures_come_in_the_order_of_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_features, "BLOCK_PX", 64)
    places = np.concatenate([[[5000.0, 5000.0]], np.random.default_rng(0).permutation(MIDDLES)])
    together = shown(0.5, places)
    for middle, one in zip(places, together, strict=True):
        assert np.array_equal(shown(0.5, middle[None])[0], one)
    assert (together[0] == 255).all()


def test_a_picture_shows_as_many_um_at_any_scale() -> None:
    coarse = he_scene(160, 160, seed=4, mpp=0.7)
    place = np.array([[80.0, 80.0]])
    (one,) = shown(0.7, place, coarse.rgb)
    assert one.shape == (PICTURE_PX, PICTURE_PX, 3)
    side = round(24 / 0.7)
    cut = coarse.rgb[80 - side // 2 : 80 + side // 2, 80 - side // 2 : 80 + side // 2]
    assert np.abs(one.mean(axis=(0, 1)) - cut.mean(axis=(0, 1))).max() < 1


def test_neighbours_are_counted_without_the_object_itself() -> None:
    everything = np.array([[0, 0], [10, 0], [30, 0], [500, 0]], float)
    found = surroundings(everything[[0, 3]], cKDTree(everything))
    assert found["Neighbours within 20 µm"].tolist() == [1, 0]
    assert found["Neighbours within 40 µm"].tolist() == [2, 0]
    assert found["Nearest neighbour µm"].tolist() == [10, REACH_UM]


def test_a_lonely_object_has_no_neighbours() -> None:
    found = surroundings(np.zeros((1, 2)), cKDTree(np.zeros((1, 2))))
    assert [float(column[0]) for column in found.values()] == [0, 0, REACH_UM]


def test_what_is_not_measured_is_unknown() -> None:
    rows = measurement_rows({"Area µm²": np.array([3, 4], np.float32)}, 2)
    assert rows[:, MEASUREMENTS.index("Area µm²")].tolist() == [3, 4]
    assert np.isnan(np.delete(rows, MEASUREMENTS.index("Area µm²"), axis=1)).all()


def test_a_picture_tells_how_large_and_dark_a_nucleus_is() -> None:
    rows = picture_rows(shown(0.5, MIDDLES))
    assert rows.shape == (len(MIDDLES), len(PICTURE_FEATURES))
    assert np.isfinite(rows).all()
    by_name = dict(zip(PICTURE_FEATURES, rows.T, strict=True))
    sizes = np.bincount(SCENE.labels.ravel())[1:]
    sizes = sizes[sizes > 0]
    assert np.corrcoef(by_name["blob amount"], sizes)[0, 1] > 0.8
    is_dark = by_name["hematoxylin middle mean"] > by_name["hematoxylin around mean"]
    assert is_dark.mean() > 0.9  # some are all but covered by others
    assert (by_name["blob length"] >= by_name["blob width"]).all()


def test_numbers_of_a_picture_do_not_depend_on_the_others() -> None:
    found = shown(0.5, np.tile(MIDDLES, (300 // len(MIDDLES) + 1, 1)))
    assert np.allclose(picture_rows(found)[-1], picture_rows(found[-1:])[0], atol=1e-5)
    assert picture_rows(found[:0]).shape == (0, len(PICTURE_FEATURES))

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image, make_plain, make_svs

from pathoview.core.affine import Affine
from pathoview.core.errors import InputError, UsageError
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.file_layer import close_source, guess_layer, open_layer
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.label_source import LabelSource
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.synthetic_source import SyntheticSource

BASE = ArraySlide(np.zeros((400, 800, 3), np.uint8)).info
FLOATS = np.linspace(0, 1, 20_000, dtype=np.float32).reshape(100, 200)
CLASSES = (FLOATS * 4).astype(np.uint8)
LABELS = np.arange(20_000, dtype=np.int32).reshape(100, 200)


def saved(folder: Path, array: np.ndarray) -> Path:
    path = folder / "made.npy"
    np.save(path, array)
    return path


@pytest.mark.parametrize(
    ("array", "kind", "is_sure"),
    [
        (FLOATS, "heatmap", True),
        (CLASSES, "class_map", False),
        ((FLOATS * 255).astype(np.uint8), "heatmap", False),
        (LABELS, "labels", True),
    ],
)
def test_the_kind_is_guessed_from_the_numbers(
    tmp_path: Path, array: np.ndarray, kind: str, is_sure: bool
) -> None:
    guess = guess_layer(saved(tmp_path, array), BASE)
    assert (guess.kind, guess.is_sure) == (kind, is_sure)
    assert guess.placement == Affine.scaled(4)
    assert (guess.width, guess.height) == (200, 100)


def test_a_place_that_cannot_be_told_says_why_and_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, FLOATS[:, :100])
    guess = guess_layer(path, BASE)
    assert guess.placement is None
    assert "shape" in guess.problem
    assert not guess.is_sure
    with pytest.raises(InputError, match="shape"):
        open_layer(path, BASE)


@pytest.mark.parametrize(
    ("array", "kind", "source"),
    [
        (FLOATS, "", HeatmapSource),
        (CLASSES, "", ClassMapSource),
        (CLASSES, "heatmap", HeatmapSource),
        (CLASSES, "labels", LabelSource),
    ],
)
def test_a_layer_is_what_was_asked_for(
    tmp_path: Path, array: np.ndarray, kind: str, source: type
) -> None:
    layer = open_layer(saved(tmp_path, array), BASE, kind)
    assert isinstance(layer.source, source)
    assert layer.name == "made"


def test_a_stated_place_is_taken(tmp_path: Path) -> None:
    place = Affine.scaled(2).then(Affine.moved(30, 40))
    layer = open_layer(saved(tmp_path, FLOATS), BASE, placement=place)
    assert isinstance(layer.source, HeatmapSource)
    assert layer.source.value_at(30.5, 40.5) == 0
    assert layer.source.value_at(10, 10) is None


def test_a_picture_with_a_scale_is_a_second_slide_that_begins_at_the_same_corner(
    tmp_path: Path,
) -> None:
    path = make_svs(tmp_path / "other.svs", he_image(600, 500), mpp=0.25)
    guess = guess_layer(path, BASE)
    assert (guess.kind, guess.is_sure) == ("slide", True)
    assert guess.placement == Affine.scaled(0.5)
    layer = open_layer(path, BASE)
    assert isinstance(layer.source, RegisteredSource)
    assert layer.source.placement == Affine.scaled(0.5)
    close_source(layer.source)


def test_a_picture_without_a_scale_may_be_synthetic(tmp_path: Path) -> None:
    path = make_plain(tmp_path / "healthy.png", he_image(200, 100))
    guess = guess_layer(path, BASE)
    assert (guess.kind, guess.is_sure) == ("synthetic", False)
    layer = open_layer(path, BASE, "synthetic", guess.placement)
    assert isinstance(layer.source, SyntheticSource)
    as_slide = open_layer(path, BASE, "slide")
    assert isinstance(as_slide.source, RegisteredSource)
    assert as_slide.source.placement == Affine()
    close_source(as_slide.source)


def test_several_channels_of_whole_numbers_are_no_labels(tmp_path: Path) -> None:
    path = saved(tmp_path, np.arange(60_000, dtype=np.uint16).reshape(100, 200, 3))
    assert guess_layer(path, BASE).kind == "slide"


def test_the_background_of_a_class_map_is_not_drawn_at_first(tmp_path: Path) -> None:
    layer = open_layer(saved(tmp_path, CLASSES), BASE)
    assert isinstance(layer.source, ClassMapSource)
    assert layer.source.style.hidden == {0}
    assert 0 in layer.source.classes


def test_wrong_kinds_are_told_in_a_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path, FLOATS)
    with pytest.raises(UsageError, match="nonsense"):
        open_layer(path, BASE, "nonsense")
    with pytest.raises(InputError, match="whole numbers"):
        open_layer(path, BASE, "labels")

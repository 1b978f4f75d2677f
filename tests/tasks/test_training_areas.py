from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from fakes import ArraySlide
from teaching import CLASSES, NUCLEUS, TISSUE, drawn, training_data

from pathoview.core.params import BaseParams
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import LabelledImage, TargetClass, TrainingData
from pathoview.methods.model import ModelCard
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Found, Kind, Synthesised
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.training_areas import hardest_areas

VALUES = {"Nucleus": 1, "Tissue": 2}


class Fake:
    """Says that dark pixels are nucleus."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def prepare(self, slide: object, mpp: float) -> dict[str, Any]:
        return {}

    def predict(self, patch: np.ndarray[Any, Any], mpp: float, context: object) -> Any:
        dark = patch[..., 0] < 128
        if self._kind is Kind.INSTANCE:
            return Found(dark.astype(np.int32))
        likely = np.where(dark, 0.9, 0.1).astype(np.float32)
        if self._kind is Kind.SYNTHESIS:
            return Synthesised(patch, likely)
        return np.stack([likely, 1 - likely], axis=2)


def method(kind: Kind) -> BuiltMethod:
    spec = replace(METHODS.get("nuclei_watershed"), kind=kind, halo_um=10.0)
    card = ModelCard(title="fake", method="fake", kind=kind.value, mpp=0.5)
    return BuiltMethod(spec, BaseParams(), Fake(kind), card)


def data(*features: Any) -> TrainingData:
    pixels = np.full((600, 900, 3), 200, np.uint8)
    pixels[:, :450] = 50  # nucleus, as the fake sees it
    labels = FeatureLabels(features, CLASSES, VALUES, mpp=0.5)
    image = LabelledImage(ArraySlide(pixels, 0.5), labels, "field")
    return TrainingData([image], tuple(TargetClass(one.name) for one in CLASSES))


def areas(kind: Kind, *features: Any) -> Any:
    return hardest_areas(method(kind), data(*features), 0, lambda: None)


def test_a_wrong_stroke_is_the_hardest_place() -> None:
    right = drawn(shapely.box(20, 20, 80, 40), NUCLEUS, "scribble")
    wrong = drawn(shapely.box(20, 420, 80, 440), TISSUE, "scribble")
    found = areas(Kind.PIXEL, right, wrong)
    assert len(found) == 2
    x, y, width, height = found[0].rect_l0
    assert (x, width) == (0, 192)
    assert y <= 420 < y + height
    assert found[0].loss == pytest.approx(-np.log(0.1), rel=1e-3)
    assert found[1].loss == pytest.approx(-np.log(0.9), rel=1e-3)


def test_pathology_is_of_any_learned_class_and_what_is_not_known_does_not_count() -> None:
    found = areas(
        Kind.SYNTHESIS,
        drawn(shapely.box(20, 20, 80, 40), NUCLEUS, "scribble"),
        drawn(shapely.box(820, 420, 880, 440), TISSUE, "scribble"),
    )
    assert [one.loss for one in found] == pytest.approx([-np.log(0.1), -np.log(0.9)], rel=1e-3)
    assert found[0].rect_l0[0] > 600


def test_missed_nuclei_make_a_place_hard() -> None:
    seen = drawn(shapely.Point(50, 50), NUCLEUS)
    missed = drawn(shapely.Point(850, 550), NUCLEUS)
    found = areas(Kind.INSTANCE, seen, missed)
    assert [one.loss for one in found] == [1.0, 0.0]
    assert found[0].rect_l0[0] > 600


def test_objects_have_no_places_and_unlabelled_ones_do_not_count() -> None:
    assert areas(Kind.OBJECT, drawn(shapely.Point(50, 50), NUCLEUS)) == ()
    assert hardest_areas(method(Kind.PIXEL), replace(data(), images=[]), 0, lambda: None) == ()


def test_it_is_cancelled() -> None:
    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hardest_areas(method(Kind.INSTANCE), training_data("points", 0.5), 0, cancelled)

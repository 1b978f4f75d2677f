"""Kinds of nuclei by examples: what is learned, from what, and how well it is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from run_files import squares
from teaching import CLASSES, NUCLEUS, TISSUE, drawn, training_data

from pathoview.annotations.feature import Feature
from pathoview.core.errors import InputError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import LabelledImage, TrainingData
from pathoview.evaluation.calibration import at_temperature
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.object_features import MEASUREMENTS, PICTURE_PX
from pathoview.methods.spec import Compute, ObjectBatch
from pathoview.methods.supervised.object_classifier import ObjectClassifier, objects_under
from pathoview.methods.supervised.object_classifier_learning import (
    Classifier,
    Examples,
    calibrated,
    learned,
)
from pathoview.methods.supervised.object_classifier_params import (
    ObjectClassifierFitParams,
    ObjectClassifierParams,
)

SIDE_PX = 10
NO_PICTURES = np.zeros((2, PICTURE_PX, PICTURE_PX, 3), np.uint8)


def field() -> LabelledImage:
    return training_data("objects", 0.5).images[0]


def data(features: list[Feature], **facts: Any) -> TrainingData:
    """Return one field with annotations of its own."""
    whole = training_data("objects", 0.5)
    values = {one.name: place for place, one in enumerate(CLASSES, 1)}
    labels = FeatureLabels(features, CLASSES, values, mpp=0.5)
    image = replace(whole.images[0], labels=labels, **facts)
    return TrainingData([image], whole.classes)


def clicks(n: int, of: Any, y: float) -> list[Feature]:
    return [drawn(shapely.Point(15 + 20 * place, y), of) for place in range(n)]


def two_rows(n: int = 8, areas: tuple[float, float] = (20, 60)) -> TrainingData:
    """Return clicks in two rows of squares, whose measured areas alone tell them apart."""
    rows = [squares([(10 + 20 * i, y) for i in range(n)], SIDE_PX) for y in (50, 150)]
    points = np.concatenate([one.points for one in rows])
    ids = np.concatenate([one.ids for one in rows])
    objects = replace(
        rows[0],
        points=points,
        offsets=np.arange(2 * n + 1, dtype=np.int64) * 4,
        ids=ids,
        class_index=np.full(2 * n, -1, np.int16),
        measurements={"Area µm²": np.repeat(np.float32(areas), n)},
    )
    features = [*clicks(n, NUCLEUS, 55), *clicks(n, TISSUE, 155)]
    return data(features, objects=objects)


def fitted(said: TrainingData, progress: Any = None, **params: Any) -> Fitted:
    return ObjectClassifier(ObjectClassifierParams()).fit(
        said, ObjectClassifierFitParams(**params), FitContext(progress or SilentProgress())
    )


def told(what: Fitted, **columns: list[float]) -> np.ndarray:
    measured = {name: np.array(values, np.float32) for name, values in columns.items()}
    method = ObjectClassifier(ObjectClassifierParams(), what, Compute())
    return method.predict(ObjectBatch(measured, NO_PICTURES))


@pytest.mark.parametrize("classifier", ["logistic regression", "gradient boosting"])
def test_an_example_is_measured_by_the_object_under_it(classifier: str) -> None:
    what = fitted(two_rows(), features="measurements", classifier=classifier)
    assert told(what, **{"Area µm²": [22, 58]}).argmax(axis=1).tolist() == [0, 1]
    assert what.metrics["accuracy"] == 1.0
    assert what.settings["measured_on"] == "cross-validation"


def test_neighbours_of_an_example_are_all_objects_there_are() -> None:
    what = fitted(two_rows(), features="measurements")
    mean = dict(zip(MEASUREMENTS, what.tensors["mean"], strict=True))
    # Squares stand 20 px, 10 µm, apart in a row of eight.
    assert mean["Nearest neighbour µm"] == pytest.approx(10)
    assert mean["Neighbours within 20 µm"] == pytest.approx((2 * 2 + 2 * 3 + 4 * 4) / 8)


def test_few_examples_make_nothing_certain() -> None:
    few, many = (fitted(two_rows(n), features="measurements") for n in (4, 12))
    sure = [told(what, **{"Area µm²": [20, 60]}).max() for what in (few, many)]
    assert sure[0] < sure[1] < 1


def test_it_is_as_sure_as_it_was_right_on_what_it_did_not_see() -> None:
    """Platt: of six examples that were all right, the next one is right in 7 of 8 cases."""
    classifier = Classifier.from_tensors(fitted(two_rows(), features="measurements").tensors)
    values = np.array([0, 0, 0, 1, 1, 1])
    right = np.where(values[:, None] == [0, 1], 0.8, 0.2).astype(np.float32)
    shown = at_temperature(right, calibrated(classifier, right, values).temperature)
    assert shown.max() == pytest.approx(7 / 8, abs=0.01)
    wrong = right.copy()
    wrong[[0, 3]] = wrong[[0, 3], ::-1]
    shown = at_temperature(wrong, calibrated(classifier, wrong, values).temperature)
    assert shown.max() == pytest.approx(2 / 3, abs=0.08)
    unknown = np.full_like(right, np.nan)
    assert calibrated(classifier, unknown, values) is classifier


@pytest.mark.parametrize("is_boosted", [False, True])
def test_all_classes_weigh_the_same(is_boosted: bool) -> None:
    rng = np.random.default_rng(0)
    values = np.repeat([0, 1], [400, 40])
    rows = (rng.normal(size=440) + values)[:, None].astype(np.float32)
    context = FitContext(SilentProgress())
    classifier = learned(Examples(rows, values, values), is_boosted, context)
    between = classifier.predict(np.linspace(0.2, 0.8, 25, dtype=np.float32)[:, None])
    assert between.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.15)


def drawn_of(said: TrainingData) -> list[Feature]:
    n = len(said.images[0].labels.examples().values) // 2
    return [*clicks(n, NUCLEUS, 55), *clicks(n, TISSUE, 155)]


def test_an_object_is_one_example_and_the_last_word_counts() -> None:
    said = two_rows()
    features = [*drawn_of(said), *clicks(8, TISSUE, 55)[:7], *clicks(8, NUCLEUS, 155)[:7]]
    swapped = fitted(data(features, objects=said.images[0].objects), features="measurements")
    assert told(swapped, **{"Area µm²": [22, 58]}).argmax(axis=1).tolist() == [1, 0]


def test_without_objects_pictures_tell() -> None:
    what = fitted(training_data("objects", 0.5))
    assert what.settings["measured_on"] == "held back"
    assert what.metrics["macro_f1"] > 0.8


def test_what_is_held_back_is_not_learned_from() -> None:
    said = two_rows(12)
    areas = np.repeat(np.float32([20, 100, 60]), [6, 6, 12])
    objects = said.images[0].objects
    assert objects is not None
    odd = data(drawn_of(said), objects=replace(objects, measurements={"Area µm²": areas}))
    block = {odd.images[0].name: (Rect(130, 0, 400, 100),)}
    how = {"features": "measurements", "classifier": "gradient boosting"}
    assert fitted(odd, **how).metrics["accuracy"] == 1.0
    what = fitted(replace(odd, held_back_l0=block), **how)
    assert what.metrics["accuracy"] == 0.0
    assert what.settings["measured_on"] == "held back"


def test_patients_are_not_parted_by_cross_validation() -> None:
    """Where each patient's objects look their own way, those of another one are not told."""
    images = []
    for number in range(4):
        areas = (20, 60) if number % 2 else (60, 20)
        image = two_rows(6, areas).images[0]
        images.append(replace(image, name=str(number), group=str(number)))
    apart = TrainingData(images, two_rows().classes)
    alone = TrainingData([replace(one, group="same") for one in images[:1]], apart.classes)
    assert fitted(apart, features="measurements").metrics["accuracy"] < 0.7
    assert fitted(alone, features="measurements").metrics["accuracy"] == 1.0


def test_pictures_are_not_read_where_measurements_tell() -> None:
    what = fitted(two_rows(), features="measurements")
    assert not ObjectClassifier(ObjectClassifierParams(), what).sees_pictures
    assert ObjectClassifier(ObjectClassifierParams(), fitted(two_rows())).sees_pictures


def test_the_network_sees_pictures_and_its_weights_are_named() -> None:
    what = fitted(training_data("objects", 0.5), features="picture embedding")
    assert what.metrics["macro_f1"] > 0.7
    assert what.parents[0].licence == "Apache-2.0"
    assert told(what, **{"Area µm²": [20, 60]}).shape == (2, 2)
    other = replace(what, settings={**what.settings, "encoder": "sha256:other"})
    with pytest.raises(InputError, match="other weights"):
        told(other, **{"Area µm²": [20, 60]})


@pytest.mark.parametrize(
    ("n", "sentence"),
    [((0, 0), "no examples"), ((5, 0), "only examples of “Nucleus”"), ((5, 2), "2 examples")],
)
def test_too_few_examples_are_refused_with_advice(n: tuple[int, int], sentence: str) -> None:
    features = [*clicks(n[0], NUCLEUS, 55), *clicks(n[1], TISSUE, 155)]
    with pytest.raises(UsageError, match=sentence) as caught:
        fitted(data(features))
    assert "20" in caught.value.hint


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="tell objects apart"):
        Classifier.from_tensors({"mean": np.zeros(3)})


def test_a_point_means_the_object_it_lies_in_or_near() -> None:
    objects = squares([(0, 0), (100, 100)], 20)
    points = np.array([[1.0, 1.0], [110, 119], [112, 122], [60, 60]])
    assert objects_under(points, objects, 3).tolist() == [0, 1, -1, -1]
    assert objects_under(np.array([[110.0, 121.0]]), objects, 12).tolist() == [1]

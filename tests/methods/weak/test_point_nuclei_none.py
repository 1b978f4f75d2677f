"""Labels that say “this is no nucleus” teach `point_nuclei`; without any, nothing changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import shapely
from fakes import ArraySlide
from makers import Scene, he_scene
from teaching import NUCLEUS, centers, drawn

from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.datasets.feature_labels import POINT_UM, FeatureLabels
from pathoview.datasets.labels import BACKGROUND, LabelledImage, TrainingData
from pathoview.evaluation import instances
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, ModelCard
from pathoview.methods.weak.point_nuclei import PointNuclei
from pathoview.methods.weak.point_nuclei_fields import fingerprint, labelled, training_fields
from pathoview.methods.weak.point_nuclei_labels import NUCLEUS as NUCLEUS_VALUE
from pathoview.methods.weak.point_nuclei_labels import pseudo_masks
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams, PointNucleiParams
from pathoview.methods.weak.point_nuclei_training import MPP, _Training
from pathoview.study.model import LabelClass

NONE = LabelClass(number=3, name="No nucleus", color=(9, 9, 9), meaning="negative")
SIDE = 320
_PIGMENT_PX = 9
PARAMS = PointNucleiFitParams(n_steps=60, n_parting_steps=1, batch=4)


def pigmented(seed: int) -> tuple[Scene, list[shapely.Point]]:
    """Return a field with dark round things between its nuclei, and where they are."""
    scene = he_scene(SIDE, SIDE, seed=seed, mpp=MPP)
    free = cv2.distanceTransform((scene.labels == 0).astype(np.uint8), cv2.DIST_L2, 5)
    places = []
    for _number in range(8):
        y, x = (int(one) for one in np.unravel_index(int(free.argmax()), free.shape))
        cv2.circle(free, (x, y), 30, 0.0, -1)
        cv2.circle(scene.rgb, (x, y), _PIGMENT_PX, (90, 60, 30), -1)
        places.append(shapely.Point(x + 0.5, y + 0.5))
    return scene, places


def data(none: Sequence[Feature] = (), **members: Any) -> TrainingData:
    """Return a field with a point on each nucleus, and what else is said."""
    scene, _places = pigmented(5)
    points = [drawn(place, NUCLEUS) for place in centers(scene)]
    labels = FeatureLabels([*points, *none], [NUCLEUS, NONE], {"Nucleus": 1}, mpp=MPP)
    return TrainingData([LabelledImage(ArraySlide(scene.rgb, MPP), labels, "a")], (), **members)


def fit(what: TrainingData, params: PointNucleiFitParams = PARAMS, **context: Any) -> Fitted:
    said = FitContext(SilentProgress(), seed=1, **context)
    return PointNuclei(PointNucleiParams()).fit(what, params, said)


def n_pigment_found(fitted: Fitted) -> tuple[int, float]:
    """Return how many dark things count as nuclei in another field, and the F1 of its nuclei."""
    scene, places = pigmented(11)
    # Learned centers leave out most of it anyway.
    where = PointNucleiParams(parting="none", threshold=0.4)
    found = PointNuclei(where, fitted).predict(scene.rgb, MPP, {}).labels
    known = instances.centroids(scene.labels)
    f1 = instances.detection_f1(known, instances.centroids(found), 12)
    return sum(bool(found[int(place.y), int(place.x)]) for place in places), f1


def test_points_that_mean_no_nucleus_remove_a_false_kind_of_object() -> None:
    _scene, places = pigmented(5)
    before, _f1 = n_pigment_found(fit(data()))
    after, f1 = n_pigment_found(fit(data([drawn(place, NONE) for place in places])))
    assert before >= 5
    assert after <= 1
    assert f1 > 0.8


def test_without_such_labels_everything_is_as_it_was() -> None:
    (field,) = training_fields(data(), MPP, SilentProgress())
    arrays = (field.rgb, field.points, field.is_complete, field.is_allowed)
    said = b"".join(np.ascontiguousarray(one).tobytes() for one in arrays)
    assert fingerprint([field], ["x"]) == hashlib.sha256(repr(["x"]).encode() + said).hexdigest()
    (both,) = labelled([field], PARAMS, SilentProgress())
    as_before = pseudo_masks(
        field.rgb, field.points, field.is_complete, MPP, PARAMS, field.is_allowed
    )
    assert np.array_equal([both.voronoi, both.clusters], as_before)
    assert np.array_equal(field.anchors, field.points)


def test_what_is_doubtful_or_held_back_says_nothing() -> None:
    point = shapely.Point(40, 40)
    quick = PARAMS.model_copy(update={"n_steps": 2})
    held = {"a": (Rect(0, 0, 100, SIDE),)}
    plain = fit(data(held_back_l0=held), quick)
    for one in (drawn(point, NONE), Feature(point, classification=NONE.drawn, is_uncertain=True)):
        other = fit(data([one], held_back_l0=held), quick)
        for name, array in plain.tensors.items():
            assert np.array_equal(array, other.tensors[name])


def masks_at(none: Sequence[Feature]) -> tuple[npt.NDArray[np.bool_], Any]:
    (field,) = training_fields(data(none), MPP, SilentProgress())
    (both,) = labelled([field], PARAMS, SilentProgress())
    return field.is_none, both


def test_such_pixels_are_background_but_not_close_to_a_point_on_a_nucleus() -> None:
    scene, places = pigmented(5)
    nucleus = centers(scene)[0]
    whole = shapely.box(0, 0, SIDE, SIDE)
    inner = next(one for one in places if 20 < one.x < SIDE - 20 and 20 < one.y < SIDE - 20)
    is_none, both = masks_at([drawn(inner, NONE)])
    assert is_none.sum() * MPP**2 == pytest.approx(np.pi * POINT_UM**2, rel=0.1)
    assert (both.voronoi[is_none] == BACKGROUND).all()
    assert (both.clusters[is_none] == BACKGROUND).all()
    is_none, both = masks_at([drawn(whole, NONE)])
    assert is_none.all()
    assert both.voronoi[int(nucleus.y), int(nucleus.x)] == NUCLEUS_VALUE
    assert not both.is_none[int(nucleus.y), int(nucleus.x)]
    assert both.is_none.mean() > 0.5


def test_where_no_nucleus_has_a_point_patches_are_laid_around_what_is_none() -> None:
    wide = he_scene(1400, 100, seed=3, mpp=MPP)
    features = [drawn(place, NUCLEUS) for place in centers(wide) if place.x < 600]
    features.append(drawn(shapely.Point(1300, 50), NONE))
    labels = FeatureLabels(features, [NUCLEUS, NONE], {"Nucleus": 1}, mpp=MPP)
    image = LabelledImage(ArraySlide(wide.rgb, MPP), labels, "wide")
    fields = training_fields(TrainingData([image], ()), MPP, SilentProgress())
    assert [len(field.places) for field in fields] == [0, 1]
    assert len(fields[1].points) == 0
    assert fields[1].is_none[50, round(fields[1].anchors[0, 0])]


def test_a_person_knows_better_than_the_model_that_training_begins_with() -> None:
    _scene, places = pigmented(5)
    begun = fit(data(), PARAMS.model_copy(update={"n_steps": 2}))
    settings = dict(begun.settings)
    card = ModelCard(title="s", method="point_nuclei", kind="instance", mpp=MPP, settings=settings)
    context = FitContext(SilentProgress(), start=Model(card, begun.tensors))
    for none, n_background in ((), 0), ([drawn(one, NONE) for one in places], len(places)):
        (mask,) = _Training(data(none), PARAMS, context)._priors()
        said = [mask[int(one.y), int(one.x)] for one in places]
        assert said.count(BACKGROUND) == n_background

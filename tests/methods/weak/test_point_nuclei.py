"""The method as a whole: what it learns from, what it begins with, and what it finds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
from fakes import ArraySlide
from makers import he_scene
from teaching import CLASSES, features

from pathoview.core.errors import InputError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import LabelledImage, TrainingData
from pathoview.evaluation import instances
from pathoview.methods.engine.encoders import build_encoder
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, ModelCard
from pathoview.methods.networks.unet import UNet
from pathoview.methods.spec import LearnsFrom
from pathoview.methods.weak import (
    point_nuclei_fields,
    point_nuclei_labels,
    point_nuclei_training,
)
from pathoview.methods.weak.point_nuclei import PointNuclei
from pathoview.methods.weak.point_nuclei_fields import held_back, training_fields
from pathoview.methods.weak.point_nuclei_labels import Cellmap, cellmap
from pathoview.methods.weak.point_nuclei_networks import (
    SMALL_SETTINGS,
    WHERE,
    part_of,
    start_tensors,
    stride_of,
    where_network,
)
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams, PointNucleiParams
from pathoview.methods.weak.point_nuclei_prior import Parted, edges_between, sure_mask
from pathoview.methods.weak.point_nuclei_training import MPP

QUICK: dict[str, Any] = {"n_steps": 2, "n_parting_steps": 2, "batch": 2, "crop_px": 64}


class Telling(SilentProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def event(self, kind: str, data: Any) -> None:
        if kind == "notice":
            self.texts.append(data["text"])


def data(learns_from: LearnsFrom = "points", side: int = 320) -> TrainingData:
    """Return a field to learn from and one to measure on, every nucleus labelled."""
    images = []
    for seed, split in ((5, "train"), (6, "val")):
        scene = he_scene(side, side, seed=seed, mpp=MPP)
        labels = FeatureLabels(features(learns_from, scene), CLASSES, {"Nucleus": 1}, mpp=MPP)
        images.append(LabelledImage(ArraySlide(scene.rgb, MPP), labels, f"field-{seed}", split))
    return TrainingData(images, ())


def fit(what: TrainingData, start: Model | None = None, **params: Any) -> Fitted:
    said = PointNucleiFitParams.parse({**QUICK, **params})
    context = FitContext(SilentProgress(), seed=1, start=start)
    return PointNuclei(PointNucleiParams()).fit(what, said, context)


def test_cells_of_a_field_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def counted(*said: Any) -> Cellmap:
        found.append(said)
        return cellmap(*said)

    for module in (point_nuclei_fields, point_nuclei_labels, point_nuclei_training):
        monkeypatch.setattr(module, "cellmap", counted, raising=False)
    fit(data())
    assert len(found) == 1


@cache
def taught() -> Fitted:
    """What a short training gives: enough for nuclei that are easily seen."""
    return fit(data(), n_steps=150, n_parting_steps=30, batch=8)


def model(fitted: Fitted, method: str = "point_nuclei", mpp: float = MPP) -> Model:
    card = ModelCard(
        title="start", method=method, kind="instance", mpp=mpp, settings=dict(fitted.settings)
    )
    return Model(card, fitted.tensors)


def bundled() -> Model:
    """A model as `nuclei_unet` makes it."""
    network = UNet(2, widths=tuple(SMALL_SETTINGS["widths"]))
    return model(Fitted(arrays_of(network), dict(SMALL_SETTINGS)), "nuclei_unet", 0.5)


def test_points_teach_it_to_find_nuclei_it_has_never_seen() -> None:
    scene = he_scene(400, 400, seed=11, mpp=MPP)
    method = PointNuclei(PointNucleiParams(), taught())
    context = method.prepare(ArraySlide(scene.rgb, MPP), MPP)
    found = method.predict(scene.rgb, MPP, context)
    known = instances.centroids(scene.labels)
    assert instances.detection_f1(known, instances.centroids(found.labels), 12) > 0.9
    assert found.confidence is not None
    assert len(found.confidence) == found.labels.max() + 1
    assert found.confidence[1:].min() >= 0.5
    assert "stains" in context


def test_what_is_held_back_is_measured_with_outlines_beside_points() -> None:
    assert taught().metrics["f1_detection"] > 0.8
    assert "aji" not in taught().metrics, "points tell nothing of areas"
    outlined = fit(data("instances"))
    assert {"f1_detection", "aji", "dice_object"} <= outlined.metrics.keys()


def test_another_resolution_finds_the_same_nuclei() -> None:
    scene = he_scene(300, 300, seed=12, mpp=0.5)
    found = PointNuclei(PointNucleiParams(), taught()).predict(scene.rgb, 0.5, {})
    assert found.labels.shape == (300, 300)
    known = instances.centroids(scene.labels)
    assert instances.detection_f1(known, instances.centroids(found.labels), 6) > 0.8


@pytest.mark.parametrize("parting", ["centers", "fast", "paper", "none"])
def test_blank_and_tiny_patches_do_no_harm(parting: Any) -> None:
    method = PointNuclei(PointNucleiParams(parting=parting), taught())
    for shape in ((1, 1), (3, 130), (64, 64)):
        for value in (0, 128, 255):
            patch = np.full((*shape, 3), value, np.uint8)
            assert method.predict(patch, MPP, {}).labels.shape == shape


def test_nothing_is_learned_from_what_is_held_back() -> None:
    what = data()
    train = replace(what, images=[what.images[0]])
    block = Rect(0, 0, 150, 320)
    held = replace(train, held_back_l0={train.images[0].name: (block,)})
    (field,) = training_fields(held, MPP, SilentProgress())
    assert field.points[:, 0].min() >= 150
    assert not field.is_allowed[:, :150].any()
    assert field.is_allowed[:, 170:].all()
    (compared,) = held_back(held, MPP, 15.0)
    assert compared.points[:, 0].max() < 150
    assert compared.is_complete
    assert not compared.counts[:, 150:].any()


def test_training_begins_with_the_weights_of_a_model_of_nuclei() -> None:
    start = bundled()
    where = where_network({"encoder": "small", "n_maps": 2, **SMALL_SETTINGS})
    tensors = start_tensors(start)
    assert tensors["head.weight"].shape == where.state_dict()["head.weight"].shape
    fitted = fit(data(), start=start, lr=1e-6)
    assert fitted.settings["mpp"] == MPP
    assert fitted.parents[0].name == "start"
    learned = part_of(fitted.tensors, WHERE)["down.0.0.weight"]
    assert np.allclose(learned, tensors["down.0.0.weight"], atol=1e-4)
    again = fit(data(), start=model(replace(fitted, settings={**fitted.settings, "mpp": 0.5})))
    assert again.settings["mpp"] == 0.5, "its own models are gone on from at their resolution"
    assert again.tensors.keys() == fitted.tensors.keys()


def test_what_a_model_is_sure_of_is_learned_from_where_it_is_allowed() -> None:
    (field, *_others) = training_fields(data(), MPP, SilentProgress())
    allowed = field.is_allowed.copy()
    allowed[:, :100] = False
    probability = np.tile(np.linspace(0, 1, field.rgb.shape[1], dtype=np.float32), (320, 1))
    mask = sure_mask(probability, replace(field, is_allowed=allowed))
    assert (mask[:, :100] == 255).all()
    assert mask[0, 160] == 255
    assert mask[0, 300] == 1
    assert sure_mask(probability, field)[0, 10] == 0
    assert Parted(bundled(), "cpu").mask(field).shape == field.rgb.shape[:2]


def test_touching_instances_have_an_edge_between_and_others_none() -> None:
    labels = np.zeros((9, 20), np.int32)
    labels[2:7, 2:6] = 1
    labels[2:7, 6:10] = 2
    labels[2:7, 12:16] = 3
    edges = edges_between(labels)
    assert edges[2:7, 5:7].all()
    assert edges.sum() == 10


def test_a_model_of_another_method_is_refused_in_words() -> None:
    other = model(taught(), "pixel_forest")
    with pytest.raises(UsageError) as caught:
        fit(data(), start=other)
    assert "point_nuclei" in caught.value.hint


def test_it_says_that_it_has_to_be_trained_first() -> None:
    with pytest.raises(UsageError):
        PointNuclei(PointNucleiParams()).predict(np.zeros((64, 64, 3), np.uint8), MPP, {})


def test_an_encoder_begins_with_the_weights_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    safetensors.torch.save_file(build_encoder("resnet18").body.state_dict(), path)
    said = {"encoder": "resnet18", "encoder_weights": str(path)}
    fitted = fit(data(), **said, n_steps=1, n_parting_steps=1)
    assert [one.name for one in fitted.parents] == ["mine.safetensors"]
    with pytest.raises(InputError):
        fit(data(), **{**said, "encoder_weights": str(tmp_path / "none.pth")}, n_steps=1)


def test_an_encoder_is_told_of_with_its_weights() -> None:
    fitted = fit(data(), encoder="tf_efficientnet_lite0", n_steps=1, n_parting_steps=1)
    assert fitted.parents[0].licence == "Apache-2.0"
    assert stride_of(fitted.settings) == 32
    assert any(name.startswith("encoder.") for name in part_of(fitted.tensors, WHERE))
    patch = he_scene(96, 96, mpp=MPP).rgb
    labels = PointNuclei(PointNucleiParams(), fitted).predict(patch, MPP, {}).labels
    assert labels.shape == (96, 96)

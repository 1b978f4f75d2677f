"""Every method that learns keeps its promises: it fits, predicts, comes back, stops and goes on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from teaching import bag_data, clip_data, picture_data, scene, training_data
from tile_slides import tile_bags

from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.params import form_rows
from pathoview.core.progress import Control, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.methods.fitting import FitContext, Fitted, Trainable
from pathoview.methods.model import Model, ModelCard, ModelClass, read_model, write_model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import BagMethod, Compute, Kind, MethodSpec, ObjectBatch
from pathoview.tasks.method_building import built

QUICK: dict[str, dict[str, Any]] = {
    "attention_mil": {"n_steps": 4, "batch": 2, "width": 8},
    "clam": {"n_steps": 4, "batch": 2, "width": 8},
    "draw_and_rank": {"n_rounds": 2, "batch": 6, "n_kept": 1, "n_fresh": 1, "tuned": "norm"},
    "dsmil": {"n_steps": 4, "batch": 2, "width": 8},
    "frame_attention": {"n_steps": 4, "batch": 2, "width": 8, "n_layers": 1},
    "nuclei_unet": {"width": 8, "n_steps": 3, "batch": 2, "patch_px": 64},
    "object_classifier": {},
    "ordinal_grading": {"n_steps": 3, "batch": 2, "tile_px": 64},
    "overview_and_tiles": {"n_steps": 4, "batch": 2, "width": 8},
    "patch_sum": {"n_steps": 4, "batch": 8, "width": 8, "n_folds": 2, "n_trees": 20},
    "pixel_forest": {"n_trees": 20},
    "point_nuclei": {"n_steps": 3, "n_parting_steps": 3, "batch": 2, "crop_px": 64},
    "pseudo_healthy": {"n_steps": 3, "batch": 2, "patch_px": 32, "width": 4},
    "scribble_segmentation": {"n_steps": 3, "n_self_steps": 3, "batch": 2, "patch_px": 32},
    "topk_mil": {"n_rounds": 2, "batch": 6, "k": 2, "full_every": 1},
    "transmil": {"n_steps": 4, "batch": 2, "width": 8},
}
"""Parameters with which a method learns a little in a second or two."""

NONE: dict[str, Any] = {"slides": {"bags": []}}
"""What is set so that data hold nothing to learn from, where that is not ``images``."""

every_learner = pytest.mark.parametrize(
    "spec", [spec for spec in METHODS if spec.is_trainable], ids=lambda spec: spec.name
)


class Counting(SilentProgress):
    """Stops or ends the training after some steps."""

    def __init__(self, stop_after: int | None = None, finish_after: int | None = None) -> None:
        super().__init__(Control())
        self.n_checks = 0
        self.curve: list[dict[str, Any]] = []
        self._stop_after, self._finish_after = stop_after, finish_after

    def check(self) -> None:
        self.n_checks += 1
        if self.n_checks == self._stop_after:
            self.control.cancel()
        if self.n_checks == self._finish_after:
            self.control.finish()
        super().check()

    def event(self, kind: str, data: Any) -> None:
        if kind == "curve":
            self.curve.append(dict(data))


def data_for(spec: MethodSpec) -> Any:
    if spec.has_several_labels:
        return clip_data()
    if spec.looks_at_whole:
        return picture_data()
    if spec.kind is Kind.BAG:
        return tile_bags() if spec.sees_pixels else bag_data()
    # What is not learned of the other class is healthy tissue.
    n_classes = 1 if spec.kind is Kind.SYNTHESIS else 2
    return training_data(spec.learns_from, spec.mpp, n_classes=n_classes)


def tiles_for(spec: MethodSpec, n_tiles: int = 12, seed: int = 5) -> Any:
    """Return the features of a slide, as many as the method's data have."""
    n_features = data_for(spec).encoder.n_features
    slides = bag_data(2, n_tiles=n_tiles, n_features=n_features, n_held_back=0, seed=seed)
    return slides.bags[1].features


def learner(spec: MethodSpec) -> Trainable:
    method: Trainable = load_entry(spec.entry)(spec.params())
    return method


def fit(spec: MethodSpec, progress: SilentProgress | None = None, **context: Any) -> Fitted:
    assert spec.fit_params is not None
    params = spec.fit_params.parse(QUICK[spec.name])
    said = FitContext(progress or SilentProgress(), **context)
    return learner(spec).fit(data_for(spec), params, said)


@cache
def fitted(name: str) -> Fitted:
    return fit(METHODS.get(name), seed=3)


def model(spec: MethodSpec, what: Fitted) -> Model:
    data = data_for(spec)
    card = ModelCard(
        title="quick",
        method=spec.name,
        kind=spec.kind.value,
        mpp=float(what.settings.get("mpp", spec.mpp)),
        classes=tuple(ModelClass(name=one.name, color=one.color) for one in data.classes),
        settings=dict(what.settings),
    )
    return Model(card, what.tensors)


def prediction(spec: MethodSpec, what: Model) -> np.ndarray[Any, Any]:
    ready = built(spec, spec.params(), what, Compute())
    if spec.kind is Kind.BAG:
        return np.asarray(ready.method.predict(tiles_for(spec, seed=6)).probabilities)
    field = scene(ready.mpp)
    if spec.kind is Kind.OBJECT:
        batch = ObjectBatch(
            {"Area µm²": np.array([20, 60], np.float32)},
            np.stack([field.rgb[:48, :48], field.rgb[50:98, 50:98]]),
        )
        return np.asarray(ready.method.predict(batch))
    slide = training_data(spec.learns_from, ready.mpp).images[0].slide
    context = ready.method.prepare(slide, ready.mpp)
    found = ready.method.predict(field.rgb, ready.mpp, context)
    if spec.kind is Kind.SYNTHESIS:
        assert (found.picture.shape, found.picture.dtype) == (field.rgb.shape, np.uint8)
        assert (found.pathology.shape, found.pathology.dtype) == (field.rgb.shape[:2], np.float32)
        return np.dstack([found.picture / 255, found.pathology])
    return np.asarray(found.labels if spec.kind is Kind.INSTANCE else found)


def same(first: Fitted, second: Fitted) -> bool:
    return first.tensors.keys() == second.tensors.keys() and all(
        np.array_equal(first.tensors[name], second.tensors[name]) for name in first.tensors
    )


@every_learner
def test_training_parameters_have_titles_helps_and_bounds(spec: MethodSpec) -> None:
    assert spec.name in QUICK, "say above how it learns quickly"
    assert spec.fit_params is not None
    for row in form_rows(spec.fit_params):
        assert row.title, row.name
        assert row.help.endswith("."), row.name
        if row.kind in ("int", "float"):
            assert row.minimum is not None, row.name
            assert row.maximum is not None, row.name
            assert row.minimum <= row.default <= row.maximum


@every_learner
def test_what_was_learned_predicts_the_same_when_it_comes_back(
    spec: MethodSpec, tmp_path: Path
) -> None:
    what = model(spec, fitted(spec.name))
    write_model(tmp_path / "m.safetensors", what)
    back = read_model(tmp_path / "m.safetensors")
    told = prediction(spec, what)
    assert np.array_equal(told, prediction(spec, back))
    if spec.kind not in (Kind.INSTANCE, Kind.SYNTHESIS):
        assert told.shape[-1] == len(what.card.classes)
        assert spec.has_several_labels or np.allclose(told.sum(axis=-1), 1, atol=1e-3)


@every_learner
def test_the_same_seed_gives_the_same_and_another_one_another(spec: MethodSpec) -> None:
    assert same(fit(spec, seed=3), fitted(spec.name))
    assert not same(fit(spec, seed=4), fitted(spec.name))


@every_learner
def test_it_stops_when_told_and_goes_on_to_the_same_result(
    spec: MethodSpec, tmp_path: Path
) -> None:
    state = tmp_path / "training.state"
    counting = Counting()
    whole = fit(spec, counting, seed=3)
    stop = max(1, counting.n_checks // 2)
    with pytest.raises(Cancelled):
        fit(spec, Counting(stop_after=stop), seed=3, state_path=state)
    assert same(fit(spec, seed=3, state_path=state), whole)


@every_learner
def test_it_ends_well_when_asked_to_finish(spec: MethodSpec) -> None:
    early = fit(spec, Counting(finish_after=2), seed=3)
    assert prediction(spec, model(spec, early)) is not None


@every_learner
def test_what_was_measured_on_the_way_is_told(spec: MethodSpec) -> None:
    counting = Counting()
    what = fit(spec, counting, seed=3)
    assert all("step" in point for point in (*counting.curve, *what.curves))
    assert all(np.isfinite(value) for value in what.metrics.values())


@every_learner
def test_labels_that_do_not_suffice_are_refused_in_words(spec: MethodSpec) -> None:
    assert spec.fit_params is not None
    nothing = replace(data_for(spec), **NONE.get(spec.learns_from, {"images": []}))
    params = spec.fit_params.parse(QUICK[spec.name])
    with pytest.raises(UsageError) as caught:
        learner(spec).fit(nothing, params, FitContext(SilentProgress()))
    assert caught.value.hint


every_bag_method = pytest.mark.parametrize(
    "spec", [spec for spec in METHODS if spec.kind is Kind.BAG], ids=lambda spec: spec.name
)


every_method_of_tiles = pytest.mark.parametrize(
    "spec",
    [spec for spec in METHODS if spec.kind is Kind.BAG and not spec.has_several_labels],
    ids=lambda spec: spec.name,
)
"""Those that know of no order of tiles, as clips have one."""


def bag_method(spec: MethodSpec) -> BagMethod:
    method: BagMethod = built(spec, spec.params(), model(spec, fitted(spec.name)), Compute()).method
    return method


@every_bag_method
@pytest.mark.parametrize("n_tiles", [1, 2, 7, 60])
def test_a_slide_of_any_size_is_told_with_what_each_tile_has_to_do_with_it(
    spec: MethodSpec, n_tiles: int
) -> None:
    tiles = tiles_for(spec, n_tiles)
    found = bag_method(spec).predict(tiles)
    assert found.probabilities.shape == (2,)
    assert found.attention.shape == (n_tiles,)
    assert found.evidence.shape == (n_tiles, 2)
    assert found.attention.min() >= 0
    assert found.attention.sum() == pytest.approx(1, abs=1e-5)
    if spec.has_several_labels:
        assert found.class_attention is not None
        np.testing.assert_allclose(found.class_attention.sum(axis=0), 1, atol=1e-5)
        assert (found.evidence >= 0).all()
        assert (found.evidence <= 1).all()
    else:
        assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(found.evidence.sum(axis=1), 1, atol=1e-5)


@every_method_of_tiles
def test_the_order_of_tiles_changes_only_the_order_of_what_is_said_of_them(
    spec: MethodSpec,
) -> None:
    tiles = tiles_for(spec, 60)
    order = np.random.default_rng(0).permutation(len(tiles))
    method = bag_method(spec)
    one, other = method.predict(tiles), method.predict(tiles[order])
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
    np.testing.assert_allclose(one.attention[order], other.attention, atol=1e-6)
    np.testing.assert_allclose(one.evidence[order], other.evidence, atol=1e-6)


@every_method_of_tiles
def test_evidence_is_what_is_said_of_a_slide_of_that_tile_alone(spec: MethodSpec) -> None:
    tiles = tiles_for(spec)
    method = bag_method(spec)
    told = [method.predict(tile[None]).probabilities for tile in tiles]
    np.testing.assert_allclose(method.predict(tiles).evidence, np.stack(told), atol=1e-6)


def odds(spec: MethodSpec, told: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return logits of the second class, against the first or against not having it."""
    against = 1 - told[..., 1] if spec.has_several_labels else told[..., 0]
    return np.asarray(np.log(told[..., 1] / against))


@every_bag_method
def test_temperature_softens_what_is_said(spec: MethodSpec) -> None:
    tiles = tiles_for(spec)
    what = fitted(spec.name)
    softer = replace(what, settings={**what.settings, "temperature": 2.0})
    methods = [
        built(spec, spec.params(), model(spec, one), Compute()).method for one in (what, softer)
    ]
    sharp, soft = (method.predict(tiles) for method in methods)
    for one, other in ((sharp.probabilities, soft.probabilities), (sharp.evidence, soft.evidence)):
        np.testing.assert_allclose(odds(spec, other), odds(spec, one) / 2, atol=1e-4)
    np.testing.assert_allclose(sharp.attention.sum(), soft.attention.sum(), atol=1e-5)


@every_bag_method
def test_learning_goes_on_from_a_model_of_the_same_encoder_and_classes_only(
    spec: MethodSpec,
) -> None:
    start = model(spec, fitted(spec.name))
    on = fit(spec, seed=3, start=start)
    assert [parent.id for parent in on.parents][-1] == start.card.id
    assert not same(on, fitted(spec.name))
    card = start.card
    # Weights that were taught are others every time; what they began as has to be the same.
    other_encoder = {"name" if spec.sees_pixels else "weights": "others"}
    strange = {**card.settings, "encoder": {**card.settings["encoder"], **other_encoder}}
    for wrong in ({"settings": strange}, {"classes": card.classes[::-1]}, {"settings": {}}):
        other = replace(start, card=card.model_copy(update=wrong))
        with pytest.raises(UsageError, match="encoder"):
            fit(spec, seed=3, start=other)


@every_bag_method
def test_the_encoder_and_its_licence_go_into_the_model(spec: MethodSpec) -> None:
    what, used = fitted(spec.name), data_for(spec).encoder
    assert what.settings["encoder"]["name"] == used.name
    assert what.settings["values"] == [1, 2]
    assert [(one.name, one.licence) for one in what.parents] == [(used.name, "CC0")]


@every_bag_method
def test_slides_of_one_class_do_not_suffice(spec: MethodSpec) -> None:
    assert spec.fit_params is not None
    data = data_for(spec)
    first = data.bags[1]
    alike = replace(
        data,
        bags=[bag for bag in data.bags if (bag.label, bag.labels) == (first.label, first.labels)],
    )
    with pytest.raises(UsageError, match="two different labels") as caught:
        learner(spec).fit(alike, spec.fit_params(), FitContext(SilentProgress()))  # type: ignore[arg-type]
    assert caught.value.hint

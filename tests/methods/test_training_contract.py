"""Every method that learns keeps its promises: it fits, predicts, comes back, stops and goes on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from teaching import scene, training_data

from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.params import form_rows
from pathoview.core.progress import Control, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.methods.fitting import FitContext, Fitted, Trainable
from pathoview.methods.model import Model, ModelCard, ModelClass, read_model, write_model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Compute, Kind, MethodSpec, ObjectBatch
from pathoview.tasks.method_building import built

QUICK: dict[str, dict[str, Any]] = {
    "nuclei_unet": {"width": 8, "n_steps": 3, "batch": 2, "patch_px": 64},
    "object_classifier": {},
    "pixel_forest": {"n_trees": 20},
    "point_nuclei": {"n_steps": 3, "n_parting_steps": 3, "batch": 2, "crop_px": 64},
    "scribble_segmentation": {"n_steps": 3, "n_self_steps": 3, "batch": 2, "patch_px": 32},
}
"""Parameters with which a method learns a little in a second or two."""

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


def learner(spec: MethodSpec) -> Trainable:
    method: Trainable = load_entry(spec.entry)(spec.params())
    return method


def fit(spec: MethodSpec, progress: SilentProgress | None = None, **context: Any) -> Fitted:
    assert spec.fit_params is not None
    params = spec.fit_params.parse(QUICK[spec.name])
    said = FitContext(progress or SilentProgress(), **context)
    return learner(spec).fit(training_data(spec.learns_from, spec.mpp), params, said)


@cache
def fitted(name: str) -> Fitted:
    return fit(METHODS.get(name), seed=3)


def model(spec: MethodSpec, what: Fitted) -> Model:
    data = training_data(spec.learns_from, spec.mpp)
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
    if spec.kind is not Kind.INSTANCE:
        assert told.shape[-1] == len(what.card.classes)
        assert np.allclose(told.sum(axis=-1), 1, atol=1e-3)


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
    data = training_data(spec.learns_from, spec.mpp)
    nothing = replace(data, images=[])
    params = spec.fit_params.parse(QUICK[spec.name])
    with pytest.raises(UsageError) as caught:
        learner(spec).fit(nothing, params, FitContext(SilentProgress()))
    assert caught.value.hint

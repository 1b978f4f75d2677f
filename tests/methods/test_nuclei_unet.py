"""`nuclei_unet` learns from outlined nuclei what it then finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from fakes import ArraySlide
from makers import he_scene

from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Control, SilentProgress
from pathoview.datasets.image_labels import InstanceImage
from pathoview.datasets.labels import (
    InstancePatch,
    LabelledImage,
    TargetClass,
    TrainingData,
)
from pathoview.datasets.patches import PatchReader, Place
from pathoview.evaluation import instances
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.library import bundled_path
from pathoview.methods.model import Model, ModelCard, read_card, read_model
from pathoview.methods.spec import Compute
from pathoview.methods.supervised.nuclei_unet import MPP, NucleiUnet, network_of, settings_of
from pathoview.methods.supervised.nuclei_unet_learner import NucleiLearner, Sample, sample_at
from pathoview.methods.supervised.nuclei_unet_params import NucleiUnetFitParams, NucleiUnetParams

FIT = NucleiUnetFitParams(
    n_steps=120,
    batch=4,
    patch_px=64,
    lr=2e-2,
    width=8,
    colors="one laboratory",
)
SHORT = FIT.model_copy(update={"n_steps": 6, "batch": 2, "patch_px": 64})
OTHER = he_scene(256, 256, seed=9)


class PartlyKnown(InstanceImage):
    """A picture in which only what lies in a rectangle counts."""

    def __init__(self, pixels: npt.NDArray[np.int32], known: Rect) -> None:
        super().__init__(pixels)
        self._known = known

    def instances(self, rect_l0: Rect, width: int, height: int) -> InstancePatch:
        found = super().instances(rect_l0, width, height)
        y, x = np.mgrid[:height, :width] + 0.5
        x, y = rect_l0.x + x * rect_l0.width / width, rect_l0.y + y * rect_l0.height / height
        known = self._known
        is_in = (x >= known.x) & (x < known.right) & (y >= known.y) & (y < known.bottom)
        return InstancePatch(found.labels, found.is_known & is_in)


def image(seed: int, mpp: float = MPP, known: Rect | None = None) -> LabelledImage:
    side = round(140 / mpp)
    scene = he_scene(side, side, seed=seed, mpp=mpp)
    labels = PartlyKnown(scene.labels, known) if known else InstanceImage(scene.labels)
    return LabelledImage(ArraySlide(scene.rgb, mpp), labels, f"scene {seed}")


def data(*images: LabelledImage) -> TrainingData:
    return TrainingData(images or (image(1), image(2)), (TargetClass("Nucleus"),))


def fit(
    params: NucleiUnetFitParams = FIT, given: TrainingData | None = None, **told: Any
) -> Fitted:
    context = FitContext(told.pop("progress", SilentProgress()), **told)
    return NucleiUnet(NucleiUnetParams()).fit(given or data(), params, context)


def score(fitted: Fitted, **params: Any) -> float:
    found = NucleiUnet(NucleiUnetParams(**params), fitted).predict(OTHER.rgb, MPP, {})
    return instances.aji(instances.overlaps(OTHER.labels, found.labels))


def model_of(fitted: Fitted) -> Model:
    card = ModelCard(
        title="Mine",
        method="nuclei_unet",
        kind="instance",
        mpp=MPP,
        settings=dict(fitted.settings),
        licence="of my own",
    )
    return Model(card, fitted.tensors)


def are_equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


@pytest.fixture(scope="module", autouse=True)
def one_core() -> Iterator[None]:
    """Have trainings this small compute in one thread: several wait for one another."""
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)
        yield


@pytest.fixture(scope="module")
def trained(one_core: None) -> Fitted:
    return fit()


def test_it_finds_what_it_was_taught(trained: Fitted) -> None:
    assert score(trained) > 0.6
    assert trained.metrics["aji"] > 0.6
    assert trained.curves[-1]["loss"] < trained.curves[0]["loss"]
    assert score(trained, views="8") > 0.6


def test_bf16_finds_nearly_the_same(trained: Fitted) -> None:
    one, other = (
        NucleiUnet(NucleiUnetParams(), trained, Compute(numerics=path)).predict(OTHER.rgb, MPP, {})
        for path in ("float32", "bf16")
    )
    assert instances.aji(instances.overlaps(one.labels, other.labels)) > 0.95


def test_patches_a_whole_number_of_strides_apart_agree(trained: Fitted) -> None:
    method = NucleiUnet(NucleiUnetParams(), trained)
    halo = 96
    whole = method.predict(OTHER.rgb, MPP, {}).labels
    part = method.predict(np.ascontiguousarray(OTHER.rgb[16:, 8:]), MPP, {}).labels
    core = np.s_[halo:-halo, halo:-halo]
    shared = whole[16:, 8:]
    for label in np.unique(part[core])[1:]:
        other = np.unique(shared[part == label])
        assert len(other) == 1
        assert np.array_equal(shared == other[0], part == label)


def test_other_resolutions_are_brought_to_its_own(trained: Fitted) -> None:
    for mpp in (0.25, 1.0):
        side = round(120 / mpp)
        scene = he_scene(side, side, seed=4, mpp=mpp)
        found = NucleiUnet(NucleiUnetParams(), trained).predict(scene.rgb, mpp, {}).labels
        assert found.shape == (side, side)
        assert instances.aji(instances.overlaps(scene.labels, found)) > 0.5


def test_the_same_seed_gives_the_same_weights_and_another_does_not() -> None:
    first, again, other = fit(SHORT), fit(SHORT), fit(SHORT, seed=1)
    assert are_equal(first.tensors, again.tensors)
    assert not are_equal(first.tensors, other.tensors)


class Stopping(SilentProgress):
    """Cancels at the n-th step."""

    def __init__(self, n: int) -> None:
        super().__init__(Control())
        self.left = n

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.control.cancel()
        super().check()


def test_it_can_be_stopped_and_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathoview.methods.engine.train._KEEP_EVERY_S", 0.0)
    state = tmp_path / "state"
    with pytest.raises(Cancelled):
        fit(SHORT, progress=Stopping(3), state_path=state)
    resumed = fit(SHORT, state_path=state)
    assert are_equal(resumed.tensors, fit(SHORT).tensors)


def test_a_preview_predicts() -> None:
    seen: list[Fitted] = []
    fit(SHORT, preview=seen.append, preview_every_s=0.0)
    assert len(seen) == SHORT.n_steps
    found = NucleiUnet(NucleiUnetParams(), seen[0]).predict(OTHER.rgb[:64, :64], MPP, {})
    assert found.labels.shape == (64, 64)


def test_it_goes_on_from_a_model(trained: Fitted) -> None:
    gentle = SHORT.model_copy(update={"lr": 1e-5, "width": 4})
    further = fit(gentle, start=model_of(trained))
    assert score(further) > 0.6
    assert [(one.name, one.licence) for one in further.parents] == [("Mine", "of my own")]
    assert not fit(SHORT).parents


def test_a_small_fully_outlined_place_is_enough_to_go_on(trained: Fitted) -> None:
    few = data(image(7, known=Rect(60, 60, 80, 80)))
    further = fit(SHORT.model_copy(update={"lr": 1e-4}), few, start=model_of(trained))
    assert score(further) > 0.6


def test_what_is_unknown_has_no_loss() -> None:
    torch.manual_seed(0)
    settings = settings_of(4)
    network = network_of(settings).eval()
    is_known = np.zeros((64, 64), np.bool_)
    is_known[:, :32] = True
    rgb = OTHER.rgb[:64, :64]

    def loss(labels: npt.NDArray[np.int32]) -> float:
        sample = Sample(rgb, labels, is_known)
        learner = NucleiLearner(network, settings, lambda step, slot: sample, 2, [], "")
        batch = {name: torch.from_numpy(array) for name, array in learner.batch(0).items()}
        return float(learner.loss(network, batch)[0].detach())

    labels = np.zeros((64, 64), np.int32)
    labels[10:20, 10:20] = 1
    beyond, within = labels.copy(), labels.copy()
    beyond[40:50, 44:54] = 2
    within[40:50, 10:20] = 2
    assert loss(beyond) == pytest.approx(loss(labels), abs=1e-6)
    assert loss(within) != pytest.approx(loss(labels), abs=1e-3)


def test_without_outlines_it_says_what_is_missing() -> None:
    empty = image(3)
    nothing = InstanceImage(np.zeros((280, 280), np.int32))
    with pytest.raises(UsageError) as caught:
        fit(SHORT, data(replace(empty, labels=nothing)))
    assert caught.value.hint


@pytest.mark.parametrize(("mpp", "n_known"), [(0.25, 32 * 32), (0.5, 64 * 64), (1.0, 64 * 64)])
def test_samples_of_other_resolutions_are_of_the_methods_scale(mpp: float, n_known: int) -> None:
    one = image(5, mpp=mpp)
    reader = PatchReader([one], mpp, 64)
    sample = sample_at(reader, Place(0, 30, 40), MPP)
    assert sample.rgb.shape == (64, 64, 3)
    assert np.count_nonzero(sample.is_known) == pytest.approx(n_known, rel=0.1)
    shade = sample.rgb.astype(float).mean(axis=2)
    known = sample.is_known
    assert (
        shade[known & (sample.labels > 0)].mean() < shade[known & (sample.labels == 0)].mean() - 30
    )


def test_the_bundled_model_says_what_it_is() -> None:
    path = bundled_path("nuclei_unet")
    card = read_card(path)
    assert path.stat().st_size < 10_000_000
    assert (card.method, card.kind, card.mpp, card.origin) == (
        *("nuclei_unet", "instance", MPP, "bundled"),
    )
    assert card.licence == "CC0-1.0"
    assert {one.licence for one in card.data} == {"CC0-1.0"}
    assert {one.split for one in card.data} == {"train", "val"}
    assert all(one.slide_hash for one in card.data)
    assert {"aji", "pq"} <= card.metrics.keys()
    assert "torch" in card.versions
    assert card.notes


def test_teaching_goes_on_from_the_bundled_model() -> None:
    known = read_model(bundled_path("nuclei_unet"))
    further = fit(SHORT.model_copy(update={"lr": 1e-6}), start=known)
    assert further.data is not None
    assert [one.id for one in further.parents][-1] == read_card(bundled_path("nuclei_unet")).id
    assert score(further) > 0.6

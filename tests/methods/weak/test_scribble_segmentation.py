"""`scribble_segmentation` learns kinds of tissue from strokes, and then by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from fakes import ArraySlide

from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.datasets.held_back import LEAST_LABELS
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import LabelledImage, TargetClass, TrainingData
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, ModelCard
from pathoview.methods.networks.unet import UNet
from pathoview.methods.spec import Compute
from pathoview.methods.weak.scribble_segmentation import ScribbleSegmentation
from pathoview.methods.weak.scribble_segmentation_learner import (
    SelfLearner,
    measured,
    partial_cross_entropy,
    softmax,
)
from pathoview.methods.weak.scribble_segmentation_networks import begun, network_of
from pathoview.methods.weak.scribble_segmentation_params import (
    HALO_UM,
    ScribbleSegmentationFitParams,
    ScribbleSegmentationParams,
)

STROMA, TUMOUR = 1, 2
SIDE = 160
FIT = ScribbleSegmentationFitParams(
    n_steps=25, n_self_steps=10, batch=4, patch_px=32, lr=5e-3, unlabelled_share=0.5
)
SHORT = FIT.model_copy(update={"n_steps": 3, "n_self_steps": 3, "batch": 2})
SETTINGS = {"network": "small U-Net", "values": [1, 2], "names": ["Stroma", "Tumour"]}


def field(seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return pink and violet tissue with grain, and the class of each pixel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    truth = np.where(np.sin(x / 25 + seed) + np.cos(y / 30) > 0, TUMOUR, STROMA).astype(np.uint8)
    rgb = np.where(truth[..., None] == TUMOUR, (130, 80, 150), (225, 160, 190))
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8), truth


def strokes(truth: npt.NDArray[np.uint8], values: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return stripes of what is known, 255 elsewhere."""
    known = np.full_like(truth, 255)
    known[8::24] = truth[8::24]
    known[9::24] = truth[9::24]
    return np.where(np.isin(known, values), known, 255).astype(np.uint8)


def image(seed: int, values: tuple[int, ...] = (STROMA, TUMOUR), split: Any = "train") -> Any:
    rgb, truth = field(seed)
    labels = ClassImage(strokes(truth, values))
    return LabelledImage(ArraySlide(rgb, 1.0), labels, f"field {seed}", split)


def data(*images: LabelledImage, names: tuple[str, ...] = ("Stroma", "Tumour")) -> TrainingData:
    given = images or (image(1), image(2, split="val"))
    return TrainingData(given, tuple(TargetClass(name) for name in names))


def fit(
    params: ScribbleSegmentationFitParams = FIT, given: TrainingData | None = None, **told: Any
) -> Fitted:
    context = FitContext(told.pop("progress", SilentProgress()), **told)
    return ScribbleSegmentation(ScribbleSegmentationParams()).fit(given or data(), params, context)


def predict(fitted: Fitted, rgb: npt.NDArray[np.uint8], **params: Any) -> npt.NDArray[np.float32]:
    return ScribbleSegmentation(ScribbleSegmentationParams(**params), fitted).predict(rgb, 1.0, {})


def model_of(fitted: Fitted, method: str = "scribble_segmentation") -> Model:
    card = ModelCard(
        title="Mine",
        method=method,
        kind="pixel",
        mpp=1.0,
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


def test_it_finds_between_strokes_what_it_was_taught(trained: Fitted) -> None:
    rgb, truth = field(3)
    for views in ("1", "4"):
        found = predict(trained, rgb, views=views)
        assert found.shape == (SIDE, SIDE, 2)
        assert found.dtype == np.float32
        assert np.allclose(found.sum(axis=2), 1, atol=1e-5)
        assert np.mean(found.argmax(axis=2) + 1 == truth) > 0.9
    assert trained.settings["values"] == [STROMA, TUMOUR]
    assert trained.metrics["accuracy"] > 0.9
    steps = [point["step"] for point in trained.curves]
    assert steps == sorted(set(steps))
    assert steps[-1] == FIT.n_steps + FIT.n_self_steps


def with_scores(monkeypatch: pytest.MonkeyPatch, *scores: float) -> Fitted:
    """Train briefly, self-training being measured as these, one after another."""
    left = iter(scores)
    monkeypatch.setattr(SelfLearner, "validate", lambda self, network: {"likelihood": next(left)})
    return fit(SHORT)


def test_self_training_that_does_worse_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = fit(SHORT.model_copy(update={"n_self_steps": 0}))
    kept = with_scores(monkeypatch, 0.1, 0.2, 0.1)
    assert not kept.settings["is_self_trained"]
    assert are_equal(kept.tensors, alone.tensors)
    assert kept.metrics == alone.metrics
    assert len(kept.curves) > len(alone.curves)


def test_self_training_that_does_better_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = fit(SHORT.model_copy(update={"n_self_steps": 0}))
    kept = with_scores(monkeypatch, 0.8, 0.9, 1.0)
    assert kept.settings["is_self_trained"]
    assert kept.tensors.keys() == alone.tensors.keys()
    assert not are_equal(kept.tensors, alone.tensors)
    assert kept.metrics["likelihood"] == 1.0
    assert predict(kept, field(3)[0][:32, :40]).shape == (32, 40, 2)


def test_without_anything_held_back_there_is_no_self_training() -> None:
    rgb, truth = field(1)
    few = ClassImage(truth)
    assert few.n_labels < LEAST_LABELS
    fitted = fit(SHORT, data(LabelledImage(ArraySlide(rgb, 1.0), few, "few areas")))
    assert not fitted.metrics
    assert not fitted.settings["is_self_trained"]
    assert fitted.curves[-1]["step"] == SHORT.n_steps


class Stopping(SilentProgress):
    """Cancels, or asks to finish, at the n-th step."""

    def __init__(self, n: int, finish: bool = False) -> None:
        super().__init__(Control())
        self.left, self.finish = n, finish
        self.stages: list[str] = []

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            (self.control.finish if self.finish else self.control.cancel)()
        super().check()

    def event(self, kind: str, data: Any) -> None:
        if kind == "curve":
            self.stages.append(data["stage"])


@pytest.mark.parametrize("n", [2, 5], ids=["from labels", "from itself"])
def test_it_can_be_stopped_and_goes_on_to_the_same_weights(
    n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathoview.methods.engine.train._KEEP_EVERY_S", 0.0)
    # What is measured by three steps says nothing: have both parts of the training count.
    monkeypatch.setattr(
        SelfLearner, "validate", lambda self, network: {"likelihood": 1.0 + int(network.n_followed)}
    )
    state = tmp_path / "state"
    with pytest.raises(Cancelled):
        fit(SHORT, progress=Stopping(n), state_path=state)
    going_on = Stopping(100)
    resumed = fit(SHORT, progress=going_on, state_path=state)
    assert are_equal(resumed.tensors, fit(SHORT).tensors)
    assert going_on.stages.count("labels") == (1 if n == 2 else 0)


def test_asked_to_finish_it_does_not_begin_with_self_training() -> None:
    progress = Stopping(1, finish=True)
    assert not fit(SHORT, progress=progress).settings["is_self_trained"]
    assert set(progress.stages) == {"labels"}


def test_the_background_of_a_region_is_a_class_too() -> None:
    rgb, truth = field(1)
    labels = ClassImage(np.where(truth == TUMOUR, 1, 0))
    known = LabelledImage(ArraySlide(rgb, 1.0), labels, "all known")
    fitted = fit(SHORT, data(known, names=("Tumour",)))
    assert fitted.settings["values"] == [0, 1]
    assert fitted.settings["names"] == ["", "Tumour"]
    assert predict(fitted, rgb[:32, :32]).shape == (32, 32, 2)


@pytest.mark.parametrize("values", [(), (TUMOUR,)])
def test_labels_that_do_not_suffice_are_refused_in_words(values: tuple[int, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        fit(SHORT, data(image(1, values)))
    assert caught.value.hint


def test_it_goes_on_from_a_model(trained: Fitted) -> None:
    gentle = SHORT.model_copy(update={"lr": 1e-6, "n_self_steps": 0})
    further = fit(gentle, start=model_of(trained))
    rgb, truth = field(3)
    assert np.mean(predict(further, rgb).argmax(axis=2) + 1 == truth) > 0.9
    assert [(one.name, one.licence) for one in further.parents] == [("Mine", "of my own")]


def test_classes_are_matched_by_name() -> None:
    first = begun("small U-Net", [1, 2, 3], ["a", "b", "c"], None, 0)
    tensors = {name: value.numpy() for name, value in first.network.state_dict().items()}
    start = model_of(Fitted(tensors, first.settings))
    second = begun("small U-Net", [1, 2, 3], ["c", "a", "b"], start, 1)
    pixels = torch.rand(1, 3, 16, 16)
    before, after = (one.network.eval()(pixels) for one in (first, second))
    assert torch.allclose(after, before[:, [2, 0, 1]], atol=1e-6)


def test_models_that_do_not_fit_are_refused_in_words(trained: Fitted) -> None:
    with pytest.raises(UsageError, match="Stroma, Tumour; here: Stroma, Necrosis") as caught:
        fit(SHORT, data(names=("Stroma", "Necrosis")), start=model_of(trained))
    assert caught.value.hint
    with pytest.raises(UsageError, match="another method"):
        fit(SHORT, start=model_of(trained, "pixel_forest"))


@pytest.mark.parametrize(("name", "n_parents"), [("EfficientNet-Lite0", 1), ("ResNet-34", 0)])
def test_networks_on_encoders_predict(name: str, n_parents: int) -> None:
    first = begun(name, [1, 2], ["a", "b"], None, 0)
    assert len(first.parents) == n_parents
    tensors = {key: value.numpy() for key, value in first.network.state_dict().items()}
    found = predict(Fitted(tensors, first.settings), field(1)[0][:40, :70])
    assert found.shape == (40, 70, 2)
    assert np.allclose(found.sum(axis=2), 1, atol=1e-5)
    if n_parents:
        again = begun(name, [1, 2], ["a", "b"], None, 5).network.state_dict()
        assert torch.equal(
            again["encoder.body.conv_stem.weight"],
            torch.from_numpy(tensors["encoder.body.conv_stem.weight"]),
        )


def test_a_pixel_depends_on_the_halo_only() -> None:
    torch.manual_seed(0)
    network = network_of(SETTINGS)
    assert isinstance(network, UNet)
    assert network.reach_px * 1.4 <= HALO_UM
    infer = Inference(network, InferencePlan(network.stride), Compute(), softmax)
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    other = rgb.copy()
    other[:, : 128 - int(HALO_UM)] = 0
    first, second = infer.maps(rgb), infer.maps(other)
    assert np.allclose(first[:, :, 128:], second[:, :, 128:], atol=1e-6)
    assert not np.allclose(first[:, :, :32], second[:, :, :32], atol=1e-3)


def test_what_is_unknown_has_no_loss() -> None:
    logits = torch.tensor([[[[2.0, -1.0, 9.0]], [[0.0, 3.0, -9.0]]]], requires_grad=True)
    classes = torch.tensor([[[0, 1, 255]]], dtype=torch.uint8)
    loss = partial_cross_entropy(logits, classes, torch.tensor([1.0, 3.0]))
    by_hand = [np.log(1 + np.exp(-2.0)), np.log(1 + np.exp(-4.0))]
    assert float(loss.detach()) == pytest.approx((by_hand[0] + 3 * by_hand[1]) / 4, abs=1e-6)
    loss.backward()
    assert logits.grad is not None
    assert bool((logits.grad[..., 2] == 0).all())
    nothing = torch.full_like(classes, 255)
    assert float(partial_cross_entropy(logits, nothing, torch.ones(2)).detach()) == 0.0


def test_classes_count_alike_in_what_is_measured() -> None:
    told = np.array([[0.9, 0.9, 0.9, 0.6], [0.1, 0.1, 0.1, 0.4]], np.float32)
    found = measured(told, np.array([0, 0, 0, 1], np.uint8))
    assert found["accuracy"] == 0.75
    assert found["likelihood"] == pytest.approx(np.sqrt(0.9 * 0.4))
    assert found["macro_f1"] == pytest.approx((6 / 7 + 0) / 2)

"""Strokes become a map of classes: learned, kept, predicted, and answered while one paints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from makers import EOSIN, HEMATOXYLIN

from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Control, SilentProgress
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import UNKNOWN, LabelledImage, Split, TargetClass, TrainingData
from pathoview.methods.fitting import FitContext, Fitted, fitted_of
from pathoview.methods.model import Model, ModelCard, read_model, weights_hash, write_model
from pathoview.methods.pixel_features import PixelFeatures
from pathoview.methods.pixel_samples import labelled_pixels
from pathoview.methods.registry import METHODS
from pathoview.methods.supervised.pixel_forest import (
    LiveForest,
    PixelForest,
    smoothing_reach_px,
)
from pathoview.methods.supervised.pixel_forest_params import (
    HALO_UM,
    MPP,
    PixelForestFitParams,
    PixelForestParams,
)
from pathoview.slides.reading import analysis_grid

SIDE = 500
CLASSES = (TargetClass("Smooth"), TargetClass("Grainy"), TargetClass("Pink"))
FEW_TREES = PixelForestFitParams(n_trees=12)
Mask = npt.NDArray[np.uint8]


def tissue() -> tuple[npt.NDArray[np.uint8], Mask]:
    """Return a picture of three kinds of tissue, and which is where: 1, 2, 3."""
    rng = np.random.default_rng(5)
    truth = np.ones((SIDE, SIDE), np.uint8)
    truth[:, SIDE // 2 :] = 2
    cv2.circle(truth, (SIDE // 2, SIDE // 2), 110, 3, -1)
    grain = cv2.GaussianBlur(rng.normal(0, 1, truth.shape), (0, 0), 1) * (truth == 2)
    hematoxylin = np.where(truth == 3, 0.1, 0.6) + grain + rng.normal(0, 0.03, truth.shape)
    eosin = np.where(truth == 3, 0.8, 0.3)
    density = hematoxylin[..., None] * HEMATOXYLIN + eosin[..., None] * EOSIN
    rgb = np.clip(245 * np.exp(-np.clip(density, 0, None)), 0, 255).round().astype(np.uint8)
    return rgb, truth


RGB, TRUTH = tissue()
STROKES: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {
    1: ((40, 40), (90, 420)),
    2: ((420, 60), (460, 440)),
    3: ((200, 200), (300, 290)),
}


def strokes(*values: int) -> Mask:
    mask = np.full(TRUTH.shape, UNKNOWN, np.uint8)
    for value in values:
        cv2.line(mask, *STROKES[value], value, 9)
    return mask


def image(mask: Mask, mpp: float = 1.0, split: Split = "train", name: str = "one") -> LabelledImage:
    return LabelledImage(ArraySlide(RGB, mpp), ClassImage(mask), name, split)


def context(seed: int = 0, progress: SilentProgress | None = None) -> FitContext:
    return FitContext(progress or SilentProgress(), seed)


def fitted(
    *images: LabelledImage, params: PixelForestFitParams = FEW_TREES, seed: int = 0, **more: Any
) -> Fitted:
    data = TrainingData(images or (image(strokes(1, 2, 3)),), CLASSES, **more)
    return PixelForest(PixelForestParams()).fit(data, params, context(seed))


@pytest.fixture(scope="module")
def learned() -> Fitted:
    return fitted()


def predicted(learned: Fitted, rgb: npt.NDArray[np.uint8] = RGB, **params: Any) -> Any:
    return PixelForest(PixelForestParams(**params), learned).predict(rgb, 1.0, {})


def agreement(probabilities: npt.NDArray[np.float32]) -> float:
    return float(np.mean(probabilities.argmax(axis=2) + 1 == TRUTH))


def live(**params: Any) -> LiveForest:
    said = PixelForestParams(**params)
    return LiveForest(ArraySlide(RGB, 1.0), CLASSES, FEW_TREES, said, context())


def test_a_few_strokes_tell_the_classes(learned: Fitted) -> None:
    found = predicted(learned)
    assert found.shape == (SIDE, SIDE, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    assert agreement(found) > 0.93


def test_boosting_tells_them_too() -> None:
    boosted = fitted(params=PixelForestFitParams(classifier="gradient boosting", n_trees=12))
    assert agreement(predicted(boosted)) > 0.93
    assert sum(boosted.settings["importances"].values()) == pytest.approx(1, abs=1e-4)


def test_a_model_from_a_file_predicts_the_same(learned: Fitted, tmp_path: Path) -> None:
    card = ModelCard(
        title="t", method="pixel_forest", kind="pixel", mpp=MPP, settings=dict(learned.settings)
    )
    write_model(tmp_path / "m.safetensors", Model(card, learned.tensors))
    again = fitted_of(read_model(tmp_path / "m.safetensors"))
    assert np.array_equal(predicted(again), predicted(learned))


def test_the_same_seed_learns_the_same(learned: Fitted) -> None:
    assert weights_hash(fitted().tensors) == weights_hash(learned.tensors)
    assert fitted().settings == learned.settings
    assert weights_hash(fitted(seed=1).tensors) != weights_hash(learned.tensors)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (60, 110)])
def test_overlapping_patches_agree_within_the_halo(learned: Fitted, x: int, y: int) -> None:
    side, halo = 360, round(HALO_UM / MPP)
    core = (slice(halo, side - halo),) * 2
    part = np.ascontiguousarray(RGB[y : y + side, x : x + side])
    whole = predicted(learned, smoothing_um=6.0)[y : y + side, x : x + side]
    found = predicted(learned, part, smoothing_um=6.0)
    assert np.mean(np.abs(found[core] - whole[core]) > 1e-4) < 1e-3


def test_the_declared_halo_covers_what_is_looked_at() -> None:
    spec = METHODS.get("pixel_forest")
    widest = PixelForestFitParams(surroundings="8 µm")
    for mpp in (0.7, 1.0, 1.49, 4.0):
        reach = PixelFeatures(widest.sigmas_um).reach_px(mpp) + smoothing_reach_px(6.0 / mpp)
        assert reach <= np.ceil(spec.halo_um / mpp)


def test_features_are_ranked_by_what_they_tell(learned: Fitted) -> None:
    shares = list(learned.settings["importances"].values())
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-4)


def test_it_is_measured_on_tiles_left_out(learned: Fitted) -> None:
    assert learned.settings["measured_on"] == "a fifth, by other trees"
    assert 0.9 < learned.metrics["accuracy"] <= 1
    assert 0.9 < learned.metrics["macro_f1"] <= 1


def test_it_is_measured_on_images_held_back() -> None:
    wrong = strokes(1, 2, 3)
    wrong[wrong == 1] = 2  # what is told apart well is called wrong
    measured = fitted(image(strokes(1, 2, 3)), image(wrong, split="val", name="two"))
    assert measured.settings["measured_on"] == "held back"
    assert 0.5 < measured.metrics["accuracy"] < 0.8


def test_blocks_held_back_are_not_learned_from() -> None:
    confused = strokes(1, 2, 3)
    confused[:, SIDE // 2 :][confused[:, SIDE // 2 :] == 2] = 1
    cv2.line(confused, (420, 60), (460, 90), 2, 9)
    rect = Rect(300, 130, 200, 370)
    measured = fitted(image(confused), held_back_l0={"one": (rect,)})
    assert agreement(predicted(measured)) > 0.8
    assert measured.metrics["accuracy"] < 0.5


def test_a_class_without_labels_gets_no_probability() -> None:
    found = predicted(fitted(image(strokes(1, 3))))
    assert found.shape[2] == 3
    assert found[..., 1].max() == 0


def test_labelled_background_is_a_class_of_its_own_before_the_others() -> None:
    mask = strokes(1, 3)
    mask[mask == 1] = 0
    measured = fitted(image(mask))
    assert measured.settings["values"] == [0, 1, 2, 3]
    found = predicted(measured)
    assert found.shape[2] == 4
    assert found[200, 60].argmax() == 0


def test_one_class_is_too_few_and_the_others_are_named() -> None:
    with pytest.raises(UsageError) as error:
        fitted(image(strokes(2)))
    assert "“Smooth”, “Pink”" in error.value.hint
    with pytest.raises(UsageError):
        fitted(image(strokes()))


def test_the_scanner_s_resolution_hardly_matters(learned: Fitted) -> None:
    fine = cv2.resize(RGB, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(strokes(1, 2, 3), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    labelled = LabelledImage(ArraySlide(fine, 0.5), ClassImage(mask), "fine")
    assert agreement(predicted(fitted(labelled))) > 0.9


class CancelledLater(SilentProgress):
    """Cancels when training begins."""

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        if text == "Training":
            self.control.cancel()


def test_it_can_be_cancelled_among_the_trees() -> None:
    data = TrainingData((image(strokes(1, 2)),), CLASSES)
    with pytest.raises(Cancelled):
        PixelForest(PixelForestParams()).fit(data, FEW_TREES, context(0, CancelledLater()))


def test_it_ends_well_when_asked_to() -> None:
    control = Control()
    control.finish()
    data = TrainingData((image(strokes(1, 2)),), CLASSES)
    many = PixelForestFitParams(n_trees=500)
    ended = PixelForest(PixelForestParams()).fit(data, many, context(0, SilentProgress(control)))
    assert len(ended.tensors["trees.starts"]) - 1 == 10


def test_without_a_model_it_says_so() -> None:
    with pytest.raises(UsageError):
        PixelForest(PixelForestParams()).predict(RGB, 1.0, {})


def test_pixels_are_spread_and_the_same_for_each_class() -> None:
    mask = np.full(TRUTH.shape, UNKNOWN, np.uint8)
    mask[:, : SIDE // 2] = 1
    mask[10:14, 400:410] = 2
    grid = analysis_grid(ArraySlide(RGB, 1.0), 1.0)
    places = labelled_pixels(ClassImage(mask), grid, 0)
    xy = places.xy_l0(grid.scale_l0).astype(np.int64)
    assert np.array_equal(mask[xy[:, 1], xy[:, 0]], places.values)
    assert np.sum(places.values == 2) == 40  # a small label is taken whole
    assert np.bincount(places.tile_of[places.values == 1]).max() <= 450


def test_live_answers_as_the_method_would(learned: Fitted) -> None:
    forest = live()
    said = forest.update(ClassImage(strokes(1, 2, 3)))
    assert weights_hash(said.tensors) == weights_hash(learned.tensors)
    view = Rect(33.5, 70, 300, 220)
    painted = forest.paint(view)
    assert painted.rect_l0 == Rect(33, 70, 301, 220)
    expected = predicted(learned)[70:290, 33:334]
    assert painted.probabilities.shape == expected.shape
    assert np.mean(np.abs(painted.probabilities - expected) > 1e-4) < 1e-3


def test_live_paints_up_to_the_slide_s_edge_and_no_farther(learned: Fitted) -> None:
    forest = live()
    forest.update(ClassImage(strokes(1, 2, 3)))
    painted = forest.paint(Rect(-50, 400, 2000, 2000))
    assert painted.rect_l0 == Rect(0, 400, SIDE, SIDE - 400)
    assert np.mean(np.abs(painted.probabilities - predicted(learned)[400:]) > 1e-4) < 1e-3
    assert forest.paint(Rect(-50, -50, 20, 20)).probabilities.size == 0


def test_live_paints_coarsely_first() -> None:
    forest = live(smoothing_um=0.0)
    forest.update(ClassImage(strokes(1, 2, 3)))
    view = Rect(101, 64, 251, 200)
    coarse, full = forest.paint(view, step=2), forest.paint(view)
    assert coarse.rect_l0 == Rect(100, 64, 252, 200)
    assert coarse.probabilities.shape == (100, 126, 3)
    assert np.array_equal(coarse.probabilities[:, 1:], full.probabilities[::2, 1::2])


def test_live_reads_what_it_has_seen_only_once() -> None:
    forest = live()
    forest.prefetch(Rect(0, 0, SIDE, SIDE))
    forest._tiles._slide.close()  # type: ignore[attr-defined]
    forest.update(ClassImage(strokes(1, 2)))
    two = forest.paint(Rect(0, 0, SIDE, SIDE)).probabilities
    forest.update(ClassImage(strokes(1, 2, 3)))
    three = forest.paint(Rect(0, 0, SIDE, SIDE)).probabilities
    assert two[..., 2].max() == 0
    assert agreement(three) > agreement(two)


def test_live_learns_from_other_slides_too() -> None:
    others = [image(strokes(1, 2), name="other")]
    forest = LiveForest(
        ArraySlide(RGB, 1.0), CLASSES, FEW_TREES, PixelForestParams(), context(), others
    )
    forest.update(ClassImage(strokes(3)))
    assert agreement(forest.paint(Rect(0, 0, SIDE, SIDE)).probabilities) > 0.9


def test_live_needs_two_classes_and_a_lesson() -> None:
    forest = live()
    with pytest.raises(UsageError, match="learned"):
        forest.paint(Rect(0, 0, 10, 10))
    with pytest.raises(UsageError, match="two classes"):
        forest.update(ClassImage(strokes(1)))


def test_live_can_be_cancelled() -> None:
    control = Control()
    forest = LiveForest(
        ArraySlide(RGB, 1.0),
        CLASSES,
        FEW_TREES,
        PixelForestParams(),
        context(0, SilentProgress(control)),
    )
    forest.update(ClassImage(strokes(1, 2)))
    control.cancel()
    doings: list[Callable[[], object]] = [
        lambda: forest.update(ClassImage(strokes(1, 3))),
        lambda: forest.paint(Rect(0, 0, 99, 99)),
    ]
    for doing in doings:
        with pytest.raises(Cancelled):
            doing()


def test_rare_strokes_in_a_mask_of_the_whole_slide_are_found() -> None:
    slide = ArraySlide(np.full((2400, 2400, 3), 200, np.uint8), 1.0)
    grid = analysis_grid(slide, 1.0)
    mask = np.full((2400, 2400), UNKNOWN, np.uint8)
    mask[100:104, 100:160] = 1
    mask[2200:2204, 300:360] = 2
    places = labelled_pixels(ClassImage(mask), grid, 0)
    assert set(np.unique(places.values).tolist()) == {1, 2}

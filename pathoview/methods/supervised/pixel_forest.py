"""Strokes in a few colours → the class of every pixel, by a forest of decision trees, in seconds.

What a pixel looks like is computed by `methods.pixel_features`; `methods.pixel_trees` learn it from
labelled pixels. `PixelForest` is the method, `LiveForest` answers while one paints.

References: Breiman 2001 (random forests), Friedman 2001 (gradient boosting), Berg et al. 2019
(ilastik: pixel classification by strokes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.machine import memory_bytes, usable_cores
from pathoview.core.translation import _
from pathoview.datasets.labels import LabelledImage, Labels, TargetClass, TrainingData
from pathoview.datasets.patches import inside
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.pixel_features import PixelFeatures
from pathoview.methods.pixel_samples import TILE_PX, FeatureTiles, Tile, tiles_of
from pathoview.methods.pixel_trees import (
    Learning,
    Probabilities,
    Samples,
    TrainedForest,
    check_classes,
    gathered,
    joined,
    left_out,
    measure,
    train,
)
from pathoview.methods.supervised.pixel_forest_params import (
    MPP,
    PixelForestFitParams,
    PixelForestParams,
)
from pathoview.slides.reading import analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E

Rgb = npt.NDArray[np.uint8]

_FIT_MEMORY = 256 * 2**20
_MEMORY_SHARE = 8
"""Features of a live forest take at most this part of the memory, and 1 GiB."""
_GATHERED = 0.8
"""How much of a training is done when features are computed."""


class PixelForest:
    """See the module; the parameters say the rest."""

    def __init__(self, params: PixelForestParams, fitted: Fitted | None = None) -> None:
        self._params = params
        self._trained = None if fitted is None else TrainedForest.of(fitted)

    @staticmethod
    def live(
        slide: Slide,
        classes: Sequence[TargetClass],
        fit_params: PixelForestFitParams,
        params: PixelForestParams,
        context: FitContext,
        others: Sequence[LabelledImage] = (),
    ) -> LiveForest:
        """Return what answers while one paints; see `tasks.live_teaching.Live`."""
        return LiveForest(slide, classes, fit_params, params, context, others)

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return the fixed colours of the stains: nothing is measured on the slide."""
        return {"stains": H_E.to_json()}

    def predict(self, patch: Rgb, mpp: float, context: Mapping[str, Any]) -> Probabilities:
        """Return (height, width, class): the classes of ``settings["values"]``, in this order."""
        if self._trained is None:
            raise UsageError(
                _("This forest has not learned anything yet."), _("Train it, or open its model.")
            )
        found = self._trained.predict(self._trained.features.of(patch, mpp))
        return smoothed(found, self._params.smoothing_um / mpp)

    def fit(self, data: TrainingData, params: PixelForestFitParams, context: FitContext) -> Fitted:
        """Learn from labelled pixels; ``context.start`` changes nothing: it takes only seconds.

        It is measured on the images and blocks held back; where there are none, on a fifth of the
        labelled tiles, by trees that did not see them, before all labels are learned from.

        Raises `UsageError` when fewer than two classes are labelled, and `Cancelled`.
        """
        features, learning = PixelFeatures(params.sigmas_um), _learning(params, context)
        known, held_back = _known_and_held_back(data, features, learning)
        check_classes(known.values, data.classes)
        context.progress.report(_GATHERED, _("Training"))
        trained = train(known, features, data.classes, learning)
        metrics, measured_on = {}, ""
        if len(held_back.values):
            metrics, measured_on = measure(trained, held_back), "held back"
        elif (is_left := left_out(known, context.seed)).any():
            others = train(known.of(~is_left), features, data.classes, learning)
            metrics, measured_on = measure(others, known.of(is_left)), "a fifth, by other trees"
        fitted = trained.fitted(metrics, measured_on)
        if context.preview is not None:
            context.preview(fitted)
        context.progress.report(1.0, _("Training"), **metrics)
        return fitted


@dataclass(frozen=True, slots=True)
class Painted:
    """Probabilities of a part of a slide."""

    rect_l0: Rect
    """What they lie over: the whole px of the grid around what was asked for, on the slide."""
    probabilities: npt.NDArray[np.float32]
    """(height, width, class), in the order of ``settings["values"]``."""


class LiveForest:
    """The forest while one paints: features are kept, so that a stroke is answered in a second.

    How to use it (all from one worker thread; it has threads of its own)::

        live = LiveForest(slide, classes, fit_params, params, context)
        live.prefetch(view_l0)               # when teaching begins: before the first stroke
        fitted = live.update(labels)         # after a stroke; UsageError: a class is missing
        first = live.paint(view_l0, step=2)  # every second pixel, a part of the time
        full = live.paint(view_l0)

    What `update` returns goes into a model file as what `PixelForest.fit` returns does (it measures
    nothing: `measure` does, or `fit` once more when teaching ends), and `paint` gives what a
    `PixelForest` of it does.
    """

    def __init__(
        self,
        slide: Slide,
        classes: Sequence[TargetClass],
        fit_params: PixelForestFitParams,
        params: PixelForestParams,
        context: FitContext,
        others: Sequence[LabelledImage] = (),
    ) -> None:
        """``others``: labelled images that are learned from too; they are read once."""
        self._slide = slide
        self._classes = tuple(classes)
        self._params = params
        self._learning = _learning(fit_params, context)
        self._others = others
        self._other_samples: list[Samples] | None = None
        self._features = PixelFeatures(fit_params.sigmas_um)
        self._memory = ByteCache(min(2**30, memory_bytes() // _MEMORY_SHARE))
        self._tiles = self._tiles_of(slide)
        self._trained: TrainedForest | None = None
        self._known: Samples | None = None

    def prefetch(self, rect_l0: Rect) -> None:
        """Compute the features of what is looked at, if they are not kept; raise `Cancelled`."""
        import sklearn.ensemble  # noqa: F401  takes a second: not when the first stroke waits

        self._tiles.get(self._seen(rect_l0, 1)[1], self._learning.context.progress)

    def update(self, labels: Labels) -> Fitted:
        """Learn anew from the labels there are now.

        Raises `UsageError` when fewer than two classes are labelled, and `Cancelled`.
        """
        own = LabelledImage(self._slide, labels, name="")
        samples, _places = gathered(own, self._tiles, 0, self._learning)
        known = joined([samples, *self._read_others()], self._learning)
        check_classes(known.values, self._classes)
        self._trained = train(known, self._features, self._classes, self._learning)
        self._known = known
        return self._trained.fitted({})

    def measure(self) -> dict[str, float]:
        """Return what trees are worth that did not see a fifth of the labelled tiles, on these.

        Empty where a class has too few tiles to leave some out. Raises `Cancelled`.
        """
        known, seed = self._known, self._learning.context.seed
        if known is None or not (is_left := left_out(known, seed)).any():
            return {}
        others = train(known.of(~is_left), self._features, self._classes, self._learning)
        return measure(others, known.of(is_left))

    def paint(self, rect_l0: Rect, step: int = 1) -> Painted:
        """Return probabilities of a part of the slide, one px for ``step`` × ``step`` of the grid.

        Raises `UsageError` before the first `update`, and `Cancelled`.
        """
        if self._trained is None:
            raise UsageError(
                _("Nothing was learned yet."), _("Paint a few strokes in two classes.")
            )
        if step < 1 or TILE_PX % step:
            raise ValueError(f"a tile of {TILE_PX} px has no whole steps of {step} px")
        trained, progress = self._trained, self._learning.context.progress
        seen, tiles = self._seen(rect_l0, step)
        features = self._tiles.get(tiles, progress)

        def predict(tile: Tile) -> npt.NDArray[np.float32]:
            progress.check()
            return trained.predict(np.ascontiguousarray(features[tile][::step, ::step]))

        width, height = (math.ceil(size / step) for size in (seen.width, seen.height))
        out = np.zeros((height, width, len(trained.values)), np.float32)
        with ThreadPoolExecutor(usable_cores()) as pool:
            for tile, found in zip(tiles, pool.map(predict, tiles), strict=True):
                _lay(out, found, *(np.array(tile) * TILE_PX - (int(seen.x), int(seen.y))) // step)
        return self._cut(out, seen, rect_l0, step)

    def _cut(self, found: npt.NDArray[np.float32], seen: Rect, rect_l0: Rect, step: int) -> Painted:
        """Smooth what was predicted, and leave out what was only looked at for that."""
        grid = self._tiles.grid
        found = smoothed(found, self._params.smoothing_um / grid.mpp / step)
        asked = self._on_grid(rect_l0, step)
        x, y, width, height = (
            math.ceil(length / step) for length in asked.moved(-seen.x, -seen.y).as_ints()
        )
        return Painted(asked.scaled(grid.scale_l0), found[y : y + height, x : x + width])

    def _seen(self, rect_l0: Rect, step: int) -> tuple[Rect, list[Tile]]:
        """Return what is predicted to paint a rectangle, in px of the grid, and its tiles."""
        grid = self._tiles.grid
        sigma = self._params.smoothing_um / grid.mpp / step
        asked = self._on_grid(rect_l0, step)
        if asked.is_empty:
            return asked, []
        reach = smoothing_reach_px(sigma) * step
        seen = asked.expanded(reach).intersection(Rect(0, 0, grid.width, grid.height))
        return seen, tiles_of(seen, grid)

    def _on_grid(self, rect_l0: Rect, step: int) -> Rect:
        """Return the whole steps of the grid around a rectangle that lie on the slide."""
        grid = self._tiles.grid
        around = rect_l0.scaled(1 / grid.scale_l0 / step).outward().scaled(step)
        return around.intersection(Rect(0, 0, grid.width, grid.height))

    def _read_others(self) -> list[Samples]:
        if self._other_samples is None:
            self._other_samples = [
                gathered(image, self._tiles_of(image.slide), number, self._learning)[0]
                for number, image in enumerate(self._others, 1)
            ]
        return self._other_samples

    def _tiles_of(self, slide: Slide) -> FeatureTiles:
        return FeatureTiles(slide, analysis_grid(slide, MPP), self._features, self._memory)


def smoothed(found: Probabilities, sigma_px: float) -> Probabilities:
    """Return probabilities averaged over a Gaussian that ends at 3 σ."""
    if sigma_px <= 0 or not found.size:
        return found
    side = 2 * smoothing_reach_px(sigma_px) + 1
    planes = [
        cv2.GaussianBlur(np.ascontiguousarray(found[..., index]), (side, side), sigma_px)
        for index in range(found.shape[2])
    ]
    return np.stack(planes, axis=2)


def smoothing_reach_px(sigma_px: float) -> int:
    """Return how far `smoothed` looks around a pixel."""
    return math.ceil(3 * sigma_px)


def _learning(params: PixelForestFitParams, context: FitContext) -> Learning:
    return Learning(
        params.classifier == "gradient boosting",
        params.n_trees,
        params.max_depth,
        params.pixels_per_class,
        context,
    )


def _known_and_held_back(
    data: TrainingData, features: PixelFeatures, learning: Learning
) -> tuple[Samples, Samples]:
    """Return the pixels to learn from, and those of images and blocks that are held back."""
    images = [*data.of("train"), *data.of("val")]
    none = Samples(
        np.zeros((0, len(features.names)), np.float32), np.zeros(0, np.uint8), np.zeros(0, np.int64)
    )
    known, held_back = [none], [none]
    for number, image in enumerate(images):
        learning.context.progress.report(_GATHERED * number / len(images), _("Reading labels"))
        grid = analysis_grid(image.slide, MPP)
        tiles = FeatureTiles(image.slide, grid, features, ByteCache(_FIT_MEMORY))
        samples, xy_l0 = gathered(image, tiles, number, learning)
        is_kept = np.full(len(samples.values), image.split == "val")
        is_near = is_kept.copy()
        sight_l0 = features.reach_px(grid.mpp) * grid.scale_l0
        for rect in data.held_back_l0.get(image.name, ()):
            is_kept |= inside(rect, xy_l0)
            is_near |= inside(rect.expanded(sight_l0), xy_l0)
        known.append(samples.of(~is_near))
        held_back.append(samples.of(is_kept))
    return joined(known, learning), joined(held_back, learning)


def _lay(out: npt.NDArray[np.float32], part: npt.NDArray[np.float32], x: int, y: int) -> None:
    """Put a part with its corner at (x, y) where it overlaps the whole, in place."""
    left, top = max(0, x), max(0, y)
    right, bottom = min(out.shape[1], x + part.shape[1]), min(out.shape[0], y + part.shape[0])
    if right > left and bottom > top:
        out[top:bottom, left:right] = part[top - y : bottom - y, left - x : right - x]

"""Trees that learn classes of pixels: samples → scikit-learn → arrays, and what they are worth.

What a class is, is the value that masks of labels have there. References: Breiman 2001 (random
forests), Friedman 2001 (gradient boosting).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.machine import usable_cores
from pathoview.core.translation import _
from pathoview.datasets.labels import BACKGROUND, LabelledImage, TargetClass
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.forest_arrays import ForestArrays
from pathoview.methods.pixel_features import PixelFeatures
from pathoview.methods.pixel_samples import (
    FeatureTiles,
    balanced,
    labelled_pixels,
)

Probabilities = npt.NDArray[np.float32]

_CHUNK = 10
"""Trees that are grown between two looks at whether to stop."""
_LEAST_LEAF = 3
"""Labelled pixels in a leaf."""
_BOOSTED_LEAVES = 15
_BINS = 64
"""Steps of a feature that boosting tells apart."""
_HELD_BACK = 5
"""One in so many tiles of each class is held back to measure, when nothing else is."""
_MOST_TILES = 2**32


@dataclass(frozen=True, slots=True)
class Samples:
    """Pixels with their features and classes."""

    rows: npt.NDArray[np.float32]
    """(n, feature)"""
    values: npt.NDArray[np.uint8]
    """(n,) what masks say."""
    groups: npt.NDArray[np.int64]
    """(n,) which tile of which image: neighbours are never held back one without the other."""

    def of(self, chosen: npt.NDArray[Any]) -> Samples:
        """Return some of them, by a mask or by numbers."""
        return Samples(self.rows[chosen], self.values[chosen], self.groups[chosen])


@dataclass(frozen=True, slots=True)
class Learning:
    """How trees are grown."""

    is_boosted: bool
    """Gradient boosting; else a random forest."""
    n_trees: int
    max_depth: int
    pixels_per_class: int
    context: FitContext

    def classifier(self, rows: npt.NDArray[np.float32], values: npt.NDArray[np.uint8]) -> Any:
        """Return a fitted classifier of scikit-learn; raise `Cancelled`.

        Grown a few trees at a time, which gives the same trees as at once.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        classifier, even = self._new(), _evened(values)
        rows, values = rows[even], values[even]
        name = "max_iter" if self.is_boosted else "n_estimators"
        # OpenMP's threads wait for each other in loops: on a busy machine, 40 times as long.
        with threadpool_limits(1, user_api="openmp"):
            for n_trees in _chunks(self.n_trees):
                self.context.progress.check()
                classifier.set_params(**{name: n_trees}).fit(rows, values)
                if self.context.stop_early():
                    break
        return classifier

    def _new(self) -> Any:
        said = {
            "max_depth": self.max_depth,
            "min_samples_leaf": _LEAST_LEAF,
            "random_state": self.context.seed,
            "warm_start": True,
        }
        if not self.is_boosted:
            from sklearn.ensemble import RandomForestClassifier

            return RandomForestClassifier(**said, n_jobs=usable_cores())
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            **said, early_stopping=False, max_leaf_nodes=_BOOSTED_LEAVES, max_bins=_BINS
        )


@dataclass(frozen=True, slots=True)
class TrainedForest:
    """Trees with what is needed to use them."""

    arrays: ForestArrays
    features: PixelFeatures
    learned: tuple[int, ...]
    """The mask value of each column of the trees."""
    values: tuple[int, ...]
    """The mask value of each class of the probabilities: all classes there are, and background
    first where it was labelled."""
    importances: Mapping[str, float]

    @classmethod
    def of(cls, fitted: Fitted) -> TrainedForest:
        """Return the trees of a model; raise `InputError` when they are none."""
        said = fitted.settings
        return cls(
            ForestArrays.from_tensors(fitted.tensors),
            PixelFeatures(tuple(said["sigmas_um"])),
            tuple(said["learned"]),
            tuple(said["values"]),
            dict(said["importances"]),
        )

    def fitted(self, metrics: Mapping[str, float], measured_on: str = "") -> Fitted:
        """Return what goes into a model file."""
        settings = {
            "sigmas_um": list(self.features.sigmas_um),
            "learned": list(self.learned),
            "values": list(self.values),
            "importances": dict(self.importances),
            "measured_on": measured_on,
        }
        return Fitted(self.arrays.to_tensors(), settings, metrics)

    def predict(self, features: npt.NDArray[np.float32]) -> Probabilities:
        """Return (…, class) of (…, feature)."""
        found = self.arrays.predict(features.reshape(-1, features.shape[-1]))
        out = np.zeros((*features.shape[:-1], len(self.values)), np.float32)
        columns = [self.values.index(value) for value in self.learned]
        out[..., columns] = found.reshape(*features.shape[:-1], -1)
        return out


def train(
    samples: Samples,
    features: PixelFeatures,
    classes: Sequence[TargetClass],
    learning: Learning,
) -> TrainedForest:
    """Return trees that learned from pixels of at least two classes; raise `Cancelled`."""
    classifier = learning.classifier(samples.rows, samples.values)
    boosted = learning.is_boosted
    arrays = (ForestArrays.of_boosting if boosted else ForestArrays.of_forest)(classifier)
    learned = tuple(int(value) for value in classifier.classes_)
    values = range(BACKGROUND if BACKGROUND in learned else 1, len(classes) + 1)
    shares = _gains(classifier) if boosted else _importances(classifier)
    order = np.argsort(-shares, kind="stable")
    importances = {features.names[index]: round(float(shares[index]), 6) for index in order}
    return TrainedForest(arrays, features, learned, tuple(values), importances)


def gathered(
    image: LabelledImage, tiles: FeatureTiles, number: int, learning: Learning
) -> tuple[Samples, npt.NDArray[np.float64]]:
    """Return the pixels to learn from of one image, and where they lie, (n, 2) level-0 px.

    ``number`` tells the image's groups from those of other images.
    """
    seed = learning.context.seed
    places = labelled_pixels(image.labels, tiles.grid, seed)
    places = places.of(balanced(places.values, learning.pixels_per_class, seed))
    rows = tiles.at(places, learning.context.progress)
    groups = places.tile_of + number * _MOST_TILES
    return Samples(rows, places.values, groups), places.xy_l0(tiles.grid.scale_l0)


def joined(parts: Sequence[Samples], learning: Learning) -> Samples:
    """Return pixels of several images: at most ``most`` of each class."""
    rows, values, groups = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("rows", "values", "groups")
    )
    chosen = balanced(values, learning.pixels_per_class, learning.context.seed)
    return Samples(rows, values, groups).of(chosen)


def measure(trained: TrainedForest, samples: Samples) -> dict[str, float]:
    """Return ``accuracy`` and ``macro_f1`` on pixels, over the classes that are among them."""
    from sklearn.metrics import f1_score

    told = np.array(trained.values)[trained.predict(samples.rows).argmax(axis=1)]
    known = np.unique(samples.values)
    return {
        "accuracy": float(np.mean(told == samples.values)),
        "macro_f1": float(
            f1_score(samples.values, told, labels=known, average="macro", zero_division=0)
        ),
    }


def check_classes(values: npt.NDArray[np.uint8], classes: Sequence[TargetClass]) -> None:
    """Raise `UsageError` unless there are labels of at least two classes."""
    there = set(np.unique(values).tolist())
    if len(there) >= 2:
        return
    missing = [cls.name for value, cls in enumerate(classes, 1) if value not in there]
    hint = _("Paint a few strokes in a second class.")
    if missing:
        named = ", ".join(f"“{name}”" for name in missing)
        hint = _("Paint a few strokes in a second class; without labels so far: {names}.").format(
            names=named
        )
    raise UsageError(_("Labels of at least two classes are needed."), hint)


def left_out(samples: Samples, seed: int) -> npt.NDArray[np.bool_]:
    """Return which pixels to leave out to measure: of each class, one in five of its tiles.

    A class of one tile is learned from whole. Nothing is left out of a tile only by half.
    """
    rng = np.random.default_rng(seed)
    left_out: set[int] = set()
    for value in np.unique(samples.values):
        own = np.unique(samples.groups[samples.values == value])
        if len(own) > 1:
            chosen = rng.choice(own, max(1, len(own) // _HELD_BACK), replace=False)
            left_out.update(chosen.tolist())
    is_left = np.isin(samples.groups, list(left_out))
    remaining = set(samples.values[~is_left].tolist())
    return is_left if remaining == set(samples.values.tolist()) else np.zeros_like(is_left)


def _evened(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return which pixels to learn from, some twice and more, so that no class has fewer.

    Weights would do the same, but boosting takes seconds to find its steps with them.
    """
    most = int(np.unique(values, return_counts=True)[1].max())
    parts = [np.resize(np.flatnonzero(values == value), most) for value in np.unique(values)]
    return np.concatenate(parts)


def _importances(forest: Any) -> npt.NDArray[np.float64]:
    """Return what each feature is worth; threads would take longer to begin than this does."""
    return np.asarray(forest.set_params(n_jobs=1).feature_importances_)


def _gains(boosting: Any) -> npt.NDArray[np.float64]:
    """Return what each feature's questions gained, as shares of the whole."""
    nodes = [tree.nodes for iteration in boosting._predictors for tree in iteration]
    inner = [each[each["is_leaf"] == 0] for each in nodes]
    gains = np.zeros(boosting.n_features_in_)
    for each in inner:
        np.add.at(gains, each["feature_idx"], each["gain"])
    return gains / max(float(gains.sum()), 1e-12)


def _chunks(n_trees: int) -> Iterator[int]:
    """Yield how many trees there are after each chunk."""
    yield from range(_CHUNK, n_trees, _CHUNK)
    yield n_trees

"""Training of `patch_sum`: a bottleneck is taught on patches, then a forest on pictures.

Every patch inherits the label of its picture. A network knows the pictures it has learned from by
heart, to a part; a forest that sees their sums by this network would trust sums too much. So it
sees, of each picture, the sum by a network that was taught without it and without others of its
patient. These networks begin with the same weights as the one that is kept, and learn as long:
so unit by unit they mean nearly the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.machine import usable_cores
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.bag_batches import tile_statistics
from pathoview.datasets.bags import Bag, BagData
from pathoview.datasets.splits import Numbers, group_folds
from pathoview.methods.engine.bag_learner import (
    fingerprint_of,
    measured,
    of_training,
    parents_of,
    settings_of,
    structure_of,
)
from pathoview.methods.engine.learner import Trained
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.forest_arrays import ForestArrays
from pathoview.methods.hand_features import FAMILIES, N_HAND_FEATURES
from pathoview.methods.model import Parent
from pathoview.methods.networks.patch_bottleneck import PatchBottleneck
from pathoview.methods.supervised.patch_sum_learner import PatchBatches, PatchLearner
from pathoview.methods.supervised.patch_sum_params import PatchSumFitParams
from pathoview.methods.supervised.patch_sum_vectors import Bottleneck, Floats, TaughtForest

ENCODER = "encoder"
"""What the numbers are called that come from the network, where importances are told."""

_N_VALIDATIONS = 20
_CLIP_NORM = 5.0
_CHUNK = 50
"""Trees that are grown between two looks at whether to stop."""
_TAUGHT, _FOLDED = 0.2, 0.9
"""How much of a training is done when the network is taught, and when those of the folds are."""


def fit(data: BagData, params: PatchSumFitParams, context: FitContext) -> Fitted:
    """Learn from pictures with labels; see `fitting.Trainable.fit`."""
    bags = of_training(data)
    teaching = Teaching.of(data, params, context)
    trained = teaching.taught(bags, data.of("val"))
    rows = unseen_rows(teaching, bags, max(1, trained.best_step))
    forest = grown(rows, np.array([bag.label for bag in bags]), params, context)
    settings = {
        **teaching.settings,
        "learned": forest.classes_.tolist(),
        "importances": importances(forest, teaching.width),
        "out_of_bag_accuracy": forest.oob_score_,
    }
    tensors = {**trained.tensors, **ForestArrays.of_forest(forest).to_tensors()}
    fitted = Fitted(
        tensors,
        settings,
        curves=trained.curves,
        parents=teaching.parents,
        n_steps=trained.best_step,
    )
    context.progress.report(1.0, _("Learning"))
    return replace(fitted, metrics=_measured(fitted, data.of("val")))


@dataclass(frozen=True, slots=True)
class Teaching:
    """What the networks of one training have in common; all begin with the same weights."""

    params: PatchSumFitParams
    context: FitContext
    n_classes: int
    settings: Mapping[str, Any]
    parents: tuple[Parent, ...]
    first: PatchBottleneck
    fingerprint: str

    @classmethod
    def of(cls, data: BagData, params: PatchSumFitParams, context: FitContext) -> Teaching:
        """Return what is known before anything is learned; raise `UsageError` as `fit` does."""
        if data.encoder.n_hand not in (0, N_HAND_FEATURES):
            raise UsageError(
                _("Colours and texture of these pictures were measured by other rules."),
                _("Describe the pictures again, with this version of the program."),
            )
        start, structure = context.start, {"width": params.width}
        if start is not None:
            structure = structure_of(start, data, structure)
        settings = settings_of(data, structure)
        return cls(
            params,
            context,
            len(data.classes),
            settings,
            parents_of(data, start),
            _begun(data, settings, context),
            fingerprint_of(data, params, start),
        )

    @property
    def width(self) -> int:
        return int(self.settings["width"])

    def taught(self, bags: Sequence[Bag], held_back: Sequence[Bag]) -> Trained:
        """Return the network that is kept; what is held back tells when to end."""
        plan = replace(self._plan(), ends_after=self.context.n_steps)
        context = replace(self.context, preview=None)  # nothing predicts before there are trees
        return train(self._learner(bags, held_back), plan, context, span=(0.0, _TAUGHT))

    def taught_without(self, bags: Sequence[Bag], fold: int, n_steps: int) -> Trained:
        """Return the network of a fold that learns from ``bags`` only, as long as it is told to."""
        n = self.params.n_folds
        step = (_FOLDED - _TAUGHT) / n
        begun = _TAUGHT + fold * step
        progress = _Unhurried(self.context.progress, begun, begun + step)
        context = replace(self.context, progress=progress, preview=None)
        plan = replace(self._plan(), ends_after=n_steps, validate_every=0)
        return train(self._learner(bags, ()), plan, context, stage=f"without-{fold}")

    def _learner(self, bags: Sequence[Bag], held_back: Sequence[Bag]) -> PatchLearner:
        network = deepcopy(self.first)
        batches = PatchBatches(
            bags, len(network.mean), self.n_classes, self.params.batch, self.context.seed
        )
        return PatchLearner(network, batches, held_back, self.settings, self.fingerprint)

    def _plan(self) -> TrainingPlan:
        params = self.params
        return TrainingPlan(
            params.n_steps,
            params.lr,
            weight_decay=params.weight_decay,
            optimizer="adam",
            schedule="cosine",
            clip_norm=_CLIP_NORM,
            validate_every=max(1, params.n_steps // _N_VALIDATIONS),
            patience=params.patience,
        )


class _Unhurried(PartOf):
    """A part that is not cut short: what is to be compared has to learn equally long.

    Its curves are kept: they would be taken for those of the network that counts.
    """

    def __init__(self, whole: Progress, start: float, end: float) -> None:
        super().__init__(whole, start, end, tells_events=False)

    @property
    def is_finishing(self) -> bool:
        return False


def unseen_rows(teaching: Teaching, bags: Sequence[Bag], n_steps: int) -> Floats:
    """Return each picture as a row, (bag, column), by a network that has not seen it.

    Networks learn for ``n_steps``. Raises `Cancelled`.
    """
    folds = inner_folds(bags, teaching.params.n_folds, teaching.context.seed)
    found: dict[int, Floats] = {}
    for fold in np.unique(folds).tolist():
        seen = [bag for bag, own in zip(bags, folds, strict=True) if own != fold]
        network = Bottleneck.of(teaching.taught_without(seen, fold, n_steps).tensors)
        for row in np.flatnonzero(folds == fold).tolist():
            found[row] = network.picture_row(bags[row].features)
    return np.stack([found[row] for row in range(len(bags))])


def inner_folds(bags: Sequence[Bag], n_folds: int, seed: int) -> Numbers:
    """Return the fold that each picture is left out in, (bag,).

    Patients are whole, unless a class would then be missing among what a fold learns from: then
    pictures are parted.
    """
    labels = np.array([bag.label for bag in bags])
    folds = np.zeros(len(bags), np.int64)
    for groups in _groupings(bags):
        n = min(n_folds, len(set(groups)))
        if n < 2:
            continue
        folds = group_folds(groups, [str(label) for label in labels], n, seed)
        left = [np.unique(labels[folds != fold]) for fold in range(n)]
        if all(len(one) == len(np.unique(labels)) for one in left):
            break
    return folds


def _groupings(bags: Sequence[Bag]) -> Iterator[list[str]]:
    yield [bag.group or f"picture {row}" for row, bag in enumerate(bags)]
    yield [str(row) for row in range(len(bags))]


def grown(
    rows: npt.NDArray[np.floating], labels: Numbers, params: PatchSumFitParams, context: FitContext
) -> Any:
    """Return scikit-learn's forest, fitted on (n, column) and (n,); raise `Cancelled`.

    Grown some trees at a time, which gives the same trees as at once.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        max_features="sqrt",
        min_samples_leaf=params.least_leaf,
        class_weight="balanced_subsample",
        random_state=abs(context.seed),
        warm_start=True,
        n_jobs=usable_cores(),
    )
    n_trees, seen = 0, rows.astype(np.float32)
    while n_trees < params.n_trees:
        context.progress.check()
        is_last = n_trees + _CHUNK >= params.n_trees or context.stop_early()
        n_trees = min(n_trees + _CHUNK, params.n_trees)
        forest.set_params(n_estimators=n_trees, oob_score=is_last)
        with warnings.catch_warnings():
            # Weights of classes are those of the same pictures each time; and the few pictures
            # that all of some trees have seen do not matter.
            warnings.simplefilter("ignore", UserWarning)
            forest.fit(seen, labels)
        if is_last:
            break
        context.progress.report(_FOLDED + (1 - _FOLDED) * n_trees / params.n_trees, _("Learning"))
    return forest


def importances(forest: Any, width: int) -> dict[str, float]:
    """Return which part the encoder and each family of rules have in what trees ask, adding to 1.

    ``width``: so many of the forest's columns come from the encoder, the rest from rules.
    """
    shares = np.asarray(forest.set_params(n_jobs=1).feature_importances_, np.float64)
    kinds = [ENCODER] * width + list(FAMILIES[: len(shares) - width])
    found = dict.fromkeys(kinds, 0.0)
    for kind, share in zip(kinds, shares.tolist(), strict=True):
        found[kind] += share
    return found


def _begun(data: BagData, settings: Mapping[str, Any], context: FitContext) -> PatchBottleneck:
    """Return the network that training begins with, which knows what patches look like."""
    import torch

    n_features = data.encoder.n_features - data.encoder.n_hand
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = PatchBottleneck(n_features, len(data.classes), settings["width"])
    if context.start is not None:
        own = context.start.tensors.items()
        load_arrays(network, {name: one for name, one in own if not name.startswith("trees.")})
        return network
    look = tile_statistics(of_training(data))
    network.mean.copy_(torch.from_numpy(look.mean[:n_features]))
    network.scale.copy_(torch.from_numpy(look.scale[:n_features]))
    return network


def _measured(fitted: Fitted, held_back: Sequence[Bag]) -> dict[str, float]:
    if not held_back:
        return {}
    forest = TaughtForest.of(fitted)
    rows = np.stack([forest.bottleneck.picture_row(bag.features) for bag in held_back])
    return measured(forest.probabilities(rows), np.array([bag.label for bag in held_back]))

"""Sums of patches on generated pictures: ``pytest tests/benchmarks/bench_patch_sum.py -s``.

90 pictures of three made-up states, which differ in how many nuclei there are, how large and how
unlike one another; the states overlap. They come from six contributors, each with other colours,
sharpness and noise: each is held out once, and its pictures look for similar ones among those of
the other five. Networks are taught in one thread; describing the pictures takes some minutes.

``PATHOVIEW_BENCH_SEEDS`` (2): trainings; ``PATHOVIEW_BENCH_SHUFFLES`` (4): draws of wrong labels.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from scipy.special import softmax

from pathoview.core.geometry import Cell
from pathoview.core.progress import SilentProgress
from pathoview.datasets.bags import Bag, BagData, EncoderUsed, TileGrid
from pathoview.datasets.labels import TargetClass
from pathoview.evaluation.retrieval import Cases, retrieved
from pathoview.evaluation.slides import auroc
from pathoview.methods.case_likeness import proximity, vector_likeness
from pathoview.methods.engine.tile_encoder import TileEncoder
from pathoview.methods.fitting import FitContext
from pathoview.methods.forest_arrays import ForestArrays
from pathoview.methods.hand_features import N_HAND_FEATURES, hand_features
from pathoview.methods.spec import Compute
from pathoview.methods.supervised import patch_sum_training as training
from pathoview.methods.supervised.patch_sum_params import PatchSumFitParams
from pathoview.methods.supervised.patch_sum_vectors import Bottleneck, Floats
from pathoview.tasks.tile_plan import Tile
from pathoview.tasks.whole_patches import WholePatches

STATES = ("normal", "low grade", "malignant")
N_CONTRIBUTORS, N_OF_EACH, TILE_PX = 6, 5, 224
SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "2"))
SHUFFLES = int(os.environ.get("PATHOVIEW_BENCH_SHUFFLES", "4"))
ENCODER = "tf_efficientnet_lite0"
PARAMS = PatchSumFitParams()

Rgb = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)
    monkeypatch.setattr(training, "usable_cores", lambda: 1)


# -- pictures --------------------------------------------------------------------------------------


def picture(state: int, random: np.random.Generator) -> Rgb:
    """Return a field of a state, 512 px high and up to twice as wide, in the same colours."""
    height, width = 512, int(random.integers(512, 1024))
    fibres = cv2.GaussianBlur(random.normal(0, 60, (height, width)), (0, 0), 6, None, 1.5)
    tissue = np.array((228, 178, 205)) + fibres[..., None] * (0.5, 1.0, 0.6)
    rgb = np.clip(tissue, 0, 255).astype(np.uint8)
    density = (5.0 + 1.6 * state) * np.exp(random.normal(0, 0.22))
    radius = 5.2 + 0.45 * state + random.normal(0, 0.45)
    unlike = (0.16 + 0.09 * state) * np.exp(random.normal(0, 0.25))
    for _nucleus in range(random.poisson(density * height * width / 1e4)):
        own = radius * np.exp(random.normal(0, unlike))
        long = 1 + abs(random.normal(0, unlike))
        axes = max(1, round(own * long)), max(1, round(own / long))
        color = random.normal((104, 66, 140), 14 + 4 * state).clip(0, 255).tolist()
        center = random.integers(0, (width, height)).tolist()
        cv2.ellipse(rgb, center, axes, random.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
    return rgb


def as_seen(rgb: Rgb, contributor: int, random: np.random.Generator) -> Rgb:
    """Return a picture as a contributor takes it: colours, sharpness and noise are its own."""
    own = np.random.default_rng([17, contributor])
    gains, gamma = own.uniform(0.75, 1.2, 3), own.uniform(0.75, 1.35)
    mixed = 0.15 * own.normal(size=(3, 3)) + np.eye(3)
    density = -np.log((rgb.astype(np.float64) + 1) / 256) @ mixed * gains
    seen = 255 * np.exp(-np.maximum(density, 0)) ** gamma
    seen = cv2.GaussianBlur(seen, (0, 0), own.uniform(0.4, 1.4))
    return np.clip(seen + random.normal(0, own.uniform(2, 8), seen.shape), 0, 255).astype(np.uint8)


def patches(rgb: Rgb) -> Rgb:
    """Return its patches, as the program cuts them."""
    supply = WholePatches(ArraySlide(rgb), TILE_PX)
    found: Rgb = supply.read_block(Tile(0, 0, 0, 0, 1, 1), None)[1][0]
    return found


@cache
def described() -> BagData:
    """Return the pictures as they are described; their groups are the contributors."""
    encoder, bags = TileEncoder(ENCODER, "", Compute()), []
    seconds, n_patches = np.zeros(2), 0
    places = [(one, n) for one in range(N_CONTRIBUTORS) for n in range(N_OF_EACH * len(STATES))]
    for contributor, number in places:
        random = np.random.default_rng([contributor, number])
        label = number % len(STATES)
        seen = patches(as_seen(picture(label, random), contributor, random))
        times, parts = [time.monotonic()], []
        for describe in (encoder.rows, hand_features):
            parts.append(describe(seen))
            times.append(time.monotonic())
        seconds, n_patches = seconds + np.diff(times), n_patches + len(seen)
        features = np.concatenate(parts, axis=1).astype(np.float16)
        each = np.arange(len(seen), dtype=np.int32)
        grid = TileGrid(each, np.zeros_like(each), Cell.square(1))
        name = f"{contributor}-{number}"
        bags.append(Bag(name, name, features, grid, label, group=str(contributor)))
    deep, rules = 1e3 * seconds / n_patches
    print(f"\n{n_patches} patches: {deep:.0f} ms a patch by the encoder, {rules:.0f} ms by rules")
    n_features = bags[0].features.shape[1]
    used = EncoderUsed(
        *(ENCODER, encoder.weights, n_features, (), TILE_PX),
        of_whole=True,
        n_hand=N_HAND_FEATURES,
    )
    return BagData(bags, tuple(TargetClass(state) for state in STATES), used, "grades")


# -- what is compared ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taught:
    """What `training.fit` teaches before it grows trees; all forests learn from the same."""

    bottleneck: Bottleneck
    weight: Floats
    bias: Floats
    """Of the head."""
    rows: Floats
    """(picture, column) of training, by networks that have not seen them."""

    @classmethod
    def of(cls, data: BagData, seed: int, *, begun_apart: bool = False) -> Taught:
        """``begun_apart``: networks of the inner folds have first weights of their own."""
        context = FitContext(SilentProgress(), seed=seed)
        teaching = training.Teaching.of(data, PARAMS, context)
        trained = teaching.taught(data.bags, ())
        others = teaching
        if begun_apart:
            strange = replace(context, seed=1000 + seed)
            others = replace(teaching, first=training.Teaching.of(data, PARAMS, strange).first)
        rows = training.unseen_rows(others, data.bags, trained.best_step)
        head = (trained.tensors[f"head.{name}"].astype(np.float64) for name in ("weight", "bias"))
        return cls(Bottleneck.of(trained.tensors), *head, rows)

    def head_told(self, bag: Bag) -> Floats:
        """Return what the head says of each patch, (patch, class)."""
        logits = self.bottleneck.units(bag.features) @ self.weight.T + self.bias
        return np.asarray(softmax(logits, axis=1))


@dataclass(frozen=True, slots=True)
class Told:
    """What one training says of pictures, seen and unseen."""

    probabilities: Floats
    """(picture, class)"""
    likeness: Callable[[int], Floats]
    """Of one picture: how like all are to it, (picture,)."""
    patches: Callable[[Bag], Floats]
    """Of a picture: probabilities of each patch, (patch, class)."""


Learns = Callable[[Taught, BagData, Sequence[Bag], int], Told]
"""Learns from data, tells of all pictures; the number is a seed."""


def by_forest(
    taught: Taught,
    data: BagData,
    everything: Sequence[Bag],
    seed: int,
    *,
    columns: slice = slice(None),
    trusts: bool = False,
) -> Told:
    """A forest that sees some of the columns; ``trusts``: by the network that has seen all."""
    bottleneck = taught.bottleneck
    seen = np.stack([bottleneck.picture_row(bag.features) for bag in data.bags])
    labels = np.array([bag.label for bag in data.bags])
    context = FitContext(SilentProgress(), seed=seed)
    grown = training.grown((seen if trusts else taught.rows)[:, columns], labels, PARAMS, context)
    forest = ForestArrays.of_forest(grown)
    found = np.stack([bottleneck.picture_row(bag.features) for bag in everything])[:, columns]
    leaves = forest.leaves(found)
    return Told(
        forest.predict(found),
        lambda row: proximity(leaves[row], leaves),
        lambda bag: forest.predict(bottleneck.patch_rows(bag.features)[:, columns]),
    )


def by_head(taught: Taught, _data: BagData, everything: Sequence[Bag], _seed: int) -> Told:
    """The plain network: the mean of what its head says of patches; alike by the angle of sums."""
    sums = np.stack([taught.bottleneck.units(bag.features).sum(axis=0) for bag in everything])
    told = np.stack([taught.head_told(bag).mean(axis=0) for bag in everything])
    return Told(told, lambda row: vector_likeness(sums[row], sums), taught.head_told)


BEGUN_APART = "sums by networks begun apart"
LEARNERS: dict[str, Learns] = {
    "patch_sum": by_forest,
    "its network alone": by_head,
    "forest, encoder alone": partial(by_forest, columns=slice(PARAMS.width)),
    "forest, rules alone": partial(by_forest, columns=slice(PARAMS.width, None)),
    "sums by one that has seen them": partial(by_forest, trusts=True),
    BEGUN_APART: by_forest,
}


@dataclass(frozen=True, slots=True)
class Scores:
    """What is told of pictures of contributors that were held out."""

    auroc: float
    precision_1: float
    precision_5: float
    chance: float
    patches: float
    """AUROC of single patches, each with the state of its picture."""


@cache
def taught_without(contributor: int, seed: int, *, begun_apart: bool = False) -> Taught:
    """Return what is taught on the pictures of the other contributors."""
    return Taught.of(without(described(), contributor), seed, begun_apart=begun_apart)


def without(data: BagData, contributor: int) -> BagData:
    return replace(data, bags=[one for one in data.bags if one.group != str(contributor)])


def scored(
    learns: Learns, data: BagData, seed: int, teach: Callable[[int], Taught] | None = None
) -> Scores:
    """``teach``: what is taught without a contributor; None: anew on these data."""
    bags = list(data.bags)
    labels = np.array([bag.label for bag in bags])
    groups = np.array([int(bag.group) for bag in bags])
    told = np.zeros((len(bags), len(STATES)))
    likeness = np.zeros((len(bags), len(bags)))
    of_patches: list[Floats] = []
    for held in range(N_CONTRIBUTORS):
        known = without(data, held)
        taught = teach(held) if teach else Taught.of(known, seed)
        ready = learns(taught, known, bags, seed)
        for row in np.flatnonzero(groups == held).tolist():
            told[row], likeness[row] = ready.probabilities[row], ready.likeness(row)
            of_patches.append(ready.patches(bags[row]))
    cases = Cases(labels, groups, np.arange(len(bags)))
    found = retrieved(likeness, cases, cases).scores()
    patch_labels = np.repeat(labels, [bag.n_tiles for bag in bags])
    return Scores(
        macro(told, labels),
        found["precision_at_1"],
        found["precision_at_5"],
        found["chance"],
        macro(np.concatenate(of_patches), patch_labels),
    )


def macro(told: Floats, labels: Numbers) -> float:
    return float(np.mean([auroc(told[:, one], labels == one) for one in range(len(STATES))]))


def shuffled(data: BagData, seed: int) -> BagData:
    """Return pictures with the labels of others of the same contributor."""
    random = np.random.default_rng(seed)
    labels = np.array([bag.label for bag in data.bags])
    groups = np.array([int(bag.group) for bag in data.bags])
    for group in np.unique(groups):
        labels[groups == group] = random.permutation(labels[groups == group])
    pairs = zip(data.bags, labels.tolist(), strict=True)
    return replace(data, bags=[replace(bag, label=label) for bag, label in pairs])


def each(rows: Sequence[Scores], name: str) -> str:
    values = [getattr(row, name) for row in rows]
    return f"{np.mean(values):.3f} ({', '.join(f'{value:.3f}' for value in values)})"


def table(name: str, rows: Sequence[Scores], seconds: float) -> None:
    said = "  ".join(f"{one} {each(rows, one)}" for one in Scores.__slots__)
    print(f"{name:32} {said}  {seconds / len(rows):.0f} s", flush=True)


@pytest.mark.parametrize("name", LEARNERS)
def test_contributors_that_were_held_out(name: str) -> None:
    began, rows = time.monotonic(), []
    for seed in range(SEEDS):
        teach = partial(taught_without, seed=seed, begun_apart=name == BEGUN_APART)
        rows.append(scored(LEARNERS[name], described(), seed, teach))
    table(name, rows, time.monotonic() - began)
    if name == "patch_sum":
        assert np.mean([row.auroc for row in rows]) >= 0.85
        assert np.mean([row.precision_1 - row.chance for row in rows]) >= 0.25


def test_wrong_labels_are_found_no_more_often_than_by_chance() -> None:
    began = time.monotonic()
    rows = [scored(by_forest, shuffled(described(), seed), seed) for seed in range(SHUFFLES)]
    table("patch_sum, shuffled labels", rows, time.monotonic() - began)
    assert abs(np.mean([row.precision_1 - row.chance for row in rows])) <= 0.05

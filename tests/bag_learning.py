"""Methods for whole slides and their baselines, learned and scored; slides that are made up.

Many slides with little to see: 200 to learn from, 40 of them held back to choose the weights, and
100 to be scored on; each has 100 tiles of 64 independent normal numbers. In a positive slide 5
tiles are moved by 3 deviations along a direction that nobody tells.

Few slides with much to see: 64 to learn from, 14 of them held back, and 150 to be scored on; each
has 48 tiles of 128 numbers that hang together as those of encoders do, and differ from slide to
slide as stains do. In a positive slide every second tile is moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from teaching import bag, bag_data, n_telling

from pathoview.core.progress import Progress, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.datasets.bags import Bag, BagData
from pathoview.datasets.labels import Split
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import BagFound
from pathoview.tasks.cross_validation import Ready

N_MANY: Mapping[Split, int] = {"train": 160, "val": 40, "test": 100}
N_FEW: Mapping[Split, int] = {"train": 50, "val": 14, "test": 150}

Predict = Callable[[npt.NDArray[np.float32]], BagFound]


@dataclass(frozen=True, slots=True)
class Draw:
    """Slides whose positive ones are known to hold what is looked for in their first tiles."""

    data: BagData
    n_telling: int
    """Of the tiles of a positive slide."""


def little_to_see(seed: int) -> Draw:
    n_tiles, share = 100, 0.05
    data = bag_data(
        sum(N_MANY.values()),
        n_tiles=n_tiles,
        n_features=64,
        share=share,
        n_held_back=0,
        seed=seed,
    )
    return Draw(_parted(data, data.bags, N_MANY), n_telling(n_tiles, share))


def much_to_see(seed: int) -> Draw:
    n_tiles, n_features, n_common = 48, 128, 16
    random = np.random.default_rng(seed)
    towards = random.normal(size=n_features)
    towards *= 3 / np.linalg.norm(towards)
    common = random.normal(size=(n_common, n_features)) / 4
    bags = []
    for number in range(sum(N_FEW.values())):
        tiles = random.normal(size=(n_tiles, n_features)) * 0.7
        tiles += random.normal(size=(n_tiles, n_common)) @ common
        tiles += 0.6 * (random.normal(size=n_common) @ common)
        tiles += 0.15 * random.normal(size=n_features)
        if number % 2:
            tiles[: n_tiles // 2] += towards
        bags.append(bag(tiles, number % 2, name=f"slide-{number}"))
    described = bag_data(2, n_features=n_features, n_held_back=0)
    return Draw(_parted(described, bags, N_FEW), n_tiles // 2)


def _parted(data: BagData, bags: Sequence[Bag], sizes: Mapping[Split, int]) -> BagData:
    splits = [split for split, n in sizes.items() for _slide in range(n)]
    parted = [replace(one, split=split) for one, split in zip(bags, splits, strict=True)]
    return replace(data, bags=parted)


@dataclass(frozen=True, slots=True)
class Scores:
    """AUROC of slides, and of the tiles of positive slides by attention and by evidence."""

    slides: float
    attention: float
    evidence: float


def scored(predict: Predict, draw: Draw) -> Scores:
    """Return how well the slides of the test are told, and the tiles that make them positive."""
    found = [(one.label, predict(one.numbers())) for one in draw.data.of("test")]
    labels = np.array([label for label, _said in found])
    told = np.array([said.probabilities[1] for _label, said in found], np.float64)
    positive = [said for label, said in found if label]
    truth = np.concatenate([np.arange(len(said.attention)) < draw.n_telling for said in positive])
    attention = np.concatenate([said.attention for said in positive]).astype(np.float64)
    evidence = np.concatenate([said.evidence[:, 1] for said in positive]).astype(np.float64)
    return Scores(auroc(told, labels == 1), auroc(attention, truth), auroc(evidence, truth))


def settings_of(name: str) -> dict[str, Any]:
    """Return the settings a method learns with; of a baseline none, it chooses its own."""
    if name in bag_baselines.KINDS:
        return {}
    spec = METHODS.get(name)
    assert spec.fit_params is not None
    return spec.fit_params().model_dump(mode="json")


def learned(
    name: str, data: BagData, seed: int, progress: Progress | None = None, **settings: Any
) -> Ready:
    """Learn from bags; ``settings`` differ from the method's own."""
    context = FitContext(progress or SilentProgress(), seed=seed)
    if name in bag_baselines.KINDS:
        fitted = bag_baselines.fit(name, data, context)
        return Ready(fitted, lambda tiles: bag_baselines.predict(fitted, tiles))
    spec = METHODS.get(name)
    assert spec.fit_params is not None
    entry = load_entry(spec.entry)
    fitted = entry(spec.params()).fit(data, spec.fit_params.parse(settings), context)
    return Ready(fitted, entry(spec.params(), fitted).predict)

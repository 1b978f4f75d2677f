"""Methods for whole slides and their baselines, learned and scored; slides that are made up.

200 slides to learn from, 40 of them held back to choose the weights, and 100 to be scored on; each
has 100 tiles of 64 independent normal numbers. In a positive slide 5 tiles are moved by 3
deviations along a direction that nobody tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from teaching import bag_data, n_telling

from pathoview.core.progress import Progress, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.datasets.bags import BagData
from pathoview.datasets.labels import Split
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import BagFound
from pathoview.tasks.cross_validation import Ready

N_SLIDES: Mapping[Split, int] = {"train": 160, "val": 40, "test": 100}
N_TILES, SHARE = 100, 0.05
IS_TELLING = np.arange(N_TILES) < n_telling(N_TILES, SHARE)

Predict = Callable[[npt.NDArray[np.float32]], BagFound]


def slides(seed: int) -> BagData:
    splits = [split for split, n in N_SLIDES.items() for _slide in range(n)]
    data = bag_data(
        len(splits), n_tiles=N_TILES, n_features=64, share=SHARE, n_held_back=0, seed=seed
    )
    bags = [replace(one, split=split) for one, split in zip(data.bags, splits, strict=True)]
    return replace(data, bags=bags)


@dataclass(frozen=True, slots=True)
class Scores:
    """AUROC of slides, and of the tiles of positive slides by attention and by evidence."""

    slides: float
    attention: float
    evidence: float


def scored(predict: Predict, data: BagData) -> Scores:
    """Return how well `slides` of the test are told, and the tiles that make them positive."""
    found = [(one.label, predict(one.features)) for one in data.of("test")]
    labels = np.array([label for label, _said in found])
    told = np.array([said.probabilities[1] for _label, said in found], np.float64)
    positive = [said for label, said in found if label]
    truth = np.tile(IS_TELLING, len(positive))
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

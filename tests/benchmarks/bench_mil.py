"""Aggregators on generated slides: ``pytest tests/benchmarks/bench_mil.py -s --benchmark-disable``.

200 slides to learn from, 40 of them held back to choose the weights, and 100 to be scored on; each
has 100 tiles of 64 independent normal numbers. In a positive slide 5 tiles are moved by 3
deviations along a direction that nobody tells. AUROC counts of slides, and of the tiles of positive
slides by attention and by evidence. All methods see the same slides, with their default parameters.

``PATHOVIEW_BENCH_SEEDS`` (5): draws of slides and of training, from 0 on;
``PATHOVIEW_BENCH_METHODS``: names to run, with commas; empty: all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from bag_learning import learned
from teaching import bag_data, n_telling

from pathoview.datasets.bags import BagData
from pathoview.datasets.labels import Split
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import BagFound, Kind

SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "5"))
CHOSEN = os.environ.get("PATHOVIEW_BENCH_METHODS", "")

N_TILES, SHARE = 100, 0.05
N_SLIDES: Mapping[Split, int] = {"train": 160, "val": 40, "test": 100}
IS_TELLING = np.arange(N_TILES) < n_telling(N_TILES, SHARE)

Predict = Callable[[npt.NDArray[np.float32]], BagFound]


def _names() -> list[str]:
    learn = [one.name for one in METHODS if one.kind is Kind.BAG and not one.sees_pixels]
    every = [*bag_baselines.KINDS, *learn]
    return [name for name in every if not CHOSEN or name in CHOSEN.split(",")]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


def slides(seed: int) -> BagData:
    splits = [split for split, n in N_SLIDES.items() for _slide in range(n)]
    data = bag_data(
        len(splits), n_tiles=N_TILES, n_features=64, share=SHARE, n_held_back=0, seed=seed
    )
    bags = [replace(one, split=split) for one, split in zip(data.bags, splits, strict=True)]
    return replace(data, bags=bags)


def scored(predict: Predict, data: BagData) -> tuple[float, float, float]:
    """Return AUROC of slides, of tiles by attention, and of tiles by evidence."""
    found = [(one.label, predict(one.features)) for one in data.of("test")]
    labels = np.array([label for label, _said in found])
    told = np.array([said.probabilities[1] for _label, said in found], np.float64)
    positive = [said for label, said in found if label]
    truth = np.tile(IS_TELLING, len(positive))
    attention = np.concatenate([said.attention for said in positive]).astype(np.float64)
    evidence = np.concatenate([said.evidence[:, 1] for said in positive]).astype(np.float64)
    return auroc(told, labels == 1), auroc(attention, truth), auroc(evidence, truth)


@pytest.mark.parametrize("name", _names())
def test_aggregators(name: str) -> None:
    rows, seconds = [], 0.0
    for seed in range(SEEDS):
        data, began = slides(seed), time.monotonic()
        predict = learned(name, data, seed).predict
        seconds += time.monotonic() - began
        rows.append(scored(predict, data))
    print()
    for title, values in zip(
        ("slides", "attention", "evidence"), np.array(rows).T.tolist(), strict=True
    ):
        each = ", ".join(f"{value:.3f}" for value in values)
        print(f"{name:14} {title:9} mean {np.mean(values):.3f} ({each})")
    print(f"{name:14} learned in {seconds / SEEDS:.0f} s", flush=True)

"""Attention finds the tiles that make a slide what it is, though only slides are labelled.

The slow tests take the default parameters, and hundreds of slides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bag_learning import Draw, Scores, learned, little_to_see, much_to_see, scored
from teaching import bag_data, n_telling

from pathoview.core.progress import SilentProgress
from pathoview.core.registry import load_entry
from pathoview.datasets.labels import Split
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.registry import METHODS

N_TILES, SHARE = 40, 0.1
DATA = bag_data(140, n_tiles=N_TILES, n_features=16, share=SHARE, n_held_back=0)
N_SLIDES: dict[Split, int] = {"train": 60, "val": 20, "test": 60}
SPLITS = [split for split, n in N_SLIDES.items() for _slide in range(n)]
SLIDES = replace(
    DATA, bags=[replace(one, split=split) for one, split in zip(DATA.bags, SPLITS, strict=True)]
)
OTHERS = SLIDES.of("test")
IS_POSITIVE = np.array([one.label == 1 for one in OTHERS])
CONTEXT = FitContext(SilentProgress())


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


@pytest.mark.parametrize("name", ["attention_mil", "clam"])
def test_slides_and_their_tiles_are_told_better_than_by_the_mean(name: str) -> None:
    spec = METHODS.get(name)
    assert spec.fit_params is not None
    entry = load_entry(spec.entry)
    params = spec.fit_params.parse({"n_steps": 150, "lr": 2e-3, "width": 64})
    fitted = entry(spec.params()).fit(SLIDES, params, CONTEXT)
    found = [entry(spec.params(), fitted).predict(one.features) for one in OTHERS]
    mean = bag_baselines.fit("mean", SLIDES, CONTEXT)
    plain = [bag_baselines.predict(mean, one.features) for one in OTHERS]
    told, baseline = (
        auroc(np.array([one.probabilities[1] for one in some], np.float64), IS_POSITIVE)
        for some in (found, plain)
    )
    assert told > max(0.95, baseline + 0.02)
    seen = [one.attention for one, is_it in zip(found, IS_POSITIVE, strict=True) if is_it]
    is_telling = np.tile(np.arange(N_TILES) < n_telling(N_TILES, SHARE), len(seen))
    assert auroc(np.concatenate(seen).astype(np.float64), is_telling) > 0.93


def mean_scores(name: str, drawn: Callable[[int], Draw], **settings: Any) -> Scores:
    """Return means of three draws."""
    rows = []
    for seed in range(3):
        draw = drawn(seed)
        found = scored(learned(name, draw.data, seed, **settings).predict, draw)
        rows.append([found.slides, found.attention, found.evidence])
    return Scores(*np.mean(rows, axis=0))


@pytest.mark.slow
def test_attention_tells_what_the_mean_does_not() -> None:
    found, mean = (mean_scores(name, little_to_see) for name in ("attention_mil", "mean"))
    assert found.slides >= 0.97
    assert found.attention >= 0.95
    assert mean.slides <= found.slides - 0.05


@pytest.mark.slow
def test_attention_is_no_worse_than_the_mean_where_few_slides_show_much() -> None:
    found, mean = (mean_scores(name, much_to_see) for name in ("attention_mil", "mean"))
    assert found.slides >= mean.slides - 0.01


@pytest.mark.slow
def test_parting_tiles_does_not_make_attention_worse() -> None:
    parted = mean_scores("clam", little_to_see)
    whole = mean_scores("clam", little_to_see, instance_weight=0.0)
    assert parted.attention >= whole.attention - 0.02

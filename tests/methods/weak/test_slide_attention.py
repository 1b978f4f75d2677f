"""Attention finds the tiles that make a slide what it is, though only slides are labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from teaching import bag_data, n_telling

from pathoview.core.progress import SilentProgress
from pathoview.core.registry import load_entry
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.registry import METHODS

N_TILES, SHARE = 40, 0.1
DATA = bag_data(140, n_tiles=N_TILES, n_features=16, share=SHARE, n_held_back=0)
SPLITS = ["train"] * 60 + ["val"] * 20 + ["test"] * 60
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

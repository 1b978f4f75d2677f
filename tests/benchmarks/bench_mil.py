"""Aggregators on generated slides: ``pytest tests/benchmarks/bench_mil.py -s --benchmark-disable``.

Slides are those of `bag_learning.slides`; all methods see the same ones, with their default
parameters.

``PATHOVIEW_BENCH_SEEDS`` (5): draws of slides and of training, from 0 on;
``PATHOVIEW_BENCH_METHODS``: names to run, with commas; empty: all.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict

import numpy as np
import pytest
from bag_learning import learned, scored, slides

from pathoview.methods.engine import bag_baselines
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind

SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "5"))
CHOSEN = os.environ.get("PATHOVIEW_BENCH_METHODS", "")


def _names() -> list[str]:
    learn = [one.name for one in METHODS if one.kind is Kind.BAG and not one.sees_pixels]
    every = [*bag_baselines.KINDS, *learn]
    return [name for name in every if not CHOSEN or name in CHOSEN.split(",")]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


@pytest.mark.parametrize("name", _names())
def test_aggregators(name: str) -> None:
    rows, seconds = [], 0.0
    for seed in range(SEEDS):
        data, began = slides(seed), time.monotonic()
        ready = learned(name, data, seed)
        seconds += time.monotonic() - began
        rows.append(asdict(scored(ready.predict, data)))
    print()
    for title in rows[0]:
        values = [row[title] for row in rows]
        each = ", ".join(f"{value:.3f}" for value in values)
        print(f"{name:14} {title:9} mean {np.mean(values):.3f} ({each})")
    print(f"{name:14} learned in {seconds / SEEDS:.0f} s", flush=True)

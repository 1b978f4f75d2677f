"""Aggregators on generated slides: ``pytest tests/benchmarks/bench_mil.py -s --benchmark-disable``.

All methods see the same slides, of both kinds of `bag_learning`, with their default parameters.

``PATHOVIEW_BENCH_SEEDS`` (5): draws of slides and of training, from 0 on;
``PATHOVIEW_BENCH_METHODS``: names to run, with commas; empty: all. ``-k little`` or ``-k much``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from bag_learning import Draw, learned, little_to_see, much_to_see, scored

from pathoview.methods.engine import bag_baselines
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind

SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "5"))
CHOSEN = os.environ.get("PATHOVIEW_BENCH_METHODS", "")


def _names() -> list[str]:
    learn = [one for one in METHODS if one.kind is Kind.BAG and not one.has_several_labels]
    every = [*bag_baselines.KINDS, *(one.name for one in learn if not one.sees_pixels)]
    return [name for name in every if not CHOSEN or name in CHOSEN.split(",")]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


@pytest.mark.parametrize("drawn", [little_to_see, much_to_see], ids=["little", "much"])
@pytest.mark.parametrize("name", _names())
def test_aggregators(name: str, drawn: Callable[[int], Draw]) -> None:
    rows, seconds = [], 0.0
    for seed in range(SEEDS):
        draw, began = drawn(seed), time.monotonic()
        ready = learned(name, draw.data, seed)
        seconds += time.monotonic() - began
        rows.append(asdict(scored(ready.predict, draw)))
    print()
    for title in rows[0]:
        values = [row[title] for row in rows]
        each = ", ".join(f"{value:.3f}" for value in values)
        print(f"{name:14} {title:9} mean {np.mean(values):.3f} ({each})")
    print(f"{name:14} learned in {seconds / SEEDS:.0f} s", flush=True)

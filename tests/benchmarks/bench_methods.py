"""How fast a method computes and its labels become outlines, one thread, generated H&E.

``pytest tests/benchmarks/bench_methods.py --benchmark-only``; MP are pixels of the method's grid.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_scene

from pathoview.core.geometry import Rect
from pathoview.core.registry import load_entry
from pathoview.evaluation import instances
from pathoview.methods.outlines import outlines
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind
from pathoview.slides.stains import H_E, separate

SIDE = 1024
SCENE = he_scene(SIDE, SIDE, seed=2)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    n_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(n_threads)


@pytest.mark.parametrize(
    "name",
    [spec.name for spec in METHODS if spec.kind is Kind.INSTANCE and not spec.needs_model],
)
def test_predict(benchmark: Any, name: str) -> None:
    spec = METHODS.get(name)
    method = load_entry(spec.entry)(spec.params())
    context = method.prepare(ArraySlide(SCENE.rgb, spec.mpp), spec.mpp)
    benchmark(method.predict, SCENE.rgb, spec.mpp, context)
    benchmark.extra_info["mp_per_s"] = SIDE**2 / 1e6 / benchmark.stats["min"]


def test_outlines(benchmark: Any) -> None:
    table = benchmark(
        outlines,
        SCENE.labels,
        SCENE.rgb,
        mpp=0.5,
        scale_l0=1.0,
        origin_l0=(0, 0),
        core_lv=Rect(0, 0, SIDE, SIDE),
        stains=H_E,
    )
    benchmark.extra_info["objects_per_s"] = len(table) / benchmark.stats["min"]


def test_separate_a_tile(benchmark: Any) -> None:
    benchmark(separate, np.ascontiguousarray(SCENE.rgb[:512, :512]), H_E)


def test_metrics_of_a_thousand_nuclei(benchmark: Any) -> None:
    def all_metrics() -> None:
        table = instances.overlaps(SCENE.labels, np.roll(SCENE.labels, 3, axis=1))
        instances.aji(table), instances.aji_plus(table), instances.dice_object(table)

    benchmark(all_metrics)

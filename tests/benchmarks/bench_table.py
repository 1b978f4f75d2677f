"""The table of a million detections and 100,000 annotations: columns, filter, order, rows.

``pytest tests/benchmarks/bench_table.py -s``; ``PATHOVIEW_BENCH_OBJECTS`` and
``PATHOVIEW_BENCH_ANNOTATIONS`` change the numbers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import shapely

sys.path += [str(Path(__file__).parents[1] / "annotations")]

from outline_tables import random_table

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.object_filter import ObjectFilter, Order, arranged
from pathoview.annotations.objects import Objects, RunObjects
from pathoview.annotations.table_writer import write_table
from pathoview.core.progress import SilentProgress
from pathoview.session.object_table import DEFAULT_COLUMNS, TableView

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

N_OBJECTS = int(os.environ.get("PATHOVIEW_BENCH_OBJECTS", "1000000"))
N_ANNOTATIONS = int(os.environ.get("PATHOVIEW_BENCH_ANNOTATIONS", "100000"))
N_CHUNKS, SIDE_PX, REGION_PX = 20, 40_000, 100
MPP = (0.25, 0.25)
TUMOR = DetectionClass("Tumor", (200, 0, 0))
FILTER_S, SORT_S = 0.3, 1.0

T = TypeVar("T")


def timed(what: str, call: Callable[[], T], limit_s: float | None = None) -> T:
    started = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - started
    goal = "" if limit_s is None else f"  ≤ {limit_s * 1e3:,.0f} ms"
    print(f"{what:<58}{seconds * 1e3:>10.1f} ms{goal}")
    assert limit_s is None or seconds <= limit_s
    return result


@pytest.fixture(scope="module")
def objects() -> Objects:
    """Detections as they come from a file, and square annotations with names of their own."""
    print(f"\n{N_OBJECTS:,} detections, {N_ANNOTATIONS:,} annotations")
    corners = np.random.default_rng(0).uniform(0, SIDE_PX - REGION_PX, (N_ANNOTATIONS, 2))
    boxes = shapely.box(*corners.T, *(corners + REGION_PX).T)
    features = [
        Feature(shape, name=f"Region {number}", classification=TUMOR)
        for number, shape in enumerate(boxes)
    ]
    tables = [random_table(N_OBJECTS // N_CHUNKS, seed=number) for number in range(N_CHUNKS)]
    runs = [RunObjects("Nuclei", "run", tables)]
    return timed("put together", lambda: Objects(features, runs, MPP))


def test_columns(objects: Objects) -> None:
    for name in objects.names:
        timed(f"column {name}", partial(objects.column, name))


@pytest.mark.parametrize(
    "wanted",
    [
        ObjectFilter(kind="detection"),
        ObjectFilter(class_name="Tumor: Positive"),
        ObjectFilter(text="gion 12"),
        ObjectFilter(measurement="Area µm²", low=50),
        ObjectFilter("detection", "Tumor: Positive", "", "Circularity", 0.9, 1.0),
    ],
)
def test_filter(objects: Objects, wanted: ObjectFilter) -> None:
    for name in wanted.needs:
        objects.column(name)
    what = f"filter by {', '.join(wanted.needs)}"
    rows = timed(what, lambda: arranged(objects, wanted, Order()), FILTER_S)
    assert 0 < len(rows) < len(objects)


@pytest.mark.parametrize("name", ["Area µm²", "Class", "Name", "Id"])
def test_sort(objects: Objects, name: str) -> None:
    objects.column(name)
    for is_descending in (False, True):
        order = Order(name, is_descending)
        way = "down" if is_descending else "up"
        timed(f"sort by {name}, {way}", partial(arranged, objects, ObjectFilter(), order), SORT_S)


def test_one_stroke(objects: Objects) -> None:
    names = [name for name in DEFAULT_COLUMNS if name in objects.names]
    for name in names:
        objects.column(name)
    first, *others = objects.parts[0].features
    features = [replace(first, geometry=shapely.box(0, 0, 500, 500)), *others]
    tables = [part.table for part in objects.parts[1:]]
    runs = [RunObjects("Nuclei", "run", tables)]
    after = timed("one annotation edited", lambda: Objects(features, runs, MPP, objects))
    for name in names:
        timed(f"then column {name}", partial(after.column, name))


def test_writing(objects: Objects, tmp_path: Path) -> None:
    names = [name for name in DEFAULT_COLUMNS if name in objects.names]
    columns = {name: objects.column(name) for name in names}
    rows = np.arange(len(objects))
    path = tmp_path / "t.csv"
    timed("written as CSV", lambda: write_table(path, columns, rows, SilentProgress()))


def test_rows_in_the_window(objects: Objects, qapp: object) -> None:
    from PySide6.QtWidgets import QApplication

    from pathoview.ui import theme
    from pathoview.ui.panels.object_grid import ObjectGrid
    from pathoview.ui.panels.object_model import ObjectModel

    assert isinstance(qapp, QApplication)
    theme.apply_theme(qapp)
    names = [name for name in DEFAULT_COLUMNS if name in objects.names]
    columns = tuple(objects.column(name) for name in names)
    rows = np.arange(len(objects))
    view = TableView(objects, tuple(names), columns, rows, (), ())

    class Shown:
        def __init__(self) -> None:
            self.view, self.order = view, Order()

    grid = ObjectGrid(ObjectModel(view, dict), Shown())  # type: ignore[arg-type]
    grid.resize(900, 300)
    grid.show()
    qapp.processEvents()
    for _time in range(2):
        timed("all rows shown anew", grid.refresh, 0.1)
    bar = grid.verticalScrollBar()
    started = time.perf_counter()
    for step in range(200):
        bar.setValue(bar.maximum() * step // 200)
        qapp.processEvents()
    print(f"{'a step of scrolling':<58}{(time.perf_counter() - started) * 5:>10.1f} ms")
    timed("all rows chosen", grid.selectAll, 1.0)
    timed("their places", grid.chosen_places, 0.05)
    grid.close()
    grid.deleteLater()

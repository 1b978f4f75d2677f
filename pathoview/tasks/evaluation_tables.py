"""The tables of an evaluation: scores of each image, the confusion matrix, the worst places."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pathoview.core.files import replacing, storage_error

Cells = Sequence[object]


def write_tables(folder: Path, result: Mapping[str, Any]) -> None:
    """Write ``scores.csv``, ``summary.csv``, ``confusion.csv`` and ``worst.csv`` into a folder.

    Images go by the names that the result has. Raises `StorageError`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    tables: Mapping[str, Iterable[Cells]] = {
        "scores": _scores(result),
        "summary": _summary(result),
        "confusion": _confusion(result["confusion"]),
        "worst": _worst(result["worst"]),
    }
    for name, rows in tables.items():
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        with replacing(folder / f"{name}.csv") as file:
            file.write(text.getvalue().encode())


def _methods(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [result, *([result["against"]] if "against" in result else [])]


def _scores(result: Mapping[str, Any]) -> Iterable[Cells]:
    names = list(dict.fromkeys(key for one in result["per_image"].values() for key in one))
    yield ["method", "image", *names]
    for method in _methods(result):
        for image, scores in method["per_image"].items():
            yield [method["title"], image, *(scores.get(name) for name in names)]


def _summary(result: Mapping[str, Any]) -> Iterable[Cells]:
    yield ["method", "score", "value", "low", "high", "units"]
    for method in _methods(result):
        for group in ("intervals", "pooled"):
            for name, one in method[group].items():
                said = f"pooled_{name}" if group == "pooled" else name
                yield [method["title"], said, *_interval(one)]
    for name, one in result.get("difference", {}).items():
        yield ["difference", name, *_interval(one)]


def _interval(one: Mapping[str, Any]) -> Cells:
    return [one.get(key) for key in ("value", "low", "high", "n")]


def _confusion(said: Mapping[str, Any]) -> Iterable[Cells]:
    yield ["truth", *said["columns"]]
    for name, counts in zip(said["rows"], said["matrix"], strict=True):
        yield [name, *counts]


def _worst(places: Sequence[Mapping[str, Any]]) -> Iterable[Cells]:
    names = ("image", "x", "y", "width", "height", "kind", "amount", "unit")
    yield names
    for one in places:
        yield [one[name] for name in names]

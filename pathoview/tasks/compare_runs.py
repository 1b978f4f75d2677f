"""Two results of a whole slide, compared on the tiles that both have."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pathoview.core.errors import InputError, UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.study.bag_comparison import (
    TileComparison,
    TileValues,
    compare,
    run_values,
    usual_value,
    value_text,
)
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile, find_run, find_runs
from pathoview.tasks.opening import open_scaled

_N_LISTED = 6
"""Results that are named when it is not clear which are meant."""
_COLUMNS = ("x_l0", "y_l0", "width_l0", "height_l0", "first", "second", "first_rank", "second_rank")


class CompareRequest(BaseModel):
    """Which results are compared, by what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: list[str] = []
    """Two result files, or the beginnings of their ids, eight letters or more."""
    slide: str = ""
    """Else the newest results of this slide."""
    mpp: float | None = None
    methods: list[str] = []
    """Of the slide: the newest result of each of two methods; empty: of any two models."""
    values: list[str] = []
    """What of each is compared: ``attention``, or the name of a class for its evidence; empty:
    attention, or the evidence of a class where all tiles counted the same."""
    n_most: int = Field(default=12, ge=0, le=100_000)
    """How many of the tiles that they place most differently are told."""
    table: str = ""
    """A CSV file of all shared tiles, the most different first; empty: none is written."""


class _Result:
    """A run, and what of it is compared."""

    def __init__(self, path: Path, value: str | None) -> None:
        with RunFile.open(path) as file:
            self.record = file.record
            tiles = file.bag_rows().read() if _is_comparable(file.record) else None
        if tiles is None:
            raise UsageError(
                _("“{title}” is no finished result of a whole slide.").format(
                    title=self.record.title
                ),
                _("Apply a model for whole slides first: pathoview apply."),
            )
        self.value = usual_value(self.record, tiles) if value is None else value
        self.tiles: BagTiles = tiles
        self.values: TileValues = run_values(self.record, tiles, self.value)

    def told(self) -> dict[str, Any]:
        record = self.record
        return {
            "id": record.id,
            "title": record.title,
            "method": record.method,
            "model": record.model_title,
            "started": record.started,
            "value": self.value or "attention",
            "words": value_text(self.value),
            "n_tiles": len(self.tiles),
        }


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Compare two results; see `CompareRequest`. Returns correlations, and where they disagree.

    Raises `UsageError` when it is not clear which two are meant, when they are of different slides
    or not of whole slides, and for a class that one does not know; `InputError` for a slide without
    two results; `StorageError`.
    """
    order = CompareRequest.model_validate(request)
    progress.report(0.0, _("Reading the results"))
    values = [_value(one) for one in order.values] or [None, None]
    if len(values) != 2:
        raise UsageError(_("Say of both results what is compared, or of none."))
    first, second = (_Result(*one) for one in zip(_paths(order), values, strict=True))
    if first.record.slide_hash != second.record.slide_hash:
        raise UsageError(_("The two results are of different slides."))
    found = compare(first.values, second.values)
    progress.check()
    rows = _rows(found, first.values)
    if order.table:
        _write(Path(order.table), rows)
    progress.report(1.0, _("Done"))
    return {
        "slide": first.record.pseudonym,
        "first": first.told(),
        "second": second.told(),
        "n_shared": len(found.tiles),
        "pearson": found.pearson,
        "spearman": found.spearman,
        "most_different": [dict(zip(_COLUMNS, row, strict=True)) for row in rows[: order.n_most]],
    }


def _is_comparable(record: RunRecord) -> bool:
    return record.gives == "bag" and record.state == "done"


def _value(said: str) -> str | None:
    return "" if said == "attention" else said


def _paths(order: CompareRequest) -> Sequence[Path]:
    """Return the files of the two results."""
    if bool(order.runs) == bool(order.slide):
        raise UsageError(
            _("It is not said which results are compared."),
            _("Name two results, or a slide that has some, not both."),
        )
    if order.slide:
        return _of_slide(order)
    if len(order.runs) != 2:
        raise UsageError(_("Two results are compared: name two."))
    return [_named(one) for one in order.runs]


def _named(said: str) -> Path:
    path = Path(said)
    found = path if path.is_file() else find_run(said)
    if found is None:
        raise UsageError(
            _("There is no result “{name}”.").format(name=path.name),
            _("Name its file, or its id of eight letters or more; or a slide with --slide."),
        )
    return found


def _of_slide(order: CompareRequest) -> Sequence[Path]:
    """Return the newest result of each of two methods, or of any two models."""
    with open_scaled(Path(order.slide), order.mpp) as slide:
        found = [one for one in find_runs(slide.content_hash) if _is_comparable(one[1])]
    if order.methods:
        if len(order.methods) != 2:
            raise UsageError(_("Two results are compared: name two methods."))
        return [_newest(found, method) for method in order.methods]
    newest: dict[tuple[str, str], Path] = {}
    for path, record in found:
        newest.setdefault((record.method, record.model), path)
    if len(newest) < 2:
        raise InputError(
            _("The slide has no results of two models for whole slides."),
            _("Apply another model first: pathoview apply. {known}").format(known=_known(found)),
        )
    return list(newest.values())[:2]


def _newest(found: Sequence[tuple[Path, RunRecord]], method: str) -> Path:
    for path, record in found:
        if record.method == method:
            return path
    raise InputError(
        _("The slide has no finished result of “{method}”.").format(method=method), _known(found)
    )


def _known(found: Sequence[tuple[Path, RunRecord]]) -> str:
    names = [f"{record.id[:8]} {record.title} ({record.method})" for _path, record in found]
    return _("Known are: {names}.").format(names=", ".join(names[:_N_LISTED])) if names else ""


def _rows(found: TileComparison, first: TileValues) -> list[tuple[float, ...]]:
    """Return all shared tiles, the most different first, with `_COLUMNS`."""
    order = found.most_different(len(found.tiles))
    tiles, cell = found.tiles[order], first.cell_l0
    columns = np.column_stack(
        [
            first.columns[tiles] * cell.width,
            first.rows[tiles] * cell.height,
            np.tile(cell, (len(tiles), 1)),
            found.values[order],
            found.ranks[order],
        ]
    )
    return [tuple(row) for row in columns.tolist()]


def _write(path: Path, rows: Sequence[Sequence[float]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_COLUMNS, *rows])
    with replacing(path) as file:
        file.write(text.getvalue().encode())

"""What two runs say of the same tiles, compared: how alike their order is, and where it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Cell
from pathoview.core.translation import _
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord

ATTENTION = ""
"""Stands for attention where else the name of a class stands for its evidence."""
Numbers = npt.NDArray[np.intp]
_LEAST_TILES = 3
_FLAT = 1e-6
"""Values that differ by no more than this part of their size are all the same."""


@dataclass(frozen=True, slots=True)
class TileValues:
    """One number of each tile of a run."""

    columns: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    cell_l0: Cell
    values: npt.NDArray[np.float32]

    @property
    def is_flat(self) -> bool:
        """Whether all tiles have the same number: then they have no order."""
        return is_flat(self.values)


@dataclass(frozen=True, slots=True)
class TileComparison:
    """The tiles that both have, in the order of the first."""

    tiles: Numbers
    """Which tile of the first run each is."""
    values: npt.NDArray[np.float64]
    """(tile, 2) what each run says."""
    ranks: npt.NDArray[np.float64]
    """(tile, 2) place in the order of each run among the shared tiles, 0–1: 1 has the most."""
    pearson: float | None
    spearman: float | None
    """Correlation of the numbers, and of their order; None: too few, or one run is flat."""

    def most_different(self, n: int) -> Numbers:
        """Return which shared tiles the runs place most differently, the first most of all."""
        apart = np.abs(self.ranks[:, 0] - self.ranks[:, 1])
        return np.argsort(-apart, kind="stable")[:n]


def usual_value(record: RunRecord, tiles: BagTiles, looked_for: str = "") -> str:
    """Return what of a run is compared where nobody says: attention, unless it is flat.

    Then it is the evidence of a class: of ``looked_for`` where the run knows it, else of its last.
    """
    names = [one.name for one in record.classes]
    if not is_flat(tiles.attention) or not names:
        return ATTENTION
    return looked_for if looked_for in names else names[-1]


def run_values(record: RunRecord, tiles: BagTiles, value: str) -> TileValues:
    """Return `ATTENTION`, or the evidence of a class, of the tiles of a run.

    Raises `UsageError` for a class that the run does not tell apart.
    """
    said = tiles.attention
    if value != ATTENTION:
        names = [one.name for one in record.classes]
        if value not in names:
            raise UsageError(
                _("“{title}” does not tell a class “{name}” apart.").format(
                    title=record.title, name=value
                ),
                _("Known are: {names}.").format(names=", ".join(names)),
            )
        said = tiles.evidence[:, names.index(value)]
    return TileValues(tiles.columns, tiles.rows, record.cell_l0, said)


def value_text(value: str) -> str:
    """Return what is compared, in words."""
    return _("evidence of “{name}”").format(name=value) if value else _("attention")


def compare(first: TileValues, second: TileValues) -> TileComparison:
    """Compare two runs on the tiles they share: those of the second that a middle of one lies in.

    So runs with tiles of different sizes can be compared.
    """
    scales = np.array(first.cell_l0) / np.array(second.cell_l0)
    columns, rows = (
        np.floor((places + 0.5) * scale).astype(np.int64)
        for places, scale in zip((first.columns, first.rows), scales, strict=True)
    )
    found = _find(columns, rows, second)
    tiles = np.flatnonzero(found >= 0)
    one, other = first.values[tiles].astype(float), second.values[found[tiles]].astype(float)
    values = np.stack([one, other], axis=1)
    ranks = np.stack([_ranks(one), _ranks(other)], axis=1)
    return TileComparison(tiles, values, ranks, correlation(one, other), correlation(*ranks.T))


def correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float | None:
    """Return Pearson's correlation; None: there are too few numbers, or some are all the same."""
    if len(one) < _LEAST_TILES or is_flat(one) or is_flat(other):
        return None
    return float(np.corrcoef(one, other)[0, 1])


def is_flat(values: npt.NDArray[np.floating]) -> bool:
    """Say whether numbers are all the same."""
    return not len(values) or bool(np.ptp(values) <= _FLAT * np.abs(values).max())


def _find(columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], of: TileValues) -> Numbers:
    """Return which tile lies at each place of its grid; -1: none."""
    if not len(of.columns):
        return np.full(len(columns), -1, np.intp)
    width = max(int(of.columns.max()), int(columns.max(initial=0))) + 1
    known = of.rows.astype(np.int64) * width + of.columns
    order = np.argsort(known)
    wanted = rows * width + columns
    places = np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)
    tiles = order[places]
    return np.where(known[tiles] == wanted, tiles, -1)


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the places of values in their order, 0–1; equal ones share the middle of theirs."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + up_to - 1) / 2 / max(1, len(values) - 1))

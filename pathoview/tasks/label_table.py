"""A table of labels beside a folder: which classes each of its slides, clips or bags has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.datasets.labels import Split
from pathoview.study.labelled_slides import grade_name
from pathoview.study.metadata_csv import Table, read_table

_COLUMNS = {
    "slide": ("slide", "image", "clip", "bag"),
    "label": ("label", "labels"),
    "patient": ("patient", "patient_id"),
    "split": ("split",),
    "site": ("site", "site_id"),
}
"""Names of the columns, without capitals."""
_SEPARATOR = ";"
"""Between the labels of a slide that has several."""
_NO_LABEL = "-"
"""Says that a slide was looked at and has none of the classes."""
_NO, _YES = "0", "1"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What a row says."""

    name: str
    """Of a file or folder, as it is written."""
    labels: tuple[str, ...]
    """Names of classes; empty: it has none of them."""
    patient: str
    site: str
    split: Split


def read_labels(
    path: Path,
    *,
    grade: str = "",
    several: bool = False,
    classes: Sequence[str] | None = None,
    with_unlabelled: bool = False,
) -> list[LabelRow]:
    """Return the rows with a label; names are separated by “;”, and “-” is none of them.

    ``grade``: labels are whole numbers, grades of that name. ``several``: without a column of
    labels, each column of 0 and 1 is a class (of ``classes``, if given). ``with_unlabelled``:
    rows that say nothing of a label count too, as without any.

    Raises `InputError` for a table that cannot be understood.
    """
    table = read_table(path)
    named = {column.casefold(): column for column in table.columns}
    columns = {
        meaning: next((named[name] for name in names if name in named), "")
        for meaning, names in _COLUMNS.items()
    }
    flags = _flags(table, columns, classes) if several and not columns["label"] else ()
    if not columns["slide"] or not (columns["label"] or flags):
        raise InputError(
            _("“{name}” has no column of slides and one of labels.").format(name=path.name),
            _("Call them “slide” and “label”."),
        )
    found = []
    for row in table.rows:
        cells = {meaning: row.get(column, "") for meaning, column in columns.items()}
        labels = _flagged(row, flags) if flags else _named(cells["label"], grade)
        is_known = labels is not None and (labels or several)
        if cells["slide"] and (is_known or with_unlabelled):
            found.append(_row(cells, labels or ()))
    return found


def _row(cells: Mapping[str, str], labels: tuple[str, ...]) -> LabelRow:
    split = cells["split"].casefold() or "train"
    if split not in get_args(Split):
        raise InputError(
            _("“{split}” is no split.").format(split=cells["split"]),
            _("Known are: {names}.").format(names=", ".join(get_args(Split))),
        )
    return LabelRow(cells["slide"], labels, cells["patient"], cells["site"], cast(Split, split))


def _named(cell: str, grade: str) -> tuple[str, ...] | None:
    """Return the labels that a cell names; None: it says nothing."""
    names = [name for name in (part.strip() for part in cell.split(_SEPARATOR)) if name]
    if not names:
        return None
    if names == [_NO_LABEL]:
        return ()
    if grade:
        names = [_graded(grade, name) for name in names]
    return tuple(dict.fromkeys(names))


def _graded(grade: str, label: str) -> str:
    try:
        return grade_name(grade, int(label))
    except ValueError:
        raise InputError(
            _("“{label}” is no grade.").format(label=label), _("A grade is a whole number.")
        ) from None


def _flags(
    table: Table, columns: Mapping[str, str], classes: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the columns of 0 and 1; those that were named must be ones."""
    others = [column for column in table.columns if column not in columns.values()]
    if classes is None:
        return tuple(one for one in others if not _strange(table, one))
    for name in classes:
        strange = _strange(table, name) if name in others else [""]
        if strange:
            raise InputError(
                _("“{name}” is no column of 0 and 1.").format(name=name),
                _("Say 1 for each slide that has it and 0 for each that has not."),
            )
    return tuple(classes)


def _strange(table: Table, column: str) -> list[str]:
    """Return what is neither 0 nor 1 in a column."""
    cells = (row.get(column, "") for row in table.rows)
    return [cell for cell in cells if cell not in (_NO, _YES)]


def _flagged(row: Mapping[str, str], flags: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in flags if row.get(name) == _YES)

"""A table of objects as a file: CSV, TSV, or Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from pathoview.annotations.columns import Column, NumberColumn, Rows
from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.translation import _

_ROWS_AT_ONCE = 20_000
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = ".parquet"


def table_suffixes() -> tuple[str, ...]:
    """Return the endings of the files that can be written here."""
    has_arrow = importlib.util.find_spec("pyarrow") is not None
    return (*_DELIMITERS, PARQUET) if has_arrow else tuple(_DELIMITERS)


def check_table_name(path: Path) -> None:
    """Raise `UsageError` when a table cannot be written in the form that a name asks for."""
    suffix = path.suffix.lower()
    if suffix == PARQUET and suffix not in table_suffixes():
        raise UsageError(
            _("Parquet files need pyarrow, which is not installed."),
            _("Install it with “pip install pathoview[table]”, or write .csv or .tsv."),
        )
    if suffix not in (*_DELIMITERS, PARQUET):
        raise UsageError(
            _("“{name}” is no table that can be written.").format(name=path.name),
            _("Give the file a name that ends in .csv, .tsv or .parquet."),
        )


def write_table(
    path: Path,
    columns: Mapping[str, Column],
    rows: Rows,
    progress: Progress,
    begun: float = 0.0,
) -> int:
    """Write some rows in their order, columns by their headers; return the number of rows.

    Text is UTF-8; CSV begins with a byte order mark, by which spreadsheets know. Numbers have a
    point and no thousands; unknown ones are empty (null in Parquet). An older file of that name
    stays whole on failure. ``begun``: how far one is already when writing begins.

    Raises `UsageError` for another ending than ``.csv``, ``.tsv`` and ``.parquet``, `StorageError`
    when the file cannot be written, `Cancelled` when asked to stop.
    """
    check_table_name(path)
    suffix = path.suffix.lower()
    parts = _parts(rows, progress, begun)
    with replacing(path) as file:
        if suffix == PARQUET:
            _write_parquet(file, columns, parts)
        else:
            _write_text(file, _DELIMITERS[suffix], columns, parts)
    progress.report(1.0)
    return len(rows)


def tsv_text(columns: Mapping[str, Column], rows: Rows) -> str:
    """Return some rows as text for the clipboard, one line each after one of headers."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.texts(rows) for column in columns.values()), strict=True))
    return buffer.getvalue()


def _write_text(
    file: IO[bytes],
    delimiter: str,
    columns: Mapping[str, Column],
    parts: Iterable[Rows],
) -> None:
    encoding = "utf-8-sig" if delimiter == "," else "utf-8"
    text = io.TextIOWrapper(file, encoding, newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(columns)
    for part in parts:
        writer.writerows(zip(*(column.texts(part) for column in columns.values()), strict=True))
    text.detach()


def _write_parquet(file: IO[bytes], columns: Mapping[str, Column], parts: Iterable[Rows]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [
        (name, pa.string() if _is_text(one) else pa.float64()) for name, one in columns.items()
    ]
    schema = pa.schema(kinds)
    with pq.ParquetWriter(file, schema) as writer:
        for part in parts:
            arrays = [pa.array(*_arrow_values(column, part)) for column in columns.values()]
            writer.write_table(pa.table(arrays, schema=schema))


def _is_text(column: Column) -> bool:
    return not isinstance(column, NumberColumn)


def _arrow_values(column: Column, rows: Rows) -> tuple[Any, ...]:
    """Return the values for ``pyarrow.array`` and what it is to know of them."""
    if not isinstance(column, NumberColumn):
        return ([text or None for text in column.texts(rows)], "string")
    values = column.values[rows].astype(np.float64)
    return (values, "double", np.isnan(values))


def _parts(rows: Rows, progress: Progress, begun: float) -> Iterator[Rows]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        progress.check()
        progress.report(begun + (1 - begun) * start / len(rows))
        yield rows[start : start + _ROWS_AT_ONCE]

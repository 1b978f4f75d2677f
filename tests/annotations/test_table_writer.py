from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pathoview.annotations import table_writer
from pathoview.annotations.columns import NumberColumn, TextColumn
from pathoview.annotations.table_writer import check_table_name, tsv_text, write_table
from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.progress import SilentProgress

COLUMNS = {
    "Name": TextColumn.of(["a, “b”\tc", "", "line\nbreak"]),
    "Area µm²": NumberColumn(np.array([1.5, np.nan, 1234567.0])),
}
ROWS = np.array([2, 0, 1])


def written(path: Path) -> list[list[str]]:
    write_table(path, COLUMNS, ROWS, SilentProgress())
    delimiter = "\t" if path.suffix == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "T.CSV"])
def test_text_tables_keep_every_letter_and_leave_unknown_numbers_empty(
    tmp_path: Path, name: str
) -> None:
    assert written(tmp_path / name) == [
        ["Name", "Area µm²"],
        ["line\nbreak", "1234567"],
        ["a, “b”\tc", "1.5"],
        ["", ""],
    ]


def test_spreadsheets_are_told_the_encoding_of_csv(tmp_path: Path) -> None:
    written(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().startswith("\ufeffName".encode())
    written(tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_bytes().startswith(b"Name\t")


def test_the_clipboard_gets_lines_of_cells() -> None:
    assert tsv_text(COLUMNS, np.array([0])) == 'Name\tArea µm²\n"a, “b”\tc"\t1.5\n'


def test_parquet_keeps_numbers_as_numbers_and_unknown_ones_as_null(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = tmp_path / "t.parquet"
    assert write_table(path, COLUMNS, ROWS, SilentProgress()) == 3
    table = parquet.read_table(path)
    assert table.column("Area µm²").to_pylist() == [1234567.0, 1.5, None]
    assert table.column("Name").to_pylist() == ["line\nbreak", "a, “b”\tc", None]


def test_without_pyarrow_parquet_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table_writer.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError) as caught:
        check_table_name(Path("t.parquet"))
    assert "pathoview[table]" in caught.value.full_text
    assert table_writer.table_suffixes() == (".csv", ".tsv")


def test_other_endings_are_refused() -> None:
    with pytest.raises(UsageError, match=r"“t\.xlsx” is no table"):
        check_table_name(Path("t.xlsx"))


def test_a_stopped_table_leaves_the_older_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("older")
    progress = SilentProgress()
    progress.control.cancel()
    with pytest.raises(Cancelled):
        write_table(path, COLUMNS, ROWS, progress)
    assert path.read_text() == "older"
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"]

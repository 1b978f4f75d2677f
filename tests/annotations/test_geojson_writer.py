"""Writing: all of a file or nothing of it, whatever the disk does."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geojson_helpers import write
from outline_tables import random_table
from qupath_checker import features, violations

from pathoview.annotations.detections import Detections
from pathoview.core import files
from pathoview.core.errors import Cancelled, StorageError
from pathoview.core.progress import Control, SilentProgress

OLD = b'{"type":"FeatureCollection","features":[]}'


class _SmallDisk(io.FileIO):
    """A file on a disk with room for 100 kB."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("name", ["out.geojson", "out.geojson.gz"])
def test_a_full_disk_leaves_the_old_file_whole_and_no_half_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_bytes(OLD)
    monkeypatch.setattr(
        Path, "open", lambda self, mode, buffering: io.BufferedWriter(_SmallDisk(self, mode))
    )
    with pytest.raises(StorageError, match="the disk is full") as caught:
        write(path, [random_table(2000)])
    monkeypatch.undo()
    assert caught.value.hint
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


_LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from geojson_helpers import write
from outline_tables import random_table
from pathoview.core.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    write(Path({path!r}), [random_table(2000)])
except StorageError as error:
    sys.exit(f"refused: {{error}}")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_real_limit_of_the_system_is_met_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    path.write_bytes(OLD)
    script = _LIMITED.format(tests=str(Path(__file__).parent), path=str(path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("refused: “out.geojson” could not be written")
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_replacement_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.geojson"
    path.write_bytes(OLD)

    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(errno.EACCES, "open in another program")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError, match="no permission"):
        write(path, [random_table(10)])
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_cancelling_removes_the_half_file(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    path.write_bytes(OLD)
    control = Control()

    def tables() -> Iterator[Detections]:
        yield random_table(3000)
        control.cancel()
        yield random_table(3000, seed=1)

    with pytest.raises(Cancelled):
        write(path, tables(), progress=SilentProgress(control))
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_or_is_the_target_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="folder does not exist"):
        write(tmp_path / "none" / "out.geojson")
    folder = tmp_path / "out.geojson"
    folder.mkdir()
    with pytest.raises(StorageError):
        write(folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_sentences_fit_what_the_system_said(tmp_path: Path) -> None:
    for number, words in (
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "no permission"),
        (errno.EIO, "Input/output error"),
        (errno.EISDIR, "is a folder"),
    ):
        error = files.storage_error(tmp_path / "x", OSError(number, "Input/output error"))
        assert words in str(error)
        assert error.hint


def test_progress_is_reported_with_throughput(tmp_path: Path) -> None:
    reports = []

    class Listening(SilentProgress):
        def report(self, fraction: float, text: str = "", **metrics: float) -> None:
            reports.append((fraction, text, metrics))

    write(tmp_path / "out.geojson", [random_table(5000)], progress=Listening())
    assert len(reports) == 3
    assert reports[-1][1] == "5000 objects written"
    assert reports[-1][2]["mb_per_s"] > 0


def test_tables_of_any_size_are_written_in_order(tmp_path: Path) -> None:
    sizes = (0, 1, 4500, 3, 0, 1999)
    tables = [random_table(n, seed=seed) for seed, n in enumerate(sizes)]
    path = tmp_path / "out.geojson"
    assert write(path, tables).n_objects == sum(sizes)
    assert violations(path) == []
    expected = [str(table.uuid(row)) for table in tables for row in range(len(table))]
    assert [one["id"] for one in features(path)] == expected

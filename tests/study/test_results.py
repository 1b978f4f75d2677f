from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from test_packing import assert_equal, some_detections

from pathoview.annotations.detections import concatenate, empty_detections
from pathoview.annotations.feature import Feature
from pathoview.core.errors import StorageError
from pathoview.study import database, results
from pathoview.study.records import RunRecord, run_key
from pathoview.study.results import (
    RunFile,
    find_runs,
    find_unfinished,
    new_run_path,
    remove_run,
    runs_folder,
)


def _record(**changes: Any) -> RunRecord:
    members = {
        "key": "k" * 32,
        "method": "nuclei_watershed",
        "title": "Nuclei",
        "slide_hash": "abc",
        "pseudonym": "slide-abc",
        "mpp": 0.5,
    }
    return RunRecord(**members | changes)


@pytest.fixture
def run(tmp_path: Path) -> Any:
    with RunFile.create(tmp_path / "a.run", _record()) as run_file:
        yield run_file


def test_tiles_come_back_row_by_row(run: RunFile) -> None:
    places = [(1, 1), (0, 0), (5, 0), (0, 1)]
    tables = {place: some_detections(4, seed=seed) for seed, place in enumerate(places)}
    for (col, row), table in tables.items():
        run.add_tile(col, row, table)
    assert run.finished_tiles() == set(places)
    assert_equal(run.tile(5, 0), tables[5, 0])
    ordered = [tables[place] for place in ((0, 0), (5, 0), (0, 1), (1, 1))]
    assert_equal(concatenate(list(run.tiles())), concatenate(ordered))
    assert_equal(run.all(), concatenate(ordered))


def test_an_empty_tile_is_a_finished_tile(run: RunFile) -> None:
    run.add_tile(3, 4, empty_detections())
    assert run.finished_tiles() == {(3, 4)}
    assert len(run.tile(3, 4)) == len(run.tile(9, 9)) == len(run.all()) == 0


def test_a_tile_done_again_replaces_the_old_one(run: RunFile) -> None:
    run.add_tile(0, 0, some_detections(3))
    run.add_tile(0, 0, some_detections(5))
    assert len(run.all()) == 5


def test_dropped_objects_are_left_out_everywhere(run: RunFile) -> None:
    table = some_detections(6)
    table.ids[2, 15] = 0  # an id that ends in zeros is told from a shorter one
    feature = Feature(shapely.Point(1, 2))
    run.add_tile(0, 0, table)
    run.add_features([feature, Feature(shapely.Point(3, 4))])
    run.drop(table.ids[[2, 4]])
    run.drop(np.frombuffer(feature.id.bytes, np.uint8).reshape(1, 16))
    run.drop(table.ids[[2]])
    assert_equal(run.tile(0, 0), table.take(np.array([0, 1, 3, 5])))
    assert len(run.all()) == 4
    assert [one.geometry.x for one in run.features()] == [3]


def test_features_come_back_whole_and_in_order(run: RunFile) -> None:
    given = [Feature(shapely.box(i, 0, i + 5, 5), name=str(i), is_locked=True) for i in range(1200)]
    assert run.add_features(given[:700]) == 700
    assert run.add_features([*given[700:], Feature(shapely.Polygon())]) == 500
    again = list(run.features())
    assert [one.id for one in again] == [one.id for one in given]
    assert [one.name for one in again] == [one.name for one in given]
    assert all(one.is_locked for one in again)
    assert shapely.equals(again[7].geometry, given[7].geometry)


def test_the_record_can_be_changed(run: RunFile) -> None:
    run.update_record(state="done", n_objects=7)
    assert (run.record.state, run.record.n_objects) == ("done", 7)
    assert run.record.id == run.update_record().id
    with pytest.raises(ValueError, match="state"):
        run.update_record(state="flying")


def test_equal_runs_have_equal_keys_and_others_do_not() -> None:
    said: list[Any] = ["hash", "method", 1, {"a": 1, "b": 2.5}, (1, 2, 3, 4), 0.5]
    key = run_key(*said)
    assert key == run_key("hash", "method", 1, {"b": 2.5, "a": 1}, (1, 2, 3, 4), 0.5)
    for place, other in enumerate(["hush", "nothing", 2, {"a": 1}, None, 0.25]):
        assert run_key(*said[:place], other, *said[place + 1 :]) != key


def test_records_of_newer_versions_are_read() -> None:
    text = _record().model_dump() | {"mood": "good"}
    assert RunRecord.model_validate(text).method == "nuclei_watershed"


def test_a_reader_sees_what_another_connection_writes(run: RunFile) -> None:
    with RunFile.open(run.path) as reader:
        assert reader.finished_tiles() == set()
        run.add_tile(0, 0, some_detections(3))
        assert reader.finished_tiles() == {(0, 0)}
        with pytest.raises(StorageError):
            reader.add_tile(1, 0, some_detections(3))


def test_threads_read_one_file_while_it_is_written(run: RunFile) -> None:
    problems: list[Exception] = []
    stop = threading.Event()

    def read(reader: RunFile) -> None:
        try:
            while not stop.is_set():
                for table in reader.tiles():
                    assert len(table) == 3
        except Exception as error:  # noqa: BLE001  (told to the test's own thread)
            problems.append(error)

    with RunFile.open(run.path) as other:
        threads = [threading.Thread(target=read, args=(one,)) for one in (run, run, other, other)]
        for thread in threads:
            thread.start()
        for col in range(60):
            run.add_tile(col, 0, some_detections(3, seed=col))
        stop.set()
        for thread in threads:
            thread.join()
    assert not problems
    assert len(run.all()) == 180


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_packing import some_detections
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
record = RunRecord(key="k", method="m", title="t", slide_hash="h", pseudonym="p")
run = RunFile.create(Path({path!r}), record)
for col in range(100_000):
    run.add_tile(col, 0, some_detections(50, seed=col))
    print(col, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_writer_loses_no_finished_tile(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    script = _WRITER.format(tests=str(Path(__file__).parent), path=str(path))
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    told = -1
    while told < 40:
        told = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    told = max([told, *map(int, writer.stdout.read().split())])
    writer.stdout.close()
    writer.wait()
    with RunFile.open(path, writable=True) as run:
        assert set(range(told + 1)) <= {col for col, _row in run.finished_tiles()}
        assert_equal(run.tile(told, 0), some_detections(50, seed=told))
        run.add_tile(0, 1, some_detections(3))
        assert run.update_record(state="cancelled").state == "cancelled"


def test_a_run_that_is_being_written_cannot_be_begun_again(run: RunFile) -> None:
    with pytest.raises(StorageError, match="exists already"):
        RunFile.create(run.path, _record())


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.run"
    monkeypatch.setattr(results, "_SCHEMA", (*results._SCHEMA, "NO STATEMENT"))
    with pytest.raises(StorageError):
        RunFile.create(path, _record())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    with RunFile.create(path, _record()) as run_file:
        run_file.add_tile(0, 0, some_detections(2, seed=0))
    assert [one.name for one in tmp_path.iterdir()] == ["a.run"]


def test_files_that_are_not_results_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    with pytest.raises(StorageError, match="There is no file"):
        RunFile.open(path)
    for data in (b"not a database, far from it" * 50, b""):
        path.write_bytes(data)
        with pytest.raises(StorageError, match=r"not a (result )?file of PathoView"):
            RunFile.open(path)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE a (b)")
    other.close()
    with pytest.raises(StorageError, match="not a result file of PathoView"):
        RunFile.open(path)


def test_a_file_of_a_newer_version_is_refused_with_the_way_on(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    RunFile.create(path, _record()).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(StorageError, match="newer") as caught:
        RunFile.open(path)
    assert "Update" in caught.value.hint


def test_damaged_tiles_and_records_are_told_in_a_sentence(run: RunFile) -> None:
    run.add_tile(0, 0, some_detections(3))
    with sqlite3.connect(run.path) as raw:
        raw.execute("UPDATE tile SET data = substr(data, 1, 100)")
        raw.execute("UPDATE record SET json = '{}'")
    raw.close()
    with pytest.raises(StorageError, match="is damaged"):
        run.tile(0, 0)
    with pytest.raises(StorageError, match="is damaged"):
        _ = run.record


def test_what_fails_halfway_leaves_nothing(run: RunFile) -> None:
    def stopped() -> None:
        with database.transaction(run._connection):
            run._connection.execute("INSERT INTO dropped VALUES (x'00')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert run._connection.execute("SELECT count(*) FROM dropped").fetchone() == (0,)
    assert not run._connection.in_transaction


def test_a_full_disk_is_told_in_a_sentence_and_keeps_what_was_there(run: RunFile) -> None:
    run.add_tile(0, 0, some_detections(3))
    pages = run._connection.execute("PRAGMA page_count").fetchone()[0]
    run._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(StorageError, match="the disk is full"):
        run.add_tile(1, 0, some_detections(5000))
    assert run.finished_tiles() == {(0, 0)}
    run._connection.execute("PRAGMA max_page_count = 1000000")
    run.add_tile(1, 0, some_detections(5000))
    assert len(run.all()) == 5003


def test_a_second_writer_waits_and_then_says_so(
    run: RunFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with (
        RunFile.open(run.path, writable=True) as second,
        database.transaction(run._connection),
        pytest.raises(StorageError, match="another program"),
    ):
        second.add_tile(0, 0, some_detections(3))


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder with one result, where this process may not write (root becomes nobody)."""
    if sys.platform == "win32":
        pytest.skip("Windows knows no folders that cannot be written to")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        with RunFile.create(folder / "a.run", _record()) as run_file:
            run_file.add_tile(0, 0, some_detections(3))
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o700)


def test_a_result_in_a_folder_that_cannot_be_written_can_be_read(read_only_folder: Path) -> None:
    with RunFile.open(read_only_folder / "a.run") as run_file:
        assert len(run_file.all()) == 3
    with pytest.raises(StorageError):
        RunFile.open(read_only_folder / "a.run", writable=True).add_tile(1, 1, some_detections(2))
    with pytest.raises(StorageError):
        RunFile.create(read_only_folder / "b.run", _record())


def test_a_result_on_a_network_folder_keeps_no_write_ahead_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_network, journal in ((True, "delete"), (False, "wal")):
        monkeypatch.setattr(database, "is_network_folder", lambda _folder, n=is_network: n)
        path = tmp_path / f"{journal}.run"
        with RunFile.create(path, _record()) as run_file:
            run_file.add_tile(0, 0, some_detections(3))
            mode = run_file._connection.execute("PRAGMA journal_mode").fetchone()[0]
            assert mode == journal
            with RunFile.open(path) as reader:
                assert len(reader.all()) == 3


def test_network_folders_are_told_by_their_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/net nfs4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda _self, encoding: mounts)
    assert database.is_network_folder(tmp_path / "net" / "runs")
    assert not database.is_network_folder(tmp_path / "network")


def _stored(**changes: Any) -> Path:
    record = _record(**changes)
    path = new_run_path(record)
    RunFile.create(path, record).close()
    return path


def test_runs_of_a_slide_are_found_newest_first(caplog: pytest.LogCaptureFixture) -> None:
    old = _stored(started="2026-01-01T10:00:00+00:00")
    new = _stored(started="2026-01-02T10:00:00+00:00")
    _stored(slide_hash="other")
    (runs_folder("abc") / "broken.run").write_bytes(b"x" * 2000)
    assert [path for path, _record in find_runs("abc")] == [new, old]
    assert "broken.run" in caplog.text
    assert find_runs("nothing") == []


def test_the_newest_unfinished_run_with_the_same_key_is_found() -> None:
    key, other = "1" * 32, "1" * 31 + "2"
    _stored(key=key, state="done", started="2026-01-05T10:00:00+00:00")
    _stored(key=key, kind="import", started="2026-01-04T10:00:00+00:00")
    _stored(key=other, started="2026-01-06T10:00:00+00:00")
    assert find_unfinished(key) is None
    _stored(key=key, state="failed", started="2026-01-01T10:00:00+00:00")
    newest = _stored(key=key, state="running", started="2026-01-02T10:00:00+00:00")
    assert find_unfinished(key) == newest


def test_a_removed_run_leaves_nothing_behind() -> None:
    record = _record()
    path = new_run_path(record)
    with RunFile.create(path, record) as run_file:
        run_file.add_tile(0, 0, some_detections(3))
        assert len(list(path.parent.iterdir())) > 1
        remove_run(path)
    assert list(path.parent.iterdir()) == []

"""The ordered writer: order, failures that pass, and the end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pathoview.core.errors import StorageError
from pathoview.study import writer as module
from pathoview.study.writer import OrderedWriter

Told = list[tuple[int, StorageError | None]]


class Book:
    """A file of one table, which can refuse."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refusal: Exception | None = None
        self.told: Told = []
        self.writer = OrderedWriter(path, self._connect, lambda *said: self.told.append(said))

    def _connect(self) -> sqlite3.Connection:
        if self.refusal:
            raise self.refusal
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("CREATE TABLE IF NOT EXISTS line (text)")
        return connection

    def line(self, text: str) -> Callable[[sqlite3.Connection], None]:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO line VALUES (?)", (text,))
            if self.refusal:
                raise self.refusal

        return write

    def lines(self) -> list[str]:
        connection = sqlite3.connect(self.path)
        found = [row[0] for row in connection.execute("SELECT text FROM line")]
        connection.close()
        return found


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)
    book = Book(tmp_path / "book")
    yield book
    book.refusal = None
    book.writer.close()


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def test_everything_is_written_in_order_and_told(book: Book) -> None:
    texts = [str(n) for n in range(200)]
    numbers = [book.writer.submit(book.line(text)) for text in texts]
    assert numbers == list(range(1, 201))
    assert book.writer.flush(5)
    assert book.lines() == texts
    assert book.told[-1] == (200, None)
    assert book.writer.n_waiting == 0


def test_what_a_full_disk_refuses_waits_and_comes_in_its_place(book: Book) -> None:
    book.writer.submit(book.line("a"))
    assert book.writer.flush(5)
    book.refusal = full()
    book.writer.submit(book.line("b"))
    book.writer.submit(book.line("c"))
    assert not book.writer.flush(5)
    assert "disk is full" in str(book.writer.error)
    assert book.lines() == ["a"]
    assert book.writer.n_waiting == 2
    book.refusal = None
    assert book.writer.flush(5)
    assert book.writer.error is None
    assert book.lines() == ["a", "b", "c"]


def test_it_tries_again_by_itself(book: Book) -> None:
    again = threading.Event()
    book.refusal = full()
    book.writer._told = lambda n, error: again.set() if error is None else None
    book.writer.submit(book.line("a"))
    assert not again.wait(0.1)
    book.refusal = None
    assert again.wait(5)
    assert book.lines() == ["a"]


def test_even_a_fault_of_our_own_loses_nothing(book: Book) -> None:
    book.refusal = KeyError("fault")
    book.writer.submit(book.line("a"))
    assert not book.writer.flush(5)
    assert "fault" in str(book.writer.error)
    book.refusal = None
    assert book.writer.flush(5)
    assert book.lines() == ["a"]


def test_closing_writes_what_waits_and_says_so(book: Book) -> None:
    for n in range(100):
        book.writer.submit(book.line(str(n)))
    assert book.writer.close()
    assert len(book.lines()) == 100


def test_closing_gives_up_where_the_disk_refuses(book: Book) -> None:
    book.refusal = full()
    book.writer.submit(book.line("a"))
    assert not book.writer.close(5)
    assert book.writer.n_waiting == 1

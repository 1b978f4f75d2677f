from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from pathoview.core.errors import SlideError
from pathoview.session.tools.backlog import Backlog
from pathoview.session.tools.kit import ToolKit


class Bench:
    """A kit whose other thread is cranked by hand."""

    def __init__(self) -> None:
        self.open: list[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]]] = []
        self.errors: list[BaseException] = []

    def run(
        self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None]
    ) -> None:
        self.open.append((work, done))

    def say_error(self, error: BaseException) -> None:
        self.errors.append(error)

    def finish(self) -> None:
        work, done = self.open.pop(0)
        try:
            result = work()
        except SlideError as error:
            done(None, error)
        else:
            done(result, None)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def backlog(bench: Bench, failures: list[str]) -> Backlog:
    return Backlog(cast("ToolKit", bench), lambda: failures.append("failed"))


def test_what_is_told_is_done_at_once_and_behind_work_in_order(
    bench: Bench, backlog: Backlog
) -> None:
    done: list[object] = []
    backlog.tell(lambda: done.append(1))
    assert done == [1]
    backlog.work(lambda: 2, done.append)
    backlog.tell(lambda: backlog.work(lambda: 3, done.append))
    backlog.tell(lambda: done.append(4))
    assert backlog.is_waiting
    bench.finish()
    assert done == [1, 2]
    bench.finish()
    assert done == [1, 2, 3, 4]
    assert not backlog.is_working
    assert not backlog.is_waiting


def test_what_was_given_up_comes_to_nothing(bench: Bench, backlog: Backlog) -> None:
    done: list[object] = []
    backlog.work(lambda: 1, done.append)
    backlog.tell(lambda: done.append(2))
    backlog.clear()
    backlog.work(lambda: 3, done.append)
    backlog.tell(lambda: done.append(4))
    bench.finish()
    assert done == []
    assert backlog.is_working
    bench.finish()
    assert done == [3, 4]


def test_a_failure_is_told_once_and_the_rest_forgotten(
    bench: Bench, backlog: Backlog, failures: list[str]
) -> None:
    def fail() -> None:
        raise SlideError("It cannot be read.")

    done: list[object] = []
    backlog.work(fail, done.append)
    backlog.tell(lambda: done.append(2))
    bench.finish()
    assert done == []
    assert failures == ["failed"]
    assert [str(error) for error in bench.errors] == ["It cannot be read."]
    assert not backlog.is_working


def test_work_leaves_the_thread_of_the_session(session: Any, loop: Any) -> None:
    found: list[object] = []
    backlog = Backlog(session.toolbox.kit, lambda: None)
    backlog.work(threading.get_ident, found.append)
    loop.run_until(lambda: found)
    assert found != [threading.get_ident()]

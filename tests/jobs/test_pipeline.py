"""Three stages side by side: everything gets through, memory stays bounded, errors stop all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pathoview.core.errors import Cancelled
from pathoview.jobs.pipeline import run_pipeline


def supply(n: int) -> Callable[[], int | None]:
    numbers: Iterator[int] = iter(range(n))
    return lambda: next(numbers, None)


def run(n: int = 50, **changes: Any) -> list[tuple[int, int]]:
    finished: list[tuple[int, int]] = []
    steps: dict[str, Any] = {
        "next_item": supply(n),
        "read": lambda item: item * 10,
        "compute": lambda item, raw: raw + 1,
        "finish": lambda item, value: finished.append((item, value)),
        "n_readers": 2,
        "n_computers": 2,
        "queue_size": 2,
        "check": lambda: None,
    }
    run_pipeline(**(steps | changes))
    return finished


def test_every_item_goes_through_all_stages_once() -> None:
    assert sorted(run(200)) == [(n, n * 10 + 1) for n in range(200)]


def test_no_item_is_no_work() -> None:
    assert run(0) == []


def test_one_finisher_is_the_calling_thread() -> None:
    threads: set[int] = set()
    run(finish=lambda item, value: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_several_finishers_share_the_items() -> None:
    threads: dict[int, int] = {}

    def finish(item: int, value: int) -> None:
        time.sleep(0.002)
        threads[item] = threading.get_ident()

    run(60, finish=finish, n_finishers=3)
    assert len(threads) == 60
    assert len(set(threads.values())) == 3


def test_the_stages_overlap() -> None:
    started = time.monotonic()
    pause = lambda *values: time.sleep(0.02)  # noqa: E731
    run(20, read=pause, compute=pause, finish=pause, n_readers=1, n_computers=1)
    assert time.monotonic() - started < 0.75 * 3 * 20 * 0.02


def test_few_items_are_in_memory_at_once() -> None:
    taken, ended, most = 0, 0, 0
    numbers = supply(300)

    def next_item() -> int | None:
        nonlocal taken, most
        taken += 1
        most = max(most, taken - ended)
        return numbers()

    def finish(item: int, value: int) -> None:
        nonlocal ended
        time.sleep(0.001)
        ended += 1

    run(next_item=next_item, finish=finish)
    assert most <= 2 + 2 + 2 + 2 + 2  # readers, queue, computers, queue, finishing and the end


@pytest.mark.parametrize("stage", ["next_item", "read", "compute", "finish"])
def test_the_first_error_of_any_stage_stops_all_and_is_raised(stage: str) -> None:
    before = threading.active_count()

    def fail(*values: object) -> None:
        raise ValueError(stage)

    with pytest.raises(ValueError, match=stage):
        run(10_000, **{stage: fail})
    assert threading.active_count() == before


def test_a_check_that_raises_stops_everything() -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > 30:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(10_000, check=check)


def test_a_pause_in_check_holds_all_stages() -> None:
    gate = threading.Event()
    ended: list[int] = []
    timer = threading.Timer(0.3, gate.set)
    timer.start()
    run(5, check=gate.wait, finish=lambda item, value: ended.append(gate.is_set()))
    assert ended == [True] * 5

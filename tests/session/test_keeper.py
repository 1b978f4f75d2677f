from __future__ import annotations

import threading

from stage import Loop

from pathoview.core.errors import StorageError
from pathoview.session.keeper import Keeper
from pathoview.session.session import Session


def test_the_newest_state_is_written_last(session: Session, loop: Loop) -> None:
    keeper, written, gate = Keeper(session.scheduler), list[str](), threading.Event()

    def slow() -> None:
        gate.wait(10)
        written.append("a1")

    keeper.keep("a", slow)
    loop.run_for(0.05)  # it is being written now
    for number in range(2, 6):
        keeper.keep("a", lambda number=number: written.append(f"a{number}"))  # type: ignore[misc]
        keeper.keep("b", lambda number=number: written.append(f"b{number}"))  # type: ignore[misc]
    gate.set()
    keeper.flush()
    assert written == ["a1", "a5", "b5"]
    loop.run_for(0.05)
    assert written == ["a1", "a5", "b5"]


def test_a_disk_that_refuses_is_told_and_stops_nothing(session: Session, loop: Loop) -> None:
    keeper, told, written = Keeper(session.scheduler), list[BaseException](), list[str]()
    keeper.failed.connect(told.append)

    def full() -> None:
        raise StorageError("The disk is full.")

    keeper.keep("a", full)
    loop.run_until(lambda: told)
    keeper.keep("a", lambda: written.append("a"))
    loop.run_until(lambda: written)
    keeper.keep("b", full)
    keeper.flush()

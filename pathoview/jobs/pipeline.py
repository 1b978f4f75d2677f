"""Three stages side by side: threads that read, that compute, and that finish.

Bounded queues between them keep memory small whatever the number of items.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Raw = TypeVar("Raw")
Value = TypeVar("Value")


class _Ended(Exception):
    """Nothing more comes out of a queue, or the pipeline was stopped."""


class _BoundedQueue(Generic[Item]):
    """A queue that knows how many writers it still has, and that can be stopped at once."""

    def __init__(self, size: int, n_writers: int) -> None:
        self._size = size
        self._n_writers = n_writers
        self._items: deque[Item] = deque()
        self._is_stopped = False
        self._condition = threading.Condition()

    def put(self, item: Item) -> None:
        with self._condition:
            self._condition.wait_for(lambda: len(self._items) < self._size or self._is_stopped)
            if self._is_stopped:
                raise _Ended
            self._items.append(item)
            self._condition.notify_all()

    def get(self) -> Item:
        with self._condition:
            self._condition.wait_for(
                lambda: self._items or self._n_writers == 0 or self._is_stopped
            )
            if self._is_stopped or not self._items:
                raise _Ended
            item = self._items.popleft()
            self._condition.notify_all()
            return item

    def writer_has_ended(self) -> None:
        with self._condition:
            self._n_writers -= 1
            self._condition.notify_all()

    def stop(self) -> None:
        with self._condition:
            self._is_stopped = True
            self._items.clear()
            self._condition.notify_all()


@dataclass(frozen=True, slots=True)
class _Stages(Generic[Item, Raw, Value]):
    """One step of each stage; `_Ended` says that the stage has nothing left to do."""

    next_item: Callable[[], Item | None]
    read: Callable[[Item], Raw]
    compute: Callable[[Item, Raw], Value]
    finish: Callable[[Item, Value], None]
    check: Callable[[], None]
    to_compute: _BoundedQueue[tuple[Item, Raw]]
    to_finish: _BoundedQueue[tuple[Item, Value]]
    taking: threading.Lock = field(default_factory=threading.Lock)
    failures: list[BaseException] = field(default_factory=list)

    def read_one(self) -> None:
        self.check()
        with self.taking:
            item = self.next_item()
        if item is None:
            raise _Ended
        self.to_compute.put((item, self.read(item)))

    def compute_one(self) -> None:
        item, raw = self.to_compute.get()
        self.check()
        self.to_finish.put((item, self.compute(item, raw)))

    def finish_one(self) -> None:
        item, value = self.to_finish.get()
        self.check()
        self.finish(item, value)

    def repeat(self, step: Callable[[], None], output: _BoundedQueue[Any] | None = None) -> None:
        """Do a stage's steps until its end; whatever goes wrong stops all stages."""
        try:
            while True:
                step()
        except _Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            self.failures.append(error)
            self.to_compute.stop()
            self.to_finish.stop()
        finally:
            if output:
                output.writer_has_ended()


def run_pipeline(
    next_item: Callable[[], Item | None],
    read: Callable[[Item], Raw],
    compute: Callable[[Item, Raw], Value],
    finish: Callable[[Item, Value], None],
    *,
    n_readers: int,
    n_computers: int,
    n_finishers: int = 1,
    queue_size: int,
    check: Callable[[], None],
) -> None:
    """Take every item through ``read``, ``compute`` and ``finish``, in any order.

    ``next_item`` returns None when there is nothing left; one thread at a time calls it, at the
    moment the item is about to be read. The calling thread is one of those that finish. ``check``
    is called before each step and raises to stop. The first exception of any step stops the others
    and is raised here when each thread has ended the step it was at.
    """
    stages = _Stages(
        next_item,
        read,
        compute,
        finish,
        check,
        to_compute=_BoundedQueue[tuple[Item, Raw]](queue_size, n_readers),
        to_finish=_BoundedQueue[tuple[Item, Value]](queue_size, n_computers),
    )
    loops: list[tuple[str, int, tuple[Any, ...]]] = [
        ("reader", n_readers, (stages.read_one, stages.to_compute)),
        ("computer", n_computers, (stages.compute_one, stages.to_finish)),
        ("finisher", n_finishers - 1, (stages.finish_one,)),
    ]
    threads = [
        threading.Thread(target=stages.repeat, args=steps, name=name)
        for name, count, steps in loops
        for _index in range(count)
    ]
    for thread in threads:
        thread.start()
    stages.repeat(stages.finish_one)
    for thread in threads:
        thread.join()
    if stages.failures:
        raise stages.failures[0]

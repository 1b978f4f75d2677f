"""Gestures whose pixels are still being read: what a tool is told meanwhile is done afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from pathoview.session.tools.kit import ToolKit

T = TypeVar("T")


class Backlog:
    """Does what it is told in order; as long as work goes on in another thread, the rest waits."""

    def __init__(self, kit: ToolKit, failed: Callable[[], None]) -> None:
        """``failed``: the work could not be done, of which the person was told."""
        self._kit = kit
        self._failed = failed
        self._waiting: deque[Callable[[], object]] = deque()
        self._generation = 0
        """Results of an earlier one are stale."""
        self.is_working = False

    @property
    def is_waiting(self) -> bool:
        """Whether something that was told waits."""
        return bool(self._waiting)

    def tell(self, deed: Callable[[], object]) -> None:
        """Do something now, or as soon as all before it is done."""
        self._waiting.append(deed)
        self._go_on()

    def work(self, work: Callable[[], T], then: Callable[[T], object]) -> None:
        """Work in another thread; ``then`` follows on this one, and then what waits."""
        generation = self._generation
        self.is_working = True

        def done(result: T | None, error: BaseException | None) -> None:
            if generation != self._generation:
                return
            self.is_working = False
            if error is not None:
                self.clear()
                self._kit.say_error(error)
                self._failed()
                return
            then(result)  # type: ignore[arg-type]  # there was no error: it is a T
            self._go_on()

        self._kit.run(work, done)

    def clear(self) -> None:
        """Forget what waits, and what is being worked on."""
        self._waiting.clear()
        self._generation += 1
        self.is_working = False

    def _go_on(self) -> None:
        while self._waiting and not self.is_working:
            self._waiting.popleft()()

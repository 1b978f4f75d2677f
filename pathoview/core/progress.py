"""How a task tells how far it is, and how it is told to stop, pause or look elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from pathoview.core.errors import Cancelled
from pathoview.core.geometry import Rect


class Progress(Protocol):
    """What a task sees of the person who waits for it. All members are thread-safe."""

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        """Say that ``fraction`` (0–1) is done; metrics such as ``mp_per_s=12.3`` beside it."""

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        """Say that something happened (a tile is on disk, say); ``data`` is JSON-able."""

    def check(self) -> None:
        """Wait while paused; raise `Cancelled` when asked to stop."""

    @property
    def focus_l0(self) -> Rect | None:
        """The rectangle the person looks at now, in level-0 px, or None."""

    @property
    def is_finishing(self) -> bool:
        """Whether the task shall end well as soon as it can, with what it has so far."""


class Control:
    """The switches behind a `Progress`: cancel, pause, finish, and where the person looks."""

    def __init__(self) -> None:
        self._running = threading.Event()
        self._running.set()
        self._cancelled = threading.Event()
        self.focus_l0: Rect | None = None
        self.is_finishing = False

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_paused(self) -> bool:
        return not self._running.is_set()

    def cancel(self) -> None:
        self._cancelled.set()
        self._running.set()

    def finish(self) -> None:
        """Have the task end well with what it has; a pause ends."""
        self.is_finishing = True
        self._running.set()

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def check(self) -> None:
        """Wait while paused; raise `Cancelled` when asked to stop."""
        self._running.wait()
        if self._cancelled.is_set():
            raise Cancelled


class SilentProgress:
    """A `Progress` for tests and scripts: says nothing, obeys its `Control`."""

    def __init__(self, control: Control | None = None) -> None:
        self.control = control or Control()

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        """Ignore the report."""

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        """Ignore the event."""

    def check(self) -> None:
        self.control.check()

    @property
    def focus_l0(self) -> Rect | None:
        return self.control.focus_l0

    @property
    def is_finishing(self) -> bool:
        return self.control.is_finishing


class PartOf:
    """A part of another progress, so that several steps fill one bar."""

    def __init__(
        self, whole: Progress, start: float, end: float, *, tells_events: bool = True
    ) -> None:
        """``start``, ``end``: from where to where on the bar, 0–1."""
        self._whole = whole
        self._start, self._end = start, end
        self._tells_events = tells_events

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        """Report the step's own fraction."""
        self._whole.report(self._start + fraction * (self._end - self._start), text, **metrics)

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        """Pass the event on, or keep it."""
        if self._tells_events:
            self._whole.event(kind, data)

    def check(self) -> None:
        """Wait while paused; raise `Cancelled` when asked to stop."""
        self._whole.check()

    @property
    def focus_l0(self) -> Rect | None:
        return self._whole.focus_l0

    @property
    def is_finishing(self) -> bool:
        return self._whole.is_finishing


class WatchedProgress(SilentProgress):
    """Keeps how far something is; read it from any thread, and cancel by its control."""

    fraction = 0.0

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.fraction = fraction

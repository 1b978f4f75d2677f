"""Progress on stderr: a bar on a terminal, plain lines otherwise; Ctrl+C stops in good order."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pathoview.core.geometry import Rect
from pathoview.core.progress import Control
from pathoview.core.translation import _

_SECONDS_BETWEEN_LINES = 5.0
_TOLD = ("notice", "unlike")
"""Events with a sentence for the person."""
_RATES = {"mp_per_s": "MP/s", "mb_per_s": "MB/s"}
_SHARES = ("replaced",)
_LEAST_ROUNDED = 10


class TerminalProgress:
    """A `core.progress.Progress` that a person reads on stderr."""

    def __init__(self, name: str, bar: Progress | None) -> None:
        self.control = Control()
        self._name = name
        self._bar = bar
        self._task: TaskID | None = bar.add_task(name, total=1.0, note="") if bar else None
        self._last_line = 0.0
        self._lock = threading.Lock()

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        note = " ".join([text, *(_metric(key, value) for key, value in metrics.items())]).strip()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=fraction, note=note)
            return
        with self._lock:
            now = time.monotonic()
            if now - self._last_line < _SECONDS_BETWEEN_LINES and fraction < 1:
                return
            self._last_line = now
        sys.stderr.write(f"{self._name}: {fraction:4.0%} {note}\n")
        sys.stderr.flush()

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        """Print what a person should know; a terminal shows no tiles."""
        if kind in _TOLD:
            self._tell(f"{self._name}: {data['text']}")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.console.print(line, markup=False, highlight=False)
                return
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def check(self) -> None:
        self.control.check()

    @property
    def focus_l0(self) -> Rect | None:
        return None

    @property
    def is_finishing(self) -> bool:
        return self.control.is_finishing


def _metric(key: str, value: float) -> str:
    if key in _RATES:
        return f"{value:.1f} {_RATES[key]}"
    if key in _SHARES:
        return f"{value:.0%} {key}"
    number = f"{value:,.0f}" if abs(value) >= _LEAST_ROUNDED else f"{value:.3g}"
    return f"{number} {key.replace('_', ' ')}"


@contextlib.contextmanager
def terminal_progress(name: str) -> Iterator[TerminalProgress]:
    """Show progress while the block runs; the first Ctrl+C asks it to stop, the second insists."""
    console = Console(stderr=True)
    if not console.is_terminal:
        with _interruptible(TerminalProgress(name, None)) as progress:
            yield progress
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with (
        Progress(*columns, console=console, transient=True) as bar,
        _interruptible(TerminalProgress(name, bar)) as progress,
    ):
        yield progress


@contextlib.contextmanager
def _interruptible(progress: TerminalProgress) -> Iterator[TerminalProgress]:
    def stop(number: int, frame: FrameType | None) -> None:
        if progress.control.is_cancelled:
            raise KeyboardInterrupt
        progress.control.cancel()
        sys.stderr.write(_("Stopping; press Ctrl+C again to stop at once.") + "\n")

    if threading.current_thread() is not threading.main_thread():
        yield progress
        return
    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield progress
    finally:
        signal.signal(signal.SIGINT, previous)

"""The child process: takes orders from a pipe, does one job at a time, tells how it goes.

Its main thread works; a second thread reads orders, so that pause, cancel and a new focus arrive
during the work. When the pipe closes, the window is gone and the process ends at once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from queue import SimpleQueue

from pathoview.core.errors import Cancelled, PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.machine import keep_freed_memory
from pathoview.core.progress import Control
from pathoview.core.registry import load_entry
from pathoview.core.threads import give_way, one_thread_each, spare_what_stays
from pathoview.core.translation import _
from pathoview.jobs.messages import (
    Cancel,
    Channel,
    Done,
    Event,
    Exit,
    Failed,
    Finish,
    Focus,
    Log,
    Message,
    Pause,
    Report,
    Resume,
    Run,
    Stopped,
    WarmUp,
)

_SECONDS_BETWEEN_REPORTS = 0.05
_NICENESS = 5

_logger = logging.getLogger(__name__)


def main(connection: Connection) -> None:
    """Serve until told to exit or until the window's end of the pipe closes."""
    _be_modest()
    channel = Channel(connection)
    _log_to(channel)
    _Worker(channel).serve()


def _be_modest() -> None:
    """Leave the window its share of the computer; Ctrl+C is for the window to decide on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(AttributeError, OSError):  # not on Windows
        os.nice(_NICENESS)
    give_way()
    one_thread_each()
    keep_freed_memory()


def _log_to(channel: Channel) -> None:
    logger = logging.getLogger("pathoview")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_ForwardingHandler(channel))


class _ForwardingHandler(logging.Handler):
    """Sends log lines to the window, so that one process alone writes the file."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # the window is gone, and this process in a moment
            self._channel.send(Log(record.name, record.levelno, self.format(record)))


class _Worker:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._orders: SimpleQueue[Run | WarmUp | Exit] = SimpleQueue()
        self._controls: dict[str, Control] = {}

    def serve(self) -> None:
        """Do orders until `Exit`."""
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        while True:
            match self._orders.get():
                case Run() as order:
                    self._channel.send(self._outcome(order))
                    del self._controls[order.job]
                case WarmUp(entry):
                    _warm_up(entry)
                case Exit():
                    return

    def _listen(self) -> None:
        while True:
            try:
                message = self._channel.receive()
            except (EOFError, OSError):
                os._exit(0)
            self._obey(message)

    def _obey(self, message: Message) -> None:
        match message:
            case Run(job=job, focus_l0=focus):
                control = Control()
                control.focus_l0 = Rect(*focus) if focus else None
                self._controls[job] = control
                self._orders.put(message)
            case WarmUp():
                self._orders.put(message)
            case Exit():
                for control in list(self._controls.values()):
                    control.cancel()
                self._orders.put(message)
            case Pause(job) | Resume(job) | Cancel(job) | Finish(job) | Focus(job=job):
                if job in self._controls:  # else it has ended in the meantime
                    _steer(self._controls[job], message)

    def _outcome(self, order: Run) -> Message:
        """Do the job and return the message that ends it."""
        progress = _PipeProgress(self._channel, order.job, self._controls[order.job])
        try:
            work = load_entry(order.task)
            spare_what_stays()
            result = work(order.payload, progress)
            progress.flush()
            return Done(order.job, result)
        except Cancelled:
            return Stopped(order.job)
        except PathoViewError as error:
            return Failed(order.job, str(error), error.hint, traceback.format_exc())
        except MemoryError:
            sentence = _("There was not enough memory.")
            hint = _("Close other programs or choose a smaller region, then try again.")
            return Failed(order.job, sentence, hint, traceback.format_exc())
        except Exception as error:
            _logger.exception("%s failed", order.task)
            sentence = _("Something went wrong inside the program ({kind}).")
            hint = _("Details tells what; the log has it too.")
            details = traceback.format_exc()
            return Failed(order.job, sentence.format(kind=type(error).__name__), hint, details)


def _steer(control: Control, message: Message) -> None:
    match message:
        case Pause():
            control.pause()
        case Resume():
            control.resume()
        case Cancel():
            control.cancel()
        case Finish():
            control.finish()
        case Focus(focus_l0=focus):
            control.focus_l0 = Rect(*focus) if focus else None


def _warm_up(entry: str) -> None:
    try:
        load_entry(entry)()
    except Exception:  # the job itself will say what is wrong
        _logger.exception("warm-up failed")


class _PipeProgress:
    """A `core.progress.Progress` that tells the window, at most 20 times a second."""

    def __init__(self, channel: Channel, job: str, control: Control) -> None:
        self._channel = channel
        self._job = job
        self._control = control
        self._lock = threading.Lock()
        self._last: Report | None = None
        self._is_sent = True
        self._sent_at = 0.0

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        now = time.monotonic()
        with self._lock:
            is_news = self._last is None or text != self._last.text
            self._last = Report(self._job, fraction, text, metrics)
            self._is_sent = is_news or now - self._sent_at >= _SECONDS_BETWEEN_REPORTS
            if self._is_sent:
                self._sent_at = now
                self._channel.send(self._last)

    def flush(self) -> None:
        """Send the last report if it was held back."""
        with self._lock:
            if self._last is not None and not self._is_sent:
                self._channel.send(self._last)

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        self._channel.send(Event(self._job, kind, data))

    def check(self) -> None:
        self._control.check()

    @property
    def focus_l0(self) -> Rect | None:
        return self._control.focus_l0

    @property
    def is_finishing(self) -> bool:
        return self._control.is_finishing

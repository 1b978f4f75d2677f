"""The window's handle on one worker process."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Callable

from pathoview.jobs import worker
from pathoview.jobs.messages import Channel, Message

_REAP_S = 5.0


class WorkerProcess:
    """A spawned worker and the thread that listens to it.

    ``on_message`` and ``on_end`` are called from that thread; ``on_end`` once, with the exit code
    (negative: the signal; None: unknown).
    """

    def __init__(
        self, on_message: Callable[[Message], None], on_end: Callable[[int | None], None]
    ) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._channel = Channel(ours)
        self._process = context.Process(
            target=worker.main, args=(theirs,), name="pathoview-worker", daemon=True
        )
        self._process.start()
        theirs.close()  # so that the pipe ends when the worker does
        self._on_message = on_message
        self._on_end = on_end
        self._listener = threading.Thread(target=self._listen, name="worker-listener", daemon=True)

    def listen(self) -> None:
        """Start to deliver what the worker says."""
        self._listener.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send an order; a worker that is gone is told about by ``on_end``."""
        with contextlib.suppress(OSError):
            self._channel.send(message)

    def kill(self) -> None:
        self._process.kill()

    def join(self, timeout_s: float) -> bool:
        """Wait until the worker has ended and all it said is delivered; False: too slow."""
        self._listener.join(timeout_s)
        return not self._listener.is_alive()

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._on_message(self._channel.receive())
        self._process.join(_REAP_S)
        if self._process.exitcode is None:  # it has closed the pipe and hangs
            self._process.kill()
            self._process.join(_REAP_S)
        self._on_end(self._process.exitcode)

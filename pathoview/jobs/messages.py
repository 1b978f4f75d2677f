"""What a window and its worker say to each other: small frozen messages, as JSON over a pipe.

Nothing is pickled. Pixels and outlines never travel here; they go through result files.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Run:
    """To the worker: do ``task`` (``"module:function"``) and tell about it as ``job``."""

    job: str
    task: str
    payload: Mapping[str, Any]
    focus_l0: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class WarmUp:
    """To the worker: call ``entry`` before the first job, so that the job need not import."""

    entry: str


@dataclass(frozen=True, slots=True)
class Pause:
    """To the worker."""

    job: str


@dataclass(frozen=True, slots=True)
class Resume:
    """To the worker."""

    job: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the worker."""

    job: str


@dataclass(frozen=True, slots=True)
class Finish:
    """To the worker: end well, with what there is so far."""

    job: str


@dataclass(frozen=True, slots=True)
class Focus:
    """To the worker: the person looks at (x, y, width, height) level-0 px now."""

    job: str
    focus_l0: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Exit:
    """To the worker: stop what runs, then end."""


@dataclass(frozen=True, slots=True)
class Report:
    """From the worker: ``fraction`` (0–1) is done."""

    job: str
    fraction: float
    text: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Event:
    """From the worker: something happened."""

    job: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """From the worker: the job has ended well."""

    job: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """From the worker: a sentence for the person, a hint, and the traceback for *Details*."""

    job: str
    sentence: str
    hint: str
    details: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """From the worker: the job has ended because it was cancelled."""

    job: str


@dataclass(frozen=True, slots=True)
class Log:
    """From the worker: a line for the log, which only the window writes."""

    logger: str
    level: int
    text: str


Message = (
    Run
    | WarmUp
    | Pause
    | Resume
    | Cancel
    | Finish
    | Focus
    | Exit
    | Report
    | Event
    | Done
    | Failed
    | Stopped
    | Log
)

_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        Run,
        WarmUp,
        Pause,
        Resume,
        Cancel,
        Finish,
        Focus,
        Exit,
        Report,
        Event,
        Done,
        Failed,
        Stopped,
        Log,
    )
}


def encode(message: Message) -> bytes:
    """Return ``["Kind", {members}]``; raise `TypeError` when something in it is not JSON-able."""
    return orjson.dumps([type(message).__name__, message], option=orjson.OPT_SERIALIZE_NUMPY)


def decode(data: bytes) -> Message:
    """Return the message that `encode` wrote."""
    name, members = orjson.loads(data)
    return _KINDS[name](**members)


class Channel:
    """One end of the pipe; `send` may be called from several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send; raise `OSError` when the other end is gone."""
        data = encode(message)
        with self._lock:
            self._connection.send_bytes(data)

    def receive(self) -> Message:
        """Wait for the next message; raise `EOFError` or `OSError` when the other end is gone."""
        return decode(self._connection.recv_bytes())

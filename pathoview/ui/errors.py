"""What nobody foresaw: written to the log, shown in a sentence, and the window lives on."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from psygnal import EmitLoopError

from pathoview.core.errors import PathoViewError
from pathoview.core.translation import _
from pathoview.session.notices import Notice

_log = logging.getLogger(__name__)

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class ExceptionHook:
    """Takes the place of Python's own hook while the window is open."""

    def __init__(self, show: Callable[[Notice], None]) -> None:
        self._show = show
        """Called on any thread."""
        self._replaced: Hook = sys.excepthook
        self._replaced_in_threads = threading.excepthook

    def install(self) -> None:
        self._replaced = sys.excepthook
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def remove(self) -> None:
        sys.excepthook = self._replaced
        threading.excepthook = self._replaced_in_threads

    def _on_exception(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._replaced(kind, error, trace)
            return
        _log.error("unexpected error", exc_info=(kind, error, trace))
        self._show(notice_of(error))

    def _on_thread_exception(self, happened: threading.ExceptHookArgs) -> None:
        if happened.exc_value is not None:
            self._on_exception(happened.exc_type, happened.exc_value, happened.exc_traceback)


def notice_of(error: BaseException) -> Notice:
    """Return one sentence for the bar, with the traceback as its details."""
    cause = _cause(error)
    if isinstance(cause, PathoViewError):
        sentence = cause.full_text
    else:
        sentence = _("Something unexpected went wrong; your slide and your results are safe.")
    details = "".join(traceback.format_exception(error))
    return Notice(sentence, "error", details=details)


def _cause(error: BaseException) -> BaseException:
    """Look through the wrapper that signals put around an exception of a listener."""
    while isinstance(error, EmitLoopError) and error.__cause__ is not None:
        error = error.__cause__
    return error

"""Errors a person may meet: one clear sentence, and a way on.

``str(error)`` is the sentence; ``hint`` says what to do next. The command line leaves with
``exit_code``; the window shows the sentence in a bar with *Details*.
"""

from __future__ import annotations


class PathoViewError(Exception):
    """Base of all errors that are shown as a sentence rather than a traceback."""

    exit_code = 4

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint

    @property
    def full_text(self) -> str:
        """The sentence followed by the hint, if there is one."""
        return f"{self} {self.hint}".strip()


class UsageError(PathoViewError):
    """The request itself is wrong: an unknown method, a parameter out of bounds."""

    exit_code = 2


class StainError(UsageError):
    """The colours of a slide cannot be brought to those of another: it is not H&E."""


class InputError(PathoViewError):
    """A file cannot be used: missing, broken, of the wrong kind, without a scale."""

    exit_code = 3


class SlideError(InputError):
    """A slide cannot be opened or read."""


class MissingScaleError(SlideError):
    """A slide states no µm per pixel, or one that cannot be true."""


class GeoJSONError(InputError):
    """A GeoJSON file is broken or holds something that cannot be understood."""


class AnnotationFileError(InputError):
    """An annotation file of another program is unknown, broken, or cannot be placed."""


class StorageError(PathoViewError):
    """A file cannot be written: full disk, no permission."""


class RunError(PathoViewError):
    """A run failed while it computed."""


class WorkerDied(RunError):
    """The worker process ended without a word."""


class Cancelled(Exception):
    """The person asked to stop; raised by :meth:`Progress.check`."""

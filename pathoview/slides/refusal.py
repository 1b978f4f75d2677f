"""How a reader says that a file is not for it."""

from __future__ import annotations


class Refused(Exception):
    """A reader does not take a file; the text is the reason, as half a sentence."""

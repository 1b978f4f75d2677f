"""Times in a clip, in words."""

from __future__ import annotations

from pathoview.core.translation import _

_MINUTE_S = 60


def clock_text(seconds: float) -> str:
    """Return a time in a clip: ``3.20 s``, or ``2:03.20`` from a minute on."""
    if seconds < _MINUTE_S:
        return _("{seconds:.2f} s").format(seconds=seconds)
    minutes, rest = divmod(seconds, _MINUTE_S)
    return f"{int(minutes)}:{rest:05.2f}"

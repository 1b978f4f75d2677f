"""How the scripts of this folder tell how far they are."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pathoview.core.progress import SilentProgress


class Told(SilentProgress):
    """Prints the points of the curves, and ends well when its time is over."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self._end = time.monotonic() + 60 * minutes

    @property
    def is_finishing(self) -> bool:
        return time.monotonic() > self._end

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        if kind == "curve":
            shown = {k: round(v, 4) for k, v in data.items() if isinstance(v, float)}
            print(shown, flush=True)

"""The order in which people count: ``frame 9`` comes before ``frame 10``."""

from __future__ import annotations

import re


def natural(text: str) -> tuple[tuple[int, str, int], ...]:
    """Return a key by which ``slide 9`` comes before ``slide 10``."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return tuple((0, "", int(part)) if part.isdecimal() else (1, part, 0) for part in parts)

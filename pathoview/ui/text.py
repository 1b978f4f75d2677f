"""Numbers, times and sizes as people read them."""

from __future__ import annotations

import math

from pathoview.core.translation import _, ngettext


def count_text(n: int) -> str:
    """Return ``12,345``."""
    return f"{n:,}"


def objects_text(n: int) -> str:
    return ngettext("{n} object", "{n} objects", n).format(n=count_text(n))


def tiles_text(n: int) -> str:
    return ngettext("{n} tile", "{n} tiles", n).format(n=count_text(n))


def value_text(value: float) -> str:
    """Return a measurement with as many digits as it deserves."""
    if math.isnan(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def density_text(per_mm2: float | None) -> str:
    if per_mm2 is None:
        return "–"
    return _("{n} per mm²").format(n=f"{per_mm2:,.0f}")


def area_text(area_mm2: float | None) -> str:
    if area_mm2 is None:
        return "–"
    return _("{n} mm²").format(n=value_text(area_mm2))


def duration_text(seconds: float) -> str:
    """Return ``8 s``, ``2 min 10 s`` or ``1 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return _("{s} s").format(s=whole)
    if whole < 3600:
        return _("{m} min {s:02d} s").format(m=whole // 60, s=whole % 60)
    return _("{h} h {m:02d} min").format(h=whole // 3600, m=whole % 3600 // 60)


def magnification_text(magnification: float) -> str:
    """Return ``20×``, ``1.25×`` or ``0.63×``."""
    digits = 0 if magnification >= 100 else 1 if magnification >= 10 else 2
    return f"{magnification:.{digits}f}×"


def size_text(width: int, height: int) -> str:
    return _("{width} × {height} px").format(width=count_text(width), height=count_text(height))


def bytes_text(n: int) -> str:
    if n >= 2**30:
        return _("{n:.1f} GiB").format(n=n / 2**30)
    return _("{n:,.0f} MiB").format(n=n / 2**20)

"""Names and colours of classes, as QuPath nests and paints them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from pathoview.annotations.detections import DetectionClass
from pathoview.core.translation import _

SEPARATOR = ": "
"""Between the levels of a nested class: ``Tumor: Positive``."""

Color = tuple[int, int, int]

_PALETTE: Mapping[str, Color] = {
    "Tumor": (200, 0, 0),
    "Stroma": (150, 200, 150),
    "Immune cells": (160, 90, 160),
    "Necrosis": (50, 50, 50),
    "Other": (255, 200, 0),
    "Ignore*": (180, 180, 180),
    "Region*": (0, 0, 180),
    "Positive": (250, 62, 62),
    "Negative": (112, 112, 225),
}


def default_color(name: str) -> Color:
    """Return QuPath's colour of a class, or one that depends on nothing but the name."""
    if name in _PALETTE:
        return _PALETTE[name]
    leaf = name.rpartition(SEPARATOR)[2]
    if leaf in _PALETTE:
        return _PALETTE[leaf]
    bits = zlib.crc32(name.encode("utf-8", "replace"))
    return 64 + (bits & 127), 64 + (bits >> 7 & 127), 64 + (bits >> 14 & 127)


def parse_color(value: object) -> Color | None:
    """Return the colour in ``[r, g, b]``, ``[r, g, b, a]`` or a packed, signed ARGB integer."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value >> 16 & 255, value >> 8 & 255, value & 255
    if not isinstance(value, list) or len(value) not in (3, 4):
        return None
    try:
        red, green, blue = (min(max(int(part), 0), 255) for part in value[:3])
    except (TypeError, ValueError, OverflowError):
        return None
    return red, green, blue


def parse_class(value: object) -> DetectionClass | None:
    """Return the class in any form that QuPath ever wrote; None when unclassified.

    Known are a plain name, ``{name | names, color}``, and the older
    ``{name, colorRGB, parentClass}``.
    """
    if isinstance(value, str):
        return DetectionClass(value, default_color(value)) if value else None
    if not isinstance(value, Mapping):
        return None
    name = _class_name(value)
    if not name:
        return None
    color = parse_color(value.get("color")) or parse_color(value.get("colorRGB"))
    return DetectionClass(name, color or default_color(name))


def _class_name(value: Mapping[str, object]) -> str:
    levels: list[str] = []
    here: object = value
    while isinstance(here, Mapping):
        names = here.get("names")
        own = names if isinstance(names, list) else [here.get("name")]
        levels = [str(part) for part in own if part] + levels
        here = here.get("parentClass")
    return SEPARATOR.join(levels)


def class_object(entry: DetectionClass) -> dict[str, object]:
    """Return the class as QuPath wants it: never without a colour, which it cannot read."""
    levels = [level for level in entry.name.split(SEPARATOR) if level]
    named: dict[str, object] = {"names": levels} if len(levels) > 1 else {"name": "".join(levels)}
    return {**named, "color": list(entry.color)}


def is_background(name: str) -> bool:
    """Whether a class of a map stands for nothing that is looked for, going by its name.

    It is computed and counted as the others are, and neither drawn nor outlined unless asked for.
    """
    leaf = name.rpartition(SEPARATOR)[2].casefold()
    return leaf in ("background", _("Background").casefold()) or name.endswith("*")

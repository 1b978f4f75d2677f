"""The µm per pixel that a person gave for slides which state none, remembered by content."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import orjson

from pathoview.core.files import replacing
from pathoview.core.paths import data_folder

log = logging.getLogger(__name__)


def remember_scale(slide_hash: str, mpp: tuple[float, float]) -> None:
    """Keep µm per level-0 px (x, y); raise `StorageError` when that cannot be written."""
    known = _read()
    known[slide_hash] = list(mpp)
    with replacing(_path()) as file:
        file.write(orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def remembered_scale(slide_hash: str) -> tuple[float, float] | None:
    """Return what was remembered, µm per level-0 px (x, y)."""
    match _read().get(slide_hash):
        case [int() | float() as x, int() | float() as y] if _is_size(x) and _is_size(y):
            return float(x), float(y)
    return None


def _is_size(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _path() -> Path:
    return data_folder() / "scales.json"


def _read() -> dict[str, object]:
    try:
        known = orjson.loads(_path().read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        log.warning("the remembered scales cannot be read and are taken as none: %s", error)
        return {}
    if not isinstance(known, dict):
        log.warning("the remembered scales are not a table and are taken as none")
        return {}
    return known

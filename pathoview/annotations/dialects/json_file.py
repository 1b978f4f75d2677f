"""JSON that has to be read as one piece, bounded in size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from pathoview.annotations.dialects.frame import damaged, too_large
from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

LARGEST_BYTES = 1 << 29


def load_json(path: Path) -> Any:
    """Return what a file says; raise `AnnotationFileError` when it is damaged or too large."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise too_large(path)
        return orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise damaged(path, str(error)) from error
    except OSError as error:
        raise AnnotationFileError(
            _("“{name}” cannot be read: {why}.").format(name=path.name, why=error.strerror)
        ) from error


def objects_in(holder: object, key: str) -> list[Mapping[str, Any]]:
    """Return the JSON objects in a list of another; nothing when there is no such list."""
    values = holder.get(key) if isinstance(holder, Mapping) else None
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []


def text_in(holder: object, key: str) -> str:
    """Return a text of a JSON object; empty when there is none."""
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) else ""


def metadata_of(said: object) -> dict[str, str]:
    """Return what else an object says of itself, as text."""
    if not isinstance(said, Mapping):
        return {}
    return {
        str(key): value if isinstance(value, str) else orjson.dumps(value).decode()
        for key, value in said.items()
        if value is not None
    }

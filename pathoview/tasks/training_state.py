"""What is kept of a training while it goes on, so that a killed one is gone on with.

It lies in the user's data folder under a key of all that has a say in the result; the same order
finds it again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from pathoview.core.paths import data_folder

_KEY_LETTERS = 32


def state_path(said: list[Any]) -> Path:
    """Return where the state of a training lies; ``said``: all it depends on, JSON-able."""
    folder = data_folder() / "training"
    folder.mkdir(exist_ok=True)
    key = hashlib.sha256(orjson.dumps(said)).hexdigest()[:_KEY_LETTERS]
    return folder / f"{key}.state"


def part_path(state: Path, part: str, suffix: str = ".state") -> Path:
    """Return where a part of a training keeps its own; `forget_state` removes it as well."""
    return state.with_name(f"{state.stem}-{part}{suffix}")


def forget_state(state: Path) -> None:
    """Remove the state of a training and of its parts."""
    for path in state.parent.glob(state.stem + "*"):
        path.unlink(missing_ok=True)

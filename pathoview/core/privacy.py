"""File names can carry a patient's name: they are taken out of logs and copied error texts."""

from __future__ import annotations

import re
import threading
from pathlib import Path

_QUOTED_PATH = re.compile(r"""(['"“])([^'"“”\n]*[/\\][^'"“”\n]*)(['"”])""")
_SHORTEST_STEM = 4
"""Shorter stems would blank ordinary words; the full name is hidden all the same."""

_hidden: dict[str, str] = {}
_lock = threading.Lock()


def hide(path: Path, pseudonym: str = "a-slide") -> None:
    """Have `scrub` replace a file's path, name and stem by a pseudonym from now on."""
    with _lock:
        for text in (str(path), str(path.absolute()), path.name):
            _hidden[text] = pseudonym
        if len(path.stem) >= _SHORTEST_STEM:
            _hidden[path.stem] = pseudonym


def scrub(text: str) -> str:
    """Return the text without hidden names and without quoted paths (Python sources stay)."""
    with _lock:
        names = dict(_hidden)
    if names:
        # One pass over whole words: a pseudonym that holds a hidden word stays as it is.
        known = sorted({*names, *names.values()}, key=len, reverse=True)
        words = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in known))
        text = words.sub(lambda match: names.get(match.group(), match.group()), text)
    return _QUOTED_PATH.sub(_without_folder, text)


def _without_folder(match: re.Match[str]) -> str:
    opening, path, closing = match.groups()
    if path.endswith(".py"):
        return match.group(0)
    return f"{opening}…{Path(path).suffix}{closing}"

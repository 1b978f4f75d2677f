"""What PathoView knows of an annotation and GeoJSON has no word for: kept in its metadata.

QuPath keeps metadata of any name, as text, and writes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pathoview.annotations.feature import ROLES, Feature

_PREFIX = "PathoView "
_TEXTS = ("author", "created", "changed", "origin")
_SWITCHES = {"is_hidden": "hidden", "is_uncertain": "uncertain", "is_disputed": "disputed"}
_YES = "true"


def said_metadata(feature: Feature) -> dict[str, str]:
    """Return what is said, by the names under which it is written; nothing for defaults."""
    texts = {name: getattr(feature, name) for name in (*_TEXTS, "role")}
    switches = {word: _YES for name, word in _SWITCHES.items() if getattr(feature, name)}
    return {_PREFIX + name: text for name, text in (texts | switches).items() if text}


def said_in(metadata: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return members of a `Feature` that metadata tell, and the metadata that are left."""
    ours = {key.removeprefix(_PREFIX): key for key in metadata if key.startswith(_PREFIX)}
    said: dict[str, Any] = {name: metadata[ours[name]] for name in _TEXTS if name in ours}
    said |= {name: metadata[ours[word]] == _YES for name, word in _SWITCHES.items() if word in ours}
    if "role" in ours and metadata[ours["role"]] in ROLES:
        said["role"] = metadata[ours["role"]]
    known = {*_TEXTS, *_SWITCHES.values(), "role"}
    used = {key for word, key in ours.items() if word in known}
    return said, {key: value for key, value in metadata.items() if key not in used}

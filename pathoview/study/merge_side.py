"""One of two studies that are merged: what it says, and what it ever said."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.study.annotation_rows import to_features
from pathoview.study.model import LabelClass, Record, StudyInfo
from pathoview.study.step_rows import unpack_records

R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Versions:
    """All versions of one annotation in one study; what is disputed of them does not count."""

    row: tuple[Any, ...] | None = None
    """The one that is drawn now, as in `annotation_rows.COLUMNS`; None: it was deleted."""
    said: bytes = b""
    """A hash of what that one says."""
    known: set[bytes] = field(default_factory=set)
    """Hashes of what all versions say."""
    is_disputed: bool = False
    was_disputed: bool = False


class Side:
    """A study as it is being merged, read through a connection that sees it unchanging."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.current: dict[tuple[str, str], bytes] = {
            (kind, key): data
            for kind, key, data in connection.execute(
                "SELECT kind, key, json FROM record ORDER BY kind, key"
            )
        }
        self._ever: dict[tuple[str, str], set[bytes]] = {
            name: {data} for name, data in self.current.items()
        }
        for row in connection.execute("SELECT records FROM step"):
            for change in unpack_records(row[0]):
                sides = {one for one in (change.before, change.after) if one is not None}
                self._ever.setdefault((change.kind, change.key), set()).update(sides)

    @property
    def info(self) -> StudyInfo:
        return next(iter(self.records(StudyInfo)), StudyInfo())

    def records(self, kind: type[R]) -> list[R]:
        """Return the records of a kind as they are now."""
        return [
            kind.from_json(data) for (name, _), data in self.current.items() if name == kind.kind
        ]

    def record(self, kind: type[R], key: str) -> R | None:
        """Return one record as it is now, if there is one."""
        data = self.current.get((kind.kind, key))
        return None if data is None else kind.from_json(data)

    def ever(self, kind: type[R], key: str) -> list[R]:
        """Return all that a record says and ever said; none: it was never here."""
        return [kind.from_json(data) for data in self._ever.get((kind.kind, key), ())]

    def has_known(self, name: tuple[str, str]) -> bool:
        """Say whether there is, or ever was, a record of this kind and key."""
        return name in self._ever

    def class_names_ever(self) -> set[str]:
        """Return the names of all classes that there are, or ever were."""
        keys = [key for kind, key in self._ever if kind == LabelClass.kind]
        return {one.name for key in keys for one in self.ever(LabelClass, key)}

    def slides(self) -> list[str]:
        """Return the hashes of all slides that are, or were, drawn on."""
        rows = self._connection.execute("SELECT DISTINCT slide FROM annotation ORDER BY slide")
        return [row[0] for row in rows]

    def versions(self, slide_hash: str, names: Mapping[str, str]) -> dict[bytes, Versions]:
        """Return all annotations of a slide by their ids, in the order of drawing.

        ``names``: what classes of this study are called in the other, where that differs.
        """
        classes = {one.number: names.get(one.name, one.name) for one in self.records(LabelClass)}
        found: dict[bytes, Versions] = {}
        for *row, is_live in self._connection.execute(
            "SELECT a.id, a.class, a.wkb, a.more, live.version IS NOT NULL FROM annotation AS a"
            " LEFT JOIN live ON live.slide = a.slide AND live.id = a.id"
            " AND live.version = a.version WHERE a.slide = ? ORDER BY a.number, a.version",
            (slide_hash,),
        ):
            one = found.setdefault(row[0], Versions())
            said, is_disputed = _said(row[1:], classes, names)
            one.known.add(said)
            one.was_disputed |= is_disputed
            if is_live:
                one.row, one.said, one.is_disputed = tuple(row), said, is_disputed
        return found


def _said(
    row: Iterable[Any], classes: Mapping[int, str], names: Mapping[str, str]
) -> tuple[bytes, bool]:
    """Return a hash of what a version says, and whether it is disputed."""
    number, shape, more = row
    members: dict[str, Any] = orjson.loads(more) if more else {}
    is_disputed = bool(members.pop("is_disputed", False))
    own = members.pop("class", [""])[0]  # of a class that was not in the study
    name = classes.get(number, names.get(own, own))
    text = orjson.dumps([name, members], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(shape + text, digest_size=16).digest(), is_disputed


def drawn(versions: Iterable[Versions], classes: Mapping[int, DetectionClass]) -> list[Feature]:
    """Return the features of annotations that are there; ``classes`` by number."""
    return to_features([one.row for one in versions if one.row is not None], classes)

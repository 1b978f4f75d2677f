"""A way on for a damaged study: a new one of all that can still be read, and what was lost."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pathoview.core.errors import StorageError
from pathoview.core.translation import _, ngettext
from pathoview.study.annotation_rows import to_readable_features
from pathoview.study.audit import add_audit
from pathoview.study.copying import made_beside, refuse_target
from pathoview.study.damaged_table import DamagedTable, Row
from pathoview.study.database import connect, sentences, transaction
from pathoview.study.model import StudyInfo
from pathoview.study.problems import is_whole_step, readable_record, readable_versions
from pathoview.study.step_rows import put_records, unpack_records
from pathoview.study.study_file import create_study, format_version

_ROWS_AT_ONCE = 2000
_ANNOTATION = "version, slide, number, id, class, wkb, more"
_STEP = "number, slide, name, time, author, is_undone, versions, records, command"
_AUDIT = "number, time, author, slide, text"


@dataclass(frozen=True, slots=True)
class RescueReport:
    """What is in the new study, and what is not."""

    n_records: int
    n_annotations: int
    n_steps: int
    lost: tuple[str, ...]
    """Sentences; none: all was there."""


def rescue(path: Path, target: Path, author: str = "") -> RescueReport:
    """Write what can be read of a damaged study to a new one; the damaged one stays as it is.

    Raises `StorageError` when ``target`` exists, or nothing can be read.
    """
    refuse_target(path, target, replace=False)
    with made_beside(target) as temporary:
        create_study(temporary, StudyInfo(name=target.stem))
        with sentences(path), closing(connect(path, writable=False)) as source:
            format_version(source, path.name)
            source.text_factory = lambda data: data.decode("utf-8", "replace")
            with closing(connect(temporary, writable=True)) as new, transaction(new):
                report = _Rescue(source, new).run(author)
    return report


class _Rescue:
    """One rescue, inside a transaction of the new study."""

    def __init__(self, source: sqlite3.Connection, new: sqlite3.Connection) -> None:
        self._source = source
        self._new = new
        self._lost: list[str] = []

    def run(self, author: str) -> RescueReport:
        self._audit()
        has_all_records = self._records()
        self._annotations()
        self._steps()
        if not has_all_records:
            self._records_of_steps()
        self._live()
        n_records, n_live, n_steps = (
            int(self._new.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("record", "live", "step")
        )
        if n_records <= 1 and n_live == n_steps == 0 and self._lost:
            raise StorageError(
                _("Nothing could be read of this study."), _("Restore one of its backups.")
            )
        add_audit(self._new, author, "", " ".join([_("Rescued from a damaged file."), *self._lost]))
        return RescueReport(n_records, n_live, n_steps, tuple(self._lost))

    def _audit(self) -> None:
        table = DamagedTable(self._source, "audit", _AUDIT)
        self._new.execute("DELETE FROM audit")
        self._new.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?)", table.numbered_rows())
        if table.lost_up_to:
            self._lost.append(_("Lines of the audit trail could not be read."))

    def _records(self) -> bool:
        rows, is_whole = DamagedTable(self._source, "record", "kind, key, json", 2).keyed_rows()
        good = [row for row in rows if readable_record(row[0], row[2]) is not None]
        self._new.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", good)
        if not is_whole:
            self._lost.append(_("Some classes, cases or slides could not be read."))
        for kind, n in Counter(row[0] for row in set(rows) - set(good)).items():
            self._lost.append(
                ngettext(
                    "{n} record of the kind “{kind}” could not be understood.",
                    "{n} records of the kind “{kind}” could not be understood.",
                    n,
                ).format(n=n, kind=kind)
            )
        return is_whole and len(good) == len(rows)

    def _annotations(self) -> None:
        table = DamagedTable(self._source, "annotation", _ANNOTATION)
        n_damaged = 0
        for rows in _parts(table.numbered_rows()):
            features = to_readable_features([row[3:] for row in rows], {})
            good = [row for row, one in zip(rows, features, strict=True) if one is not None]
            n_damaged += len(rows) - len(good)
            self._new.executemany("INSERT INTO annotation VALUES (?, ?, ?, ?, ?, ?, ?)", good)
        if table.lost_up_to:
            self._lost.append(_("Some versions of annotations could not be read."))
        if n_damaged:
            self._lost.append(
                ngettext(
                    "{n} version of an annotation could not be understood.",
                    "{n} versions of annotations could not be understood.",
                    n_damaged,
                ).format(n=n_damaged)
            )

    def _steps(self) -> None:
        """Keep, of every slide, the steps behind the last one that is damaged."""
        table = DamagedTable(self._source, "step", _STEP)
        known = np.array(
            [row[0] for row in self._new.execute("SELECT version FROM annotation")], np.int64
        )
        n_steps = 0
        broken: dict[str, int] = {}
        for row in table.numbered_rows():
            n_steps += 1
            self._new.execute("INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if not is_whole_step(known, row[6], row[7]):
                broken[row[1]] = max(row[0], broken.get(row[1], 0))
        for slide, number in broken.items():
            # Without it those before it fit no more, nor those that were taken back.
            self._new.execute(
                "DELETE FROM step WHERE slide = ? AND (number <= ? OR is_undone)", (slide, number)
            )
        if table.lost_up_to:
            self._new.execute("DELETE FROM step WHERE number < ? OR is_undone", (table.lost_up_to,))
        n_kept = self._new.execute("SELECT count(*) FROM step").fetchone()[0]
        if table.lost_up_to:
            self._lost.append(_("Steps of the history could not be read: undo ends there."))
        elif n_steps > n_kept:
            self._lost.append(
                ngettext(
                    "{n} step of the history can no longer be taken back.",
                    "{n} steps of the history can no longer be taken back.",
                    n_steps - n_kept,
                ).format(n=n_steps - n_kept)
            )

    def _records_of_steps(self) -> None:
        """Add records that are gone, as the history has them."""
        there = set(self._new.execute("SELECT kind, key FROM record"))
        rows = self._new.execute("SELECT records FROM step WHERE NOT is_undone ORDER BY number")
        for changes in [unpack_records(row[0]) for row in rows]:
            put_records(self._new, (one for one in changes if (one.kind, one.key) not in there))

    # -- annotations as they are now -------------------------------------------------------------

    def _live(self) -> None:
        rows, is_whole = DamagedTable(self._source, "live", "slide, id, version", 2).keyed_rows()
        self._new.execute("CREATE TEMP TABLE wanted (slide, id, version, PRIMARY KEY (slide, id))")
        self._new.executemany("INSERT OR REPLACE INTO wanted VALUES (?, ?, ?)", rows)
        self._new.execute(
            "INSERT INTO live SELECT slide, id, version FROM wanted"
            " JOIN annotation USING (slide, id, version)"
        )
        self._take_earlier_versions()
        if not is_whole:
            self._lost.append(
                _("What is drawn now could not be read in whole: deleted annotations may be back.")
            )
            self._live_of_steps()
        self._new.execute("DROP TABLE wanted")

    def _take_earlier_versions(self) -> None:
        """Use the newest version there is of annotations whose own could not be read."""
        (n_wrong,) = self._new.execute(
            "SELECT count(*) FROM wanted LEFT JOIN live USING (slide, id) WHERE live.id IS NULL"
        ).fetchone()
        if not n_wrong:
            return
        n_found = self._new.execute(
            "INSERT INTO live SELECT slide, id, max(annotation.version) FROM annotation"
            " JOIN wanted USING (slide, id) LEFT JOIN live USING (slide, id)"
            " WHERE live.id IS NULL GROUP BY slide, id"
        ).rowcount
        if n_found:
            self._lost.append(
                ngettext(
                    "{n} annotation is as it was earlier.",
                    "{n} annotations are as they were earlier.",
                    n_found,
                ).format(n=n_found)
            )
        if n_wrong > n_found:
            self._lost.append(
                ngettext(
                    "{n} annotation is lost.", "{n} annotations are lost.", n_wrong - n_found
                ).format(n=n_wrong - n_found)
            )

    def _live_of_steps(self) -> None:
        """Add what the history says is drawn, and what it says nothing of."""
        state: dict[int, bool] = {}
        for versions, is_undone in self._new.execute(
            "SELECT versions, is_undone FROM step ORDER BY number"
        ):
            named = readable_versions(versions)
            assert named is not None, "only whole steps were kept"
            before, after = (side.tolist() for side in named)
            state |= dict.fromkeys(before, bool(is_undone))
            state |= dict.fromkeys(after, not is_undone)
        self._add_live(version for version, is_in in state.items() if is_in)
        newest: dict[Row, int] = {}
        named_by_steps = set()
        for version, *key in self._new.execute(
            "SELECT version, slide, id FROM annotation ORDER BY version"
        ):
            newest[tuple(key)] = version
            if version in state:
                named_by_steps.add(tuple(key))
        self._add_live(version for key, version in newest.items() if key not in named_by_steps)

    def _add_live(self, versions: Iterable[int]) -> None:
        self._new.executemany(
            "INSERT OR IGNORE INTO live SELECT slide, id, version FROM annotation"
            " WHERE version = ?",
            ((version,) for version in versions),
        )


def _parts(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    part: list[Row] = []
    for row in rows:
        part.append(row)
        if len(part) == _ROWS_AT_ONCE:
            yield part
            part = []
    if part:
        yield part

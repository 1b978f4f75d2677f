"""Rows of a table that is damaged: all that can still be read, from whichever side."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

_LAST = 1 << 62
"""No row has a higher number."""

Row = tuple[Any, ...]


class DamagedTable:
    """A table in the order of its key, which its first columns are."""

    def __init__(
        self, connection: sqlite3.Connection, name: str, columns: str, n_key: int = 1
    ) -> None:
        self._connection = connection
        self._keys = columns.split(", ")[:n_key]
        self._select = f"SELECT {columns} FROM {name}"
        self.lost_up_to = 0
        """Rows of lower numbers may be lost; 0: all could be read."""

    def numbered_rows(self) -> Iterator[Row]:
        """Yield all rows that can be read; the key is a number.

        Their order is upwards, but downwards towards what is damaged.
        """
        last = 0
        while last < _LAST:
            for row in self._towards_damage("ASC", (last,)):
                last = row[0]
                yield row
            if not self._is_damaged:
                return
            self.lost_up_to = self._readable_after(last)
            yield from self._towards_damage("DESC", (self.lost_up_to,), last)
            last = self.lost_up_to - 1

    def keyed_rows(self) -> tuple[list[Row], bool]:
        """Return the rows that can be read from both ends, and whether these are all."""
        found = dict.fromkeys(self._towards_damage("ASC", None))
        if is_whole := not self._is_damaged:
            return list(found), is_whole
        return list(found | dict.fromkeys(self._towards_damage("DESC", None))), is_whole

    def _towards_damage(
        self, way: str, start: Sequence[Any] | None, stop: int | None = None
    ) -> Iterator[Row]:
        """Yield rows from a key on, itself left out, until one cannot be read."""
        self._is_damaged = False
        try:
            for row in self._query(way, start, stop):
                start = row[: len(self._keys)]
                yield row
            return
        except sqlite3.DatabaseError:
            self._is_damaged = True
        # The row before the one that cannot be read has been swallowed: Python reads ahead.
        try:
            yield from self._query(way, start, stop, limit=1)
        except sqlite3.DatabaseError:
            return

    def _query(
        self, way: str, start: Sequence[Any] | None, stop: int | None, limit: int = -1
    ) -> sqlite3.Cursor:
        keys = ", ".join(self._keys)
        asked, values = [], [*(start or ())]
        if start is not None:
            marks = ", ".join("?" * len(start))
            asked.append(f"({keys}) {'>' if way == 'ASC' else '<'} ({marks})")
        if stop is not None:
            asked.append(f"{keys} > ?")
            values.append(stop)
        where = f" WHERE {' AND '.join(asked)}" if asked else ""
        order = ", ".join(f"{key} {way}" for key in self._keys)
        return self._connection.execute(
            f"{self._select}{where} ORDER BY {order} LIMIT {limit}", values
        )

    def _readable_after(self, last: int) -> int:
        """Return a number from which on reading upwards can begin again."""
        for power in range(62):
            number = last + (1 << power)
            try:
                self._query("ASC", (number - 1,), None, limit=1).fetchone()
            except sqlite3.DatabaseError:
                continue
            return number
        return _LAST + 1

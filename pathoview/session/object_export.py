"""The table of objects as a file, written in the background."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.annotations.object_filter import ObjectFilter
from pathoview.annotations.table_writer import check_table_name, write_table
from pathoview.core.progress import WatchedProgress
from pathoview.session.object_table import COLUMNS_SHARE, ObjectTable, TableWork

if TYPE_CHECKING:
    from pathoview.session.session import Session


def export_table(
    session: Session,
    table: ObjectTable,
    path: Path,
    done: Callable[[int | None, BaseException | None], None],
    *,
    is_filtered: bool = True,
    has_all_columns: bool = False,
) -> WatchedProgress:
    """Write the objects as they are now, in the table's order; ``done(number, error)`` follows.

    Raises `UsageError` when the name asks for a form that cannot be written.
    """
    check_table_name(path)
    wish = table.wish(table.filter if is_filtered else ObjectFilter(), all_columns=has_all_columns)
    progress = WatchedProgress()
    work = TableWork(wish, table.view.objects, progress)
    session.scheduler.submit(partial(_write, work, path, progress), done)
    return progress


def _write(work: TableWork, path: Path, progress: WatchedProgress) -> int:
    view = work()
    columns = dict(zip(view.names, view.columns, strict=True))
    return write_table(path, columns, view.rows, progress, COLUMNS_SHARE)

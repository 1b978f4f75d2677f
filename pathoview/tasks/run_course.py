"""The course of a run: told of when it begins, and kept in its record however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pathoview.core.errors import Cancelled, StorageError
from pathoview.core.progress import Progress
from pathoview.study.records import moment
from pathoview.study.results import RunFile


@contextlib.contextmanager
def under_way(
    run_file: RunFile,
    progress: Progress,
    *,
    n_tiles: int,
    n_done: int,
    reached: Callable[[], Mapping[str, Any]],
) -> Iterator[None]:
    """Have a run begin; write into its record how it ended when it does not end well.

    ``reached`` returns the members of the record that tell how far it has come.
    """
    try:
        run_file.update_record(state="running", finished="")
        said = {"run_file": str(run_file.path), "n_tiles": n_tiles, "n_done": n_done}
        progress.event("started", said)
        yield
    except BaseException as error:
        is_wish = isinstance(error, Cancelled | KeyboardInterrupt)
        with contextlib.suppress(StorageError):  # a full disk: the first error is told
            run_file.update_record(
                state="cancelled" if is_wish else "failed", finished=moment(), **reached()
            )
        raise

"""Batches made in a second thread while the network learns from the one before."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from pathoview.methods.engine.distributed import Batch

_AHEAD = 2


@contextlib.contextmanager
def made_ahead(make: Callable[[int], Batch], steps: range) -> Iterator[Iterator[Batch]]:
    """Give the batches of steps in order; what making one raises comes out where it is used."""
    pool = ThreadPoolExecutor(1, "batches")
    try:
        yield _in_order(pool, make, steps)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, make: Callable[[int], Batch], steps: range
) -> Iterator[Batch]:
    begun: deque[Future[Batch]] = deque(pool.submit(make, step) for step in steps[:_AHEAD])
    for step in range(steps.start + _AHEAD, steps.stop + _AHEAD):
        if not begun:
            return
        batch = begun.popleft().result()
        if step < steps.stop:
            begun.append(pool.submit(make, step))
        yield batch

"""Work is spread over tiles, one thread each; threads inside the libraries would be in the way."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "VIPS_CONCURRENCY",
)

_SWITCH_S = 0.001
_COLLECT_AFTER = 20_000, 20, 20
"""So many new objects, and rounds; a parsed file has millions, and no cycles among them."""

STEPS_BEHIND = 5
"""How far reading and painting give way to the window on a busy processor."""


def one_thread_each() -> None:
    """Have numpy, OpenCV and libvips compute in the calling thread.

    To be called before they are imported. What the person has set stays; child processes inherit.
    """
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")


def keep_responsive() -> None:
    """Have a thread that runs Python make way for others after a millisecond, not after five.

    The window's thread then hardly waits for threads that load and paint. A single call into a
    library that keeps Python's lock is not cut short by this.
    """
    sys.setswitchinterval(_SWITCH_S)


def spare_what_stays() -> None:
    """Have the garbage collector look no more at what there is now: modules, widgets, tables.

    A full collection stops all threads for as long as it looks at things: a tenth of a second with
    everything that is loaded, a millisecond or two with what came since.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def work_in_background(steps: int = STEPS_BEHIND) -> None:
    """Let the calling thread run behind others when there are more threads than processors.

    ``steps`` is what Unix calls niceness. Where threads have no such thing, nothing happens.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), steps)
    give_way()


def give_way() -> None:
    """Have the calling thread, and those it starts, take no processor from others by waking up.

    Threads that wait for each other wake up all the time: whatever their niceness, a frame that is
    being painted would wait for them each time. Elsewhere than on Linux nothing happens.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

"""Tiny tasks that a worker process imports by name."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pathoview.core.errors import SlideError
from pathoview.core.progress import Progress

_STARTED_WARM: list[str] = []


def warm_up() -> None:
    _STARTED_WARM.append("warm")


def warm_up_more() -> None:
    _STARTED_WARM.append("more")


def add(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    progress.report(0.5, "half way", speed=2.0)
    progress.event("tile", {"col": 1})
    return {"sum": request["a"] + request["b"], "pid": os.getpid(), "warm": list(_STARTED_WARM)}


def report_often(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    for step in range(request["n"]):
        progress.report((step + 1) / request["n"], "counting", step=step)
    return {}


def circumstances(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    import cv2

    return {
        "niceness": os.nice(0),
        "preempts": sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_BATCH,
        "cv2_threads": cv2.getNumThreads(),
        "blas_threads": os.environ["OPENBLAS_NUM_THREADS"],
        "has_qt": any(name.startswith("PySide6") for name in sys.modules),
    }


def refuse(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    raise SlideError("The slide is torn.", "Glue it.")


def stumble(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    raise ZeroDivisionError("in the middle")


def speak(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    logging.getLogger("pathoview.somewhere").warning("heard %s", "afar")
    return {}


def work_until_told(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Work until cancelled; tell of every focus; end well when ``until_focus`` is reached."""
    seen = None
    while True:
        progress.check()
        progress.report(0.1, "working")
        focus = progress.focus_l0
        if focus != seen:
            seen = focus
            progress.event("focus", {"x": focus.x if focus else None})
            if focus and focus.x == request.get("until_focus"):
                return {"focus": focus.x}
        time.sleep(0.01)


def never_listen(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Work on and on, without a word after the first."""
    progress.event("deaf", {})
    if "pid_file" in request:
        Path(request["pid_file"]).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


def work_until_finishing(payload: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    while not progress.is_finishing:
        progress.check()
        time.sleep(0.01)
    return {"ended": "well"}

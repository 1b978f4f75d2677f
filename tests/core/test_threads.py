"""Libraries compute in the thread that calls them."""

from __future__ import annotations

import gc
import os
import sys
import threading

import pytest

from pathoview.core import threads


def test_what_the_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "3"})
    threads.one_thread_each()
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_threads_make_way_for_each_other_within_a_millisecond() -> None:
    before = sys.getswitchinterval()
    try:
        threads.keep_responsive()
        assert sys.getswitchinterval() <= 0.001
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows the niceness of a thread")
def test_a_thread_gives_way_and_the_others_do_not() -> None:
    found: list[int] = []

    def work() -> None:
        threads.work_in_background(3)
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        found.append(os.sched_getscheduler(0))

    policy = os.sched_getscheduler(0)
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [3, os.SCHED_BATCH]
    assert os.sched_getscheduler(0) == policy
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_what_stays_is_not_looked_at_again() -> None:
    gc.unfreeze()
    thresholds = gc.get_threshold()
    try:
        threads.spare_what_stays()
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects(generation=2)) < 1_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)

"""Libraries compute in the thread that calls them."""

from __future__ import annotations

import os
import sys

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

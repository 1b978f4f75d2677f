from __future__ import annotations

import threading

import pytest

from pathoview.core.errors import Cancelled
from pathoview.core.progress import Control, SilentProgress


def test_a_cancelled_task_learns_it_at_its_next_check() -> None:
    progress = SilentProgress()
    progress.check()
    progress.control.cancel()
    with pytest.raises(Cancelled):
        progress.check()


def test_a_paused_task_waits_until_it_may_go_on() -> None:
    control = Control()
    control.pause()
    passed = threading.Event()
    waiting = threading.Thread(target=lambda: (control.check(), passed.set()))
    waiting.start()
    assert not passed.wait(0.05)
    control.resume()
    assert passed.wait(5)
    waiting.join()


def test_a_paused_task_can_be_cancelled() -> None:
    control = Control()
    control.pause()
    control.cancel()
    with pytest.raises(Cancelled):
        control.check()

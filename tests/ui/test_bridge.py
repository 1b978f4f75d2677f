from __future__ import annotations

import threading

from pytestqt.qtbot import QtBot

from pathoview.ui.bridge import Bridge


def test_what_is_posted_runs_on_the_windows_thread_in_order(qtbot: QtBot, bridge: Bridge) -> None:
    ran: list[tuple[int, threading.Thread]] = []

    def post_all() -> None:
        for number in range(100):
            bridge.post(lambda number=number: ran.append((number, threading.current_thread())))

    thread = threading.Thread(target=post_all)
    thread.start()
    thread.join()
    assert ran == []
    qtbot.waitUntil(lambda: len(ran) == 100)
    assert ran == [(number, threading.main_thread()) for number in range(100)]


def test_what_comes_after_the_end_is_dropped(qtbot: QtBot, bridge: Bridge) -> None:
    ran: list[int] = []
    bridge.post(lambda: ran.append(1))
    bridge.close()
    bridge.post(lambda: ran.append(2))
    qtbot.wait(30)
    assert ran == []

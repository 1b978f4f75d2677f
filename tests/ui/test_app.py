from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from psygnal import Signal
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pathoview.core.errors import SlideError
from pathoview.session.notices import Notice
from pathoview.session.settings import load_settings, settings_file
from pathoview.ui import app
from pathoview.ui.errors import ExceptionHook, notice_of
from pathoview.ui.main_window import MainWindow


def the_window() -> MainWindow:
    (window,) = [
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, MainWindow) and widget.isVisible()
    ]
    return window


def when(is_so: Callable[[], bool], act: Callable[[], object]) -> None:
    """Do something in the running event loop, as soon as something is so."""

    def look() -> None:
        if is_so():
            act()
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)


def test_the_window_opens_on_a_slide_and_ends_when_closed(
    qapp: QApplication, slide_path: Path
) -> None:
    titles: list[str] = []

    def look_and_close() -> None:
        titles.append(the_window().windowTitle())
        the_window().close()

    when(lambda: the_window().windowTitle() != "PathoView", look_and_close)
    assert app.run([str(slide_path)]) == 0
    assert titles == [f"{slide_path.name} · PathoView"]
    assert load_settings().recent_files == [str(slide_path)]


def test_broken_settings_do_not_stop_the_start(qapp: QApplication) -> None:
    settings_file().write_text("{ nothing that could be read")
    when(lambda: the_window().isVisible(), lambda: the_window().close())
    assert app.run([]) == 0


def test_an_exception_in_a_handler_is_a_sentence_and_the_window_lives(
    qapp: QApplication, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[Notice] = []

    def fail() -> None:
        raise ZeroDivisionError("a handler went wrong")

    def look_and_close() -> None:
        (bar,) = the_window().notices.bars
        shown.append(bar.notice)
        the_window().close()

    logging.getLogger("pathoview").addHandler(caplog.handler)
    QTimer.singleShot(0, fail)
    when(lambda: bool(the_window().notices.bars), look_and_close)
    assert app.run([]) == 0
    assert "unexpected" in shown[0].text
    assert "ZeroDivisionError" in shown[0].details
    assert "ZeroDivisionError" in caplog.text
    logging.getLogger("pathoview").removeHandler(caplog.handler)


def test_a_foreseen_error_is_told_in_its_own_words_even_through_a_signal() -> None:
    class Sender:
        sent = Signal()

    def fail() -> None:
        raise SlideError("The file is broken.", "Copy it again.")

    sender = Sender()
    sender.sent.connect(fail)
    with pytest.raises(Exception, match=r".") as caught:
        sender.sent.emit()
    assert notice_of(caught.value).text == "The file is broken. Copy it again."


def test_the_hook_gives_way_again() -> None:
    before = sys.excepthook
    hook = ExceptionHook(lambda _notice: None)
    hook.install()
    assert sys.excepthook != before
    hook.remove()
    assert sys.excepthook == before


def test_the_window_is_imported_without_slow_libraries(qtbot: QtBot) -> None:
    code = (
        "import sys, pathoview.ui.app;"
        "slow = ('torch', 'pyqtgraph', 'skimage', 'scipy');"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

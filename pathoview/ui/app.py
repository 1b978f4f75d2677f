"""Starts the window: as little as possible before it is seen, the rest after."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication

from pathoview.jobs.runner import JobRunner
from pathoview.session.session import Session
from pathoview.session.settings import load_settings
from pathoview.ui import icons, theme
from pathoview.ui.bridge import Bridge
from pathoview.ui.errors import ExceptionHook
from pathoview.ui.main_window import MainWindow

_WARM_UP_MS = 300
"""After the window is shown: the worker's start must not slow it down."""


def run(paths: Sequence[str]) -> int:
    """Open the window on a slide and return the exit code once it is closed."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("pathoview")
    application.setApplicationDisplayName("PathoView")
    application.setDesktopFileName("pathoview")
    application.setWindowIcon(icons.app_icon())
    theme.apply_theme(application)
    bridge = Bridge()
    runner = JobRunner(bridge.post)
    session = Session(bridge.post, load_settings(), runner)
    hook = ExceptionHook(lambda notice: bridge.post(lambda: session.notice.emit(notice)))
    hook.install()
    try:
        return _show(application, session, runner, paths)
    finally:
        hook.remove()
        bridge.close()


def _show(
    application: QApplication, session: Session, runner: JobRunner, paths: Sequence[str]
) -> int:
    window = MainWindow(session)
    window.show()
    open_first(session, paths)
    QTimer.singleShot(_WARM_UP_MS, runner.warm_up)
    code = application.exec()
    window.deleteLater()
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return code


def open_first(session: Session, paths: Sequence[str]) -> None:
    """Open the first of the paths; the others wait among the recent files."""
    for path in reversed(paths[1:]):
        session.settings.add_recent(Path(path))
    if paths:
        session.open(paths[0])

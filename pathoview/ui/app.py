"""Starts the window: as little as possible before it is seen, the rest after."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication

from pathoview.core.machine import keep_freed_memory
from pathoview.core.threads import keep_responsive, spare_what_stays
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
    keep_responsive()
    keep_freed_memory()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("pathoview")
    application.setApplicationDisplayName("PathoView")
    application.setDesktopFileName("pathoview")
    application.setWindowIcon(icons.app_icon())
    settings = load_settings()
    theme.apply_theme(application, settings.theme)
    bridge = Bridge()
    runner = JobRunner(bridge.post)
    session = Session(bridge.post, settings, runner)
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
    spare_what_stays()
    window.show()
    open_first(session, paths)
    QTimer.singleShot(_WARM_UP_MS, lambda: warm_up(session, runner))
    code = application.exec()
    window.deleteLater()
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return code


def warm_up(session: Session, runner: JobRunner) -> None:
    """Get ready what the first analysis needs: the worker, and the plots of its results."""
    runner.warm_up()
    # Imported where it is first used it would stop the window for half a second.
    session.scheduler.submit(_import_plots, _on_imported)


def _import_plots() -> None:
    importlib.import_module("pyqtgraph")
    gc.freeze()  # many objects, and all of them stay


def _on_imported(_module: object, error: BaseException | None) -> None:
    if error is not None:
        raise error


def open_first(session: Session, paths: Sequence[str]) -> None:
    """Open the first of the paths; the others wait among the recent files."""
    for path in reversed(paths[1:]):
        session.settings.add_recent(Path(path))
    if paths:
        session.open(paths[0])

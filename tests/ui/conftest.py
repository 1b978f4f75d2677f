"""A window's event loop without a screen, an open session, and a check that nothing is left."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hands import main_window, settle
from makers import he_image, make_svs
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui import gestures, theme
from pathoview.ui.bridge import Bridge
from pathoview.ui.canvas import Canvas
from pathoview.ui.main_window import MainWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_PATIENCE_S = 3.0


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a window or a thread behind."""
    theme.apply_theme(qapp)
    widgets = {id(widget) for widget in qapp.topLevelWidgets()}
    threads = set(threading.enumerate())
    yield
    gc.collect()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [widget for widget in qapp.topLevelWidgets() if id(widget) not in widgets]
    assert not [widget for widget in left if widget.parent() is None], "a window is left"
    deadline = time.monotonic() + _PATIENCE_S
    while (alive := set(threading.enumerate()) - threads) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive, "a thread is left"


@pytest.fixture
def bridge(qapp: QApplication) -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


@pytest.fixture
def session(bridge: Bridge) -> Iterator[Session]:
    session = Session(bridge.post, Settings(cache_bytes=128 * 2**20))
    yield session
    session.close()


@pytest.fixture(scope="session")
def slide_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide of 2,048 × 1,536 px at 0.5 µm; tissue everywhere, brighter than blanks."""
    folder = tmp_path_factory.mktemp("slides")
    return make_svs(folder / "tissue.svs", np.tile(he_image(512, 384), (4, 4, 1)))


@pytest.fixture
def canvas(qtbot: QtBot, session: Session) -> Canvas:
    """An empty canvas of 800 × 600 px."""
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    canvas.resize(800, 600)
    canvas.show()
    qtbot.waitExposed(canvas)
    return canvas


@pytest.fixture
def open_canvas(qtbot: QtBot, canvas: Canvas, session: Session, slide_path: Path) -> Canvas:
    """A canvas that shows the slide, fitted, all tiles read."""
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    settle(qtbot, canvas, session)
    return canvas


@pytest.fixture
def steady_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """No drag throws the picture: for the gestures, time stands still."""
    monkeypatch.setattr(gestures, "time", SimpleNamespace(perf_counter=lambda: 0.0))


@pytest.fixture
def window(qtbot: QtBot, session: Session) -> Iterator[MainWindow]:
    """The whole window, with no slide."""
    with main_window(qtbot, session) as window:
        yield window


@pytest.fixture
def open_window(qtbot: QtBot, window: MainWindow, session: Session, slide_path: Path) -> MainWindow:
    """The whole window with the slide."""
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    return window

"""The OpenGL canvas on a screen of its own, since the test's own has no OpenGL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.ui import gl_surface
from pathoview.ui.canvas import Canvas

SCRIPT = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.canvas import Canvas

slide, output, opengl = sys.argv[1:]
application = QApplication([])
bridge = Bridge()
session = Session(bridge.post, Settings(opengl=opengl == "opengl"))
canvas = Canvas(session)
canvas.resize(640, 480)
canvas.move(0, 0)
canvas.show()
session.open(Path(slide))

def look():
    if session.slide is None:
        return
    watch.stop()
    session.viewport.look_at(900, 700, 0.8)
    QTimer.singleShot(2500, take)

def take():
    print(type(canvas._surface).__name__)
    canvas.screen().grabWindow(0, 0, 0, 640, 480).save(output)
    application.quit()

watch = QTimer()
watch.timeout.connect(look)
watch.start(50)
application.exec()
session.close()
"""


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """Start a virtual screen; return its name."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb is here")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as said:
            number = said.readline().strip()
        yield f":{number}"
        server.terminate()


def shot(screen: str, slide: Path, output: Path, kind: str) -> tuple[str, np.ndarray]:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(slide), str(output), kind],
        env={**os.environ, "DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-1500:]
    return ended.stdout.split()[-1], np.asarray(Image.open(output).convert("RGB")).astype(int)


def test_opengl_draws_the_same_picture(screen: str, slide_path: Path, tmp_path: Path) -> None:
    kind, raster = shot(screen, slide_path, tmp_path / "raster.png", "raster")
    assert kind == "NoneType"
    kind, drawn = shot(screen, slide_path, tmp_path / "opengl.png", "opengl")
    if kind == "NoneType":
        pytest.skip("this screen has no OpenGL")
    assert raster[60:-60, 60:-200].std() > 10, "a slide is seen"
    difference = np.abs(raster - drawn).max(axis=2)
    assert (difference <= 8).mean() > 0.97, "text may be smoothed in another way"
    assert np.median(difference) <= 1


def test_a_screen_without_opengl_gets_the_raster_canvas(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gl_surface, "is_available", lambda: False)
    session.settings.opengl = True
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    canvas.resize(300, 200)
    canvas.show()
    assert canvas._surface is None

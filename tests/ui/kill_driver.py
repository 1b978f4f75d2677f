"""A person in a hurry: random gestures in a real window, each told to whoever listens.

``python kill_driver.py SLIDE STUDY SEED N`` prints one line whenever the annotations are others,
before that can be on disk (``state <digest>``), and one whenever all is on disk (``saved <n>``: the
first n states). It is meant to be killed.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterable
from pathlib import Path

import shapely
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pathoview.annotations.feature import Feature
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.canvas import Canvas
from pathoview.ui.main_window import MainWindow

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
HELD = (NONE, NONE, NONE, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier)


def digest(features: Iterable[Feature]) -> str:
    """Return a short text that is another one for other annotations."""
    parts = sorted(
        feature.id.bytes
        + shapely.to_wkb(feature.geometry)
        + (feature.classification.name if feature.classification else "").encode()
        for feature in features
    )
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]


class Driver:
    """Makes gestures on the canvas of a window."""

    def __init__(self, window: MainWindow, session: Session, seed: int) -> None:
        self.canvas: Canvas = window.canvas
        self.session = session
        self.random = random.Random(seed)
        self.n_states = 0
        session.annotations.changed.connect(self._on_changed)
        session.studies.saving_changed.connect(self._on_saved)

    def _on_changed(self, change: object) -> None:
        document = self.session.annotations.document
        if document is not None:
            self.n_states += 1
            say(f"state {digest(document)}")

    def _on_saved(self) -> None:
        if self.session.studies.n_unsaved == 0:
            say(f"saved {self.n_states}")

    def place(self) -> QPoint:
        size = self.canvas.size()
        return QPoint(
            self.random.randint(20, size.width() - 20), self.random.randint(80, size.height() - 80)
        )

    def gesture(self) -> None:
        """Do something, as likely as not something that alters annotations."""
        what = self.random.choice(
            [
                *("rectangle", "polygon", "brush", "brush", "points", "points", "move"),
                *("undo", "undo", "redo", "delete", "class"),
            ]
        )
        if what == "undo":
            self.session.undo()
        elif what == "redo":
            self.session.redo()
        elif what == "delete":
            self.session.operations.do("delete")
        elif what == "class":
            self.session.operations.set_class(self.random.randint(0, 7))
        else:
            self.session.set_tool(what)  # type: ignore[arg-type]
            self._press_about(what)

    def _press_about(self, tool: str) -> None:
        held = self.random.choice(HELD)
        QTest.mousePress(self.canvas, LEFT, held, start := self.place())
        for _ in range(self.random.randint(0, 6)):
            QTest.mouseMove(self.canvas, start + QPoint(*self._step()))
        QTest.mouseRelease(self.canvas, LEFT, held, start + QPoint(*self._step()))
        if tool == "polygon":
            QTest.keyClick(self.canvas, Qt.Key.Key_Return)

    def _step(self) -> tuple[int, int]:
        return self.random.randint(-80, 80), self.random.randint(-80, 80)


def say(text: str) -> None:
    print(text, flush=True)


def wait(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def main(slide: str, study: str, seed: str, n: str) -> None:
    application = QApplication([])
    bridge = Bridge()
    session = Session(bridge.post, Settings(cache_bytes=64 * 2**20, accepted_research_use=True))
    window = MainWindow(session)
    window.resize(1000, 700)
    window.show()
    path = Path(study)
    assert (session.studies.open if path.exists() else session.studies.create)(path)
    driver = Driver(window, session, int(seed))
    session.open(slide)
    while session.annotations.document is None:
        wait(20)
    say("ready")
    for _ in range(int(n)):
        driver.gesture()
        wait(driver.random.choice([0, 0, 1, 5, 20]))
    say("finished")
    window.close()
    application.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])

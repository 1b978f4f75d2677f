"""What a person does with mouse, wheel and keys, and what is then seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.main_window import MainWindow

Picture = npt.NDArray[np.uint8]

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def drag(
    widget: QWidget,
    *stops: tuple[int, int],
    button: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = NONE,
) -> None:
    """Press at the first stop, move over the others, let go at the last."""
    points = [QPoint(*stop) for stop in stops]
    QTest.mousePress(widget, button, modifiers, points[0])
    for point in points[1:]:
        move(widget, point, button, modifiers)
    QTest.mouseRelease(widget, button, modifiers, points[-1])


def move(
    widget: QWidget,
    at: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.NoButton,
    modifiers: Qt.KeyboardModifier = NONE,
) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        button,
        modifiers,
    )
    QApplication.sendEvent(widget, event)


def wheel(
    widget: QWidget,
    at: tuple[int, int],
    notches: float,
    modifiers: Qt.KeyboardModifier = NONE,
    *,
    trackpad_px: int = 0,
) -> None:
    """Turn the wheel, or scroll a trackpad by px."""
    phase = Qt.ScrollPhase.ScrollUpdate if trackpad_px else Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        QPointF(*at),
        QPointF(widget.mapToGlobal(QPoint(*at))),
        QPoint(0, trackpad_px),
        QPoint(0, round(notches * 120)),
        Qt.MouseButton.NoButton,
        modifiers,
        phase,
        False,
    )
    QApplication.sendEvent(widget, event)


def drop(widget: QWidget, *paths: Path) -> None:
    """Drag files over a widget and let go."""
    place = widget.rect().center()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    rest = (
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, QDragEnterEvent(place, *rest))
    QApplication.sendEvent(widget, QDropEvent(QPointF(place), *rest))


def picture(widget: QWidget) -> Picture:
    """Return what is seen, (height, width, 3)."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def settle(qtbot: QtBot, canvas: Canvas, session: Session) -> None:
    """Wait until nothing moves and all tiles are there."""
    qtbot.waitUntil(lambda: not canvas.glide.is_moving)
    qtbot.wait(20)
    qtbot.waitUntil(lambda: is_still(canvas, session), timeout=20_000)
    qtbot.wait(20)


def is_still(canvas: Canvas, session: Session) -> bool:
    """Whether all tiles are there, and the picture is made of them."""
    return session.scheduler.n_pending == 0 and canvas.is_settled


@contextmanager
def main_window(qtbot: QtBot, session: Session) -> Iterator[MainWindow]:
    """Show the whole window; at the end close it, and what it opened."""
    session.settings.accepted_research_use = True
    window = MainWindow(session)
    window.show()
    qtbot.waitExposed(window)
    yield window
    close_window(qtbot, window)


def close_window(qtbot: QtBot, window: MainWindow) -> None:
    for dialog in window.findChildren(Dialog):
        dialog.close()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    window.deleteLater()

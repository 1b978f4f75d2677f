from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from hands import LEFT
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.ui.dialogs.picture import PictureDialog
from pathoview.ui.main_window import MainWindow


def test_the_view_is_copied_as_an_image(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    session.settings.picture.factor = 2
    clipboard = QGuiApplication.clipboard()
    clipboard.clear()
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_C, modifiers)
    qtbot.waitUntil(lambda: not clipboard.image().isNull())
    size = clipboard.image().size()
    wanted = 2 * open_window.canvas.width(), 2 * open_window.canvas.height()
    assert (size.width(), size.height()) == pytest.approx(wanted, abs=4)
    clipboard.clear()


def test_the_view_is_exported_and_the_choices_are_remembered(
    qtbot: QtBot, open_window: MainWindow, session: Session, tmp_path: Path
) -> None:
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_E, modifiers)
    (dialog,) = open_window.findChildren(PictureDialog)
    assert Path(dialog.file.text()).name == "tissue-view.png"
    dialog.file.setText(str(tmp_path / "nowhere" / "a.png"))
    QTest.mouseClick(dialog.accept_button, LEFT)
    assert "no such folder" in dialog.problem.text()
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    dialog.file.setText(str(target))
    QTest.mouseClick(dialog.accept_button, LEFT)
    assert "exists" in dialog.problem.text()
    assert target.read_bytes() == b"old"
    dialog.factor.setCurrentIndex(2)
    dialog.legend.setChecked(False)
    QTest.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(lambda: not open_window.findChildren(PictureDialog))
    assert cv2.imread(str(target)).shape[0] == pytest.approx(3 * open_window.canvas.height(), abs=6)
    assert (session.settings.picture.factor, session.settings.picture.legend) == (3, False)


def test_closing_the_dialog_stops_the_picture(
    qtbot: QtBot, open_window: MainWindow, session: Session, tmp_path: Path
) -> None:
    dialog = PictureDialog(session, open_window)
    dialog.show()
    dialog.file.setText(str(tmp_path / "a.svg"))
    dialog.factor.setCurrentIndex(3)
    QTest.mouseClick(dialog.accept_button, LEFT)
    assert dialog.bar.isVisible()
    assert not dialog.accept_button.isEnabled()
    QTest.mouseClick(dialog.cancel_button, LEFT)
    qtbot.waitUntil(lambda: session.scheduler.n_pending == 0)
    qtbot.wait(50)
    assert not (tmp_path / "a.svg").exists()

"""A folder of frames is opened as one clip, and its frames are chosen by the slider."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from clips import frame, write_frames
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from pathoview.core.pyramid import Plane
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow
from pathoview.ui.plane_bar import PlaneBar


def test_a_folder_is_asked_for_and_its_frames_are_seen(
    window: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = write_frames(tmp_path / "clip", [frame(n) for n in range(5)])
    run_command(session, "file.open_clip")
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.fileSelected.emit(str(folder))
    dialog.close()
    qtbot.waitUntil(lambda: session.slide is not None, timeout=20_000)
    assert session.slide is not None
    assert session.slide.path == folder
    bar = window.findChild(PlaneBar)
    assert bar is not None
    assert bar.has_choice
    assert bar.t_slider.maximum() == 4
    bar.t_slider.setValue(3)
    assert session.plane == Plane(t=3)
    seen = session.slide.read(0, 0, 0, 64, 48, session.plane)
    assert np.array_equal(seen, frame(3))

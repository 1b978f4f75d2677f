"""Clips are added by the folder, and by dropping folders, after a question."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import frame, write_frames
from hands import LEFT, drop
from makers import make_slides
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.dialogs.confirm import ConfirmDialog
from pathoview.ui.main_window import MainWindow


@pytest.fixture(autouse=True)
def study(session: Session, window: MainWindow, tmp_path: Path) -> None:
    session.study_files.create(tmp_path / "trial.pathoview")


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """A folder with one slide, and a picture that is its preview."""
    folder = write_frames(tmp_path / "slides", [frame(5)])
    return make_slides(folder, "one")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder of two clips with two frames each, and a picture that belongs to none."""
    folder = tmp_path / "clips"
    for number in (2, 10):
        write_frames(folder / f"exam {number}", [frame(number), frame(number + 1)])
    return write_frames(folder, [frame(99)])


def names(session: Session) -> list[str]:
    return [row.name for row in session.slides.rows]


def question(qtbot: QtBot, window: MainWindow) -> ConfirmDialog:
    qtbot.waitUntil(lambda: bool(window.findChildren(ConfirmDialog)))
    (dialog,) = window.findChildren(ConfirmDialog)
    return dialog


def words(dialog: ConfirmDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def click(qtbot: QtBot, dialog: ConfirmDialog, text: str) -> None:
    (way,) = [one for one in dialog.findChildren(QPushButton) if one.text() == text]
    qtbot.mouseClick(way, LEFT)


def ask_for_folder(window: MainWindow, session: Session, folder: Path) -> None:
    run_command(session, "study.add_clips")
    (dialog,) = window.findChildren(QFileDialog)
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.fileSelected.emit(str(folder))
    dialog.close()


def test_a_folder_of_clips_is_added_when_one_has_seen_what_is_in_it(
    qtbot: QtBot, window: MainWindow, session: Session, clips: Path
) -> None:
    ask_for_folder(window, session, clips)
    dialog = question(qtbot, window)
    assert "2 clips were found." in words(dialog)
    assert "exam 2, exam 10" in words(dialog)
    assert names(session) == []
    click(qtbot, dialog, "Add 2 clips")
    qtbot.waitUntil(lambda: names(session) == ["exam 2", "exam 10"])
    session.undo()
    assert names(session) == []
    session.redo()
    session.slides.open(session.slides.rows[1].slide_hash)
    qtbot.waitUntil(lambda: session.slide is not None)
    assert session.slide is not None
    assert session.slide.info.size_t == 2


def test_a_blinded_study_asks_without_names(
    qtbot: QtBot, window: MainWindow, session: Session, clips: Path
) -> None:
    session.slides.set_blinded(on=True)
    ask_for_folder(window, session, clips)
    dialog = question(qtbot, window)
    assert "2 clips were found." in words(dialog)
    assert "exam" not in words(dialog)
    click(qtbot, dialog, "Cancel")
    assert names(session) == []


def test_a_folder_without_clips_is_told(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ask_for_folder(window, session, tmp_path / "empty")
    qtbot.waitUntil(lambda: any("no video" in bar.notice.text for bar in window.notices.bars))
    assert window.findChildren(ConfirmDialog) == []


def test_folders_of_pictures_that_are_dropped_are_clips_or_slides(
    qtbot: QtBot, window: MainWindow, session: Session, clips: Path
) -> None:
    exams = clips / "exam 2", clips / "exam 10"
    drop(window.slides, *exams)
    dialog = question(qtbot, window)
    click(qtbot, dialog, "Each picture as a slide")
    qtbot.waitUntil(lambda: names(session) == ["frame 1.png"] * 2 + ["frame 2.png"] * 2)
    qtbot.waitUntil(lambda: not window.findChildren(ConfirmDialog))
    drop(window.slides, *exams)
    click(qtbot, question(qtbot, window), "Add 2 clips")
    qtbot.waitUntil(lambda: names(session)[:2] == ["exam 2", "exam 10"])


def test_slides_that_are_dropped_with_clips_come_along(
    qtbot: QtBot, window: MainWindow, session: Session, clips: Path, slides: Path
) -> None:
    drop(window.slides, clips / "exam 2", slides)
    dialog = question(qtbot, window)
    assert "1 clip was found." in words(dialog)
    click(qtbot, dialog, "Add 1 clip")
    qtbot.waitUntil(lambda: names(session) == ["exam 2", "one.svs"])


def test_slides_that_are_dropped_are_added_without_a_question(
    qtbot: QtBot, window: MainWindow, session: Session, slides: Path
) -> None:
    drop(window.slides, slides)
    qtbot.waitUntil(lambda: names(session) == ["one.svs"])
    assert window.findChildren(ConfirmDialog) == []

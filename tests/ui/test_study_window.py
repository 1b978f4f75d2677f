"""The study in the window: what is saved, closing, and the dialogs of its upkeep."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import shapely
from hands import LEFT
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from pathoview.core.errors import StorageError
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.model import Case
from pathoview.study.study_file import StudyFile
from pathoview.study.writer import OrderedWriter
from pathoview.ui.dialogs.audit import AuditDialog
from pathoview.ui.dialogs.backups import BackupsDialog
from pathoview.ui.dialogs.compact import CompactDialog
from pathoview.ui.dialogs.confirm import ConfirmDialog
from pathoview.ui.dialogs.erase_case import EraseCaseDialog
from pathoview.ui.main_window import MainWindow


@pytest.fixture
def study(
    qtbot: QtBot, window: MainWindow, session: Session, slide_path: Path, tmp_path: Path
) -> Path:
    """A study whose slide is open, with one annotation on disk."""
    path = tmp_path / "trial.pathoview"
    session.study_files.create(path)
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.studies.book is not None)
    draw(session)
    qtbot.waitUntil(lambda: session.studies.n_unsaved == 0)
    return path


class Refusal:
    """A disk that does not take what is written to one file, while `is_on`."""

    def __init__(self, path: Path) -> None:
        self.is_on = True
        self.path = path


@pytest.fixture
def disk(study: Path, monkeypatch: pytest.MonkeyPatch) -> Refusal:
    refusal = Refusal(study)
    original = OrderedWriter._try

    def refusing(self: OrderedWriter, batch: list[object]) -> StorageError | None:
        if refusal.is_on and self._path == refusal.path:
            return StorageError("The disk is full.", "Free some space.")
        return original(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(OrderedWriter, "_try", refusing)
    return refusal


def draw(session: Session) -> None:
    session.annotations.choose_class(1)
    assert session.annotations.draw(shapely.box(10, 10, 90, 90), "Draw")


def only(window: MainWindow, kind: type) -> object:
    (dialog,) = [one for one in window.findChildren(kind) if one.isVisible()]  # type: ignore[attr-defined]
    return dialog


def way(window: MainWindow, text: str) -> QPushButton:
    dialog = only(window, ConfirmDialog)
    assert isinstance(dialog, ConfirmDialog)
    (found,) = [one for one in dialog.findChildren(QPushButton) if one.text() == text]
    return found


def choose_file(window: MainWindow, path: Path) -> None:
    """Answer the dialog that asks for a file."""
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.filesSelected.emit([str(path)])
    dialog.close()


def test_the_dot_says_saved_and_why_not(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, disk: Refusal
) -> None:
    assert window.saving.words == "Saved"
    draw(session)
    qtbot.waitUntil(lambda: window.saving.words == "1 not saved: The disk is full.")
    assert "Free some space" in window.saving.toolTip()
    assert [one.text() for one in window.saving.menu_of_ways.actions()] == [
        "Try again",
        "Save a copy elsewhere…",
    ]
    disk.is_on = False
    window.saving.menu_of_ways.actions()[0].trigger()
    qtbot.waitUntil(lambda: window.saving.words == "Saved")
    assert not window.saving.menu()


def test_what_is_on_its_way_longer_than_a_moment_is_said(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    assert session.studies.study is not None
    writer = session.studies.study.writer
    with writer._changed:  # the writer can neither begin nor end
        session.studies._on_saved()
        writer._n_submitted += 1
    session.studies._on_saved()
    qtbot.waitUntil(lambda: window.saving.words == "Saving 1…")
    with writer._changed:
        writer._n_submitted -= 1
    session.studies._on_saved()
    assert window.saving.words == "Saved"


def test_closing_asks_while_something_is_not_saved_and_saves_elsewhere(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    study: Path,
    disk: Refusal,
    tmp_path: Path,
) -> None:
    draw(session)
    qtbot.waitUntil(lambda: session.studies.error is not None)
    window.close()
    assert window.isVisible()
    qtbot.mouseClick(way(window, "Save elsewhere…"), LEFT)
    choose_file(window, tmp_path / "other.pathoview")
    qtbot.waitUntil(lambda: session.study_files.name == "other")
    qtbot.waitUntil(lambda: window.saving.words == "Saved")
    with StudyFile.open(tmp_path / "other.pathoview") as file:
        assert sum(file.count_annotations().values()) == 2
    window.close()
    assert not window.isVisible()


def test_closing_goes_on_when_trying_again_succeeds(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, disk: Refusal
) -> None:
    draw(session)
    qtbot.waitUntil(lambda: session.studies.error is not None)
    window.close()
    disk.is_on = False
    qtbot.mouseClick(way(window, "Try again"), LEFT)
    qtbot.waitUntil(lambda: not window.isVisible())


def test_closing_loses_what_cannot_be_saved_only_when_told_so(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, disk: Refusal
) -> None:
    draw(session)
    qtbot.waitUntil(lambda: session.studies.error is not None)
    window.close()
    assert window.isVisible()
    qtbot.mouseClick(way(window, "Close and lose it"), LEFT)
    assert not window.isVisible()
    disk.is_on = False


def test_closing_right_after_a_stroke_waits_for_it_without_a_question(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    study: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, original = threading.Event(), OrderedWriter._try

    def slowly(self: OrderedWriter, batch: list[object]) -> StorageError | None:
        gate.wait(10)
        return original(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(OrderedWriter, "_try", slowly)
    draw(session)
    window.close()
    assert window.isVisible(), "it waits without standing still"
    gate.set()
    qtbot.waitUntil(lambda: not window.isVisible())
    with StudyFile.open(study) as file:
        assert sum(file.count_annotations().values()) == 2


@pytest.mark.parametrize(
    ("command_id", "name"), [("study.save_copy", "copy"), ("study.new", "other")]
)
def test_files_are_asked_for_and_get_the_ending_of_a_study(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    study: Path,
    tmp_path: Path,
    command_id: str,
    name: str,
) -> None:
    run_command(session, command_id)
    choose_file(window, tmp_path / name)
    qtbot.waitUntil((tmp_path / f"{name}.pathoview").exists)
    qtbot.waitUntil(lambda: not session.study_files.work.busy_text)


def test_a_private_study_is_kept_by_the_menu(
    qtbot: QtBot, open_window: MainWindow, session: Session, tmp_path: Path
) -> None:
    qtbot.waitUntil(lambda: session.studies.book is not None)
    draw(session)
    assert open_window.actions_by_id["study.keep"].isEnabled()
    run_command(session, "study.keep")
    choose_file(open_window, tmp_path / "mine.pathoview")
    qtbot.waitUntil(lambda: session.study_files.name == "mine")
    qtbot.waitUntil(lambda: session.studies.book is not None)
    assert "mine" in open_window.windowTitle()
    assert not open_window.actions_by_id["study.keep"].isEnabled()


def test_the_audit_trail_is_searched_and_copied(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    run_command(session, "study.audit")
    dialog = only(window, AuditDialog)
    assert isinstance(dialog, AuditDialog)
    qtbot.waitUntil(lambda: dialog.list.topLevelItemCount() > 1)
    qtbot.keyClicks(dialog.search, "made")
    assert dialog.list.topLevelItemCount() == 1
    qtbot.mouseClick(dialog.copy, LEFT)
    assert QGuiApplication.clipboard().text().endswith("Study made")


def test_compacting_says_what_goes_before_it_does(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    run_command(session, "study.compact")
    dialog = only(window, CompactDialog)
    assert isinstance(dialog, CompactDialog)
    qtbot.waitUntil(lambda: dialog.said.text() == "Nothing is that old.")
    assert not dialog.accept_button.isEnabled()
    dialog.date.setText("2999")
    assert "year-month-day" in dialog.said.text()
    dialog.date.setText("2999-01-01")
    qtbot.waitUntil(dialog.accept_button.isEnabled)
    assert "1 step" in dialog.said.text()
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(lambda: session.studies.book is not None and session.history.undo_name == "")
    run_command(session, "study.backups")
    backups = only(window, BackupsDialog)
    assert isinstance(backups, BackupsDialog)
    assert "before it was compacted" in backups.list.item(0).text()
    backups.list.setCurrentRow(0)
    qtbot.mouseClick(backups.restore, LEFT)
    qtbot.waitUntil(lambda: session.studies.book is not None and session.history.undo_name != "")


def test_a_case_is_erased_when_a_box_is_ticked(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    session.slides.editing.assign([row.slide_hash for row in session.slides.rows], "Smith")
    qtbot.waitUntil(lambda: session.studies.n_unsaved == 0)
    run_command(session, "study.erase_case")
    dialog = only(window, EraseCaseDialog)
    assert isinstance(dialog, EraseCaseDialog)
    qtbot.waitUntil(lambda: dialog.said.text().startswith("1 slide, 1 annotation, "))
    assert not dialog.accept_button.isEnabled()
    dialog.sure.click()
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(lambda: any("Erased:" in bar.notice.text for bar in window.notices.bars))
    assert session.studies.records.all(Case) == []
    assert session.slide is None


def test_a_sound_study_is_said_to_be_so(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    run_command(session, "study.check")
    qtbot.waitUntil(lambda: any("sound" in bar.notice.text for bar in window.notices.bars))


@pytest.mark.parametrize("command_id", ["study.add_slides", "study.add_folder"])
def test_slides_and_folders_are_asked_for(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    study: Path,
    slide_path: Path,
    command_id: str,
) -> None:
    run_command(session, command_id)
    choose_file(window, slide_path if command_id == "study.add_slides" else slide_path.parent)
    qtbot.waitUntil(
        lambda: any("was there already" in bar.notice.text for bar in window.notices.bars)
    )

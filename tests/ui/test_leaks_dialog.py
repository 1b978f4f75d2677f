"""The check for leaks by the window, with a real worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from leak_folders import folders
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from pathoview.core.paths import cache_folder
from pathoview.session.session import Session
from pathoview.ui.dialogs.leaks import LeaksDialog
from pathoview.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
_PATIENCE_MS = 60_000


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> LeaksDialog:
    """The dialog, opened by its entry in the menu."""
    window.actions_by_id["study.leaks"].trigger()
    (dialog,) = window.findChildren(LeaksDialog)
    qtbot.waitExposed(dialog)
    return dialog


def name(dialog: LeaksDialog, **paths: str) -> None:
    for split, path in paths.items():
        dialog.question.rows[split].line.setText(path)


def kept() -> list[Path]:
    return list(cache_folder().glob("leaks-*"))


def test_leaks_are_listed_with_their_pictures_and_the_report_is_saved(
    qtbot: QtBot, session: Session, dialog: LeaksDialog, tmp_path: Path
) -> None:
    notices: list[str] = []
    session.notice.connect(lambda notice: notices.append(notice.text))
    name(dialog, **folders(tmp_path, leaks=True))
    qtbot.mouseClick(dialog.start, LEFT)
    assert dialog.stop.isVisible()
    assert not dialog.question.isEnabled()
    qtbot.waitUntil(lambda: dialog.found is not None, timeout=_PATIENCE_MS)
    found = dialog.found
    assert found is not None
    assert found.summary.text() == "Leaks of 1 kind were found."
    assert "nearly the same" in found.list.item(0).text()
    shown = [one for one in found.pairs.findChildren(QLabel) if not one.pixmap().isNull()]
    assert [one.accessibleName() for one in shown] == [
        "train-0001",
        "val-0003",
        "train-0005",
        "val-0006",
    ]
    item = found.priors.item(0, 0)
    assert item is not None
    assert item.text() == "4 (50%)"
    qtbot.mouseClick(dialog.save, LEFT)
    (files,) = dialog.findChildren(QFileDialog)
    files.fileSelected.emit(str(tmp_path / "report.html"))
    files.close()
    qtbot.waitUntil(lambda: "“report.html” is written." in notices)
    assert "data:image/png" in (tmp_path / "report.html").read_text()
    assert len(kept()) == 1
    dialog.close()
    assert kept() == []


def test_what_is_wrong_is_said_where_it_was_asked_and_a_clean_split_is_clean(
    qtbot: QtBot, dialog: LeaksDialog, tmp_path: Path
) -> None:
    qtbot.mouseClick(dialog.start, LEFT)
    assert "two splits at least" in dialog.problem.text()
    name(dialog, train=str(tmp_path / "none"), val=str(tmp_path))
    qtbot.mouseClick(dialog.start, LEFT)
    qtbot.waitUntil(lambda: "no folder" in dialog.problem.text(), timeout=_PATIENCE_MS)
    name(dialog, **folders(tmp_path, leaks=False))
    qtbot.mouseClick(dialog.start, LEFT)
    qtbot.waitUntil(lambda: dialog.found is not None, timeout=_PATIENCE_MS)
    assert dialog.found is not None
    assert dialog.found.summary.text() == "No leaks were found."
    assert not dialog.found.list.isVisible()
    assert dialog.found.priors.isVisible()
    qtbot.mouseClick(dialog.again, LEFT)
    assert dialog.found is None
    assert dialog.start.isVisible()
    assert dialog.question.isEnabled()


def test_closing_stops_the_check(
    qtbot: QtBot,
    session: Session,
    dialog: LeaksDialog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session.leaks._runner, "_cancel_grace_s", 0.5)  # its timer is a thread
    name(dialog, **folders(tmp_path, leaks=False))
    qtbot.mouseClick(dialog.start, LEFT)
    dialog.close()
    assert not session.leaks.is_busy
    qtbot.waitUntil(lambda: not session.is_busy, timeout=_PATIENCE_MS)
    assert kept() == []


def test_only_what_belongs_to_the_kind_of_source_is_asked(dialog: LeaksDialog) -> None:
    rows = dialog.question.rows
    assert dialog.question.kind.count() == 2  # no study is open
    assert rows["train"].isVisible()
    dialog.question.kind.setCurrentIndex(1)
    assert [key for key, one in rows.items() if one.isVisible()] == ["tiles", "groups"]
    rows["tiles"].line.setText("somewhere")
    assert dialog.question.source() == {"tiles": "somewhere", "groups": ""}

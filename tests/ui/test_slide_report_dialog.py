"""The report of the open slide: read in the window, saved as PDF and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hands import picture
from inline_jobs import InlineRunner
from makers import he_image, make_svs
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from run_files import new_run, squares

from pathoview.core.paths import cache_folder
from pathoview.session import orders
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.slides.opening import open_slide
from pathoview.study.results import remove_run
from pathoview.ui.bridge import Bridge
from pathoview.ui.dialogs.slide_report import SlideReportDialog
from pathoview.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def session(bridge: Bridge) -> Iterator[Session]:
    """It tells reports; nothing else is done."""
    runner = InlineRunner(bridge.post, {orders.SLIDE_REPORT})
    session = Session(bridge.post, Settings(cache_bytes=128 * 2**20), runner)
    yield session
    session.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A slide with one finished result."""
    path = make_svs(tmp_path / "one.svs", he_image(512, 384))
    with open_slide(path) as slide, new_run(slide, state="done", title="Nuclei") as run:
        run.add_tile(0, 0, squares([(5, 5), (40, 5)], class_name="Tumor"))
    return path


def shown(qtbot: QtBot, window: MainWindow, session: Session, path: Path) -> SlideReportDialog:
    """Open the slide and ask for its report by its key."""
    session.open(path)
    qtbot.waitUntil(lambda: session.results is not None and not session.results.is_growing)
    run_command(session, "file.report")
    dialog = window.findChildren(SlideReportDialog)[-1]
    qtbot.waitUntil(lambda: dialog.found is not None or bool(dialog.problem.text()))
    assert not dialog.problem.text()
    return dialog


def save(dialog: SlideReportDialog, path: Path) -> None:
    QTest.mouseClick(dialog.save, LEFT)
    files = dialog.findChildren(QFileDialog)[-1]
    files.fileSelected.emit(str(path))
    files.close()


def test_it_is_read_and_saved(
    qtbot: QtBot, window: MainWindow, session: Session, path: Path, tmp_path: Path
) -> None:
    dialog = shown(qtbot, window, session, path)
    assert dialog.found is not None
    text = dialog.found.toPlainText()
    assert session.slide is not None
    assert session.slide.pseudonym in text
    assert "Nuclei" in text
    assert "Tumor" in text
    pixels = picture(dialog.found.viewport())
    assert (pixels[..., 0].astype(int) - pixels[..., 1] > 30).mean() > 0.02, "no tissue is seen"
    pdf, html = tmp_path / "report.pdf", tmp_path / "report.html"
    save(dialog, pdf)
    qtbot.waitUntil(pdf.exists)
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"/Image" in data
    save(dialog, html)
    qtbot.waitUntil(html.exists)
    assert session.slide.pseudonym in html.read_text("utf-8")
    dialog.close()
    assert list(cache_folder().glob("slide-report-*")) == []


def test_while_it_is_waited_for_the_bar_is_above_and_the_buttons_are_below(
    qtbot: QtBot, window: MainWindow, session: Session, path: Path
) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: session.results is not None and not session.results.is_growing)
    run_command(session, "file.report")
    dialog = window.findChildren(SlideReportDialog)[-1]
    assert dialog.found is None
    picture(dialog)  # lays it out
    assert dialog.bar.y() < 60
    assert dialog.save.geometry().bottom() > dialog.height() - 60
    dialog.close()


def test_what_cannot_be_told_is_said_in_the_dialog(
    qtbot: QtBot, window: MainWindow, session: Session, path: Path
) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: session.results is not None and not session.results.is_growing)
    assert session.results is not None
    remove_run(session.results.path)
    run_command(session, "file.report")
    dialog = window.findChildren(SlideReportDialog)[-1]
    qtbot.waitUntil(lambda: bool(dialog.problem.text()))
    assert not dialog.save.isEnabled()
    assert not dialog.print.isEnabled()
    dialog.close()

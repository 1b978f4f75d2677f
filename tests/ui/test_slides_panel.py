from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
from hands import LEFT, NONE, drop, main_window, picture
from makers import make_slides
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.lock import Holder, lock_path
from pathoview.study.model import SlideRecord
from pathoview.study.slide_labels import label_text
from pathoview.study.step import RecordChange
from pathoview.ui.dialogs.confirm import ConfirmDialog
from pathoview.ui.dialogs.metadata_import import MetadataImportDialog
from pathoview.ui.dialogs.slide_record import SlideRecordDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.slide_list import ROW


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_slides(tmp_path_factory.mktemp("originals"), "one", "two", "three")


@pytest.fixture
def folder(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals, tmp_path / "slides"))


@pytest.fixture
def study(qtbot: QtBot, window: MainWindow, session: Session, folder: Path, tmp_path: Path) -> Path:
    """A study with three slides, none open."""
    path = tmp_path / "trial.pathoview"
    session.study_files.create(path)
    session.slides.search.add([folder])
    qtbot.waitUntil(lambda: len(session.slides.rows) == 3)
    return path


def listed(window: MainWindow) -> list[str]:
    """Names and headings as they stand in the list."""
    model = window.slides.list.model()
    return [model.index(place, 0).data() for place in range(model.rowCount())]


def place_of(window: MainWindow, name: str) -> QPoint:
    rows = window.slides.list
    index = rows.model().index(listed(window).index(name), 0)
    rows.scrollTo(index)
    return rows.visualRect(index).center()


def click(window: MainWindow, name: str, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(window.slides.list.viewport(), LEFT, modifiers, place_of(window, name))


def entry(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().startswith(text))


def asked(window: MainWindow, *names: str) -> QMenu:
    """Choose slides and return the menu for them."""
    for number, name in enumerate(names):
        click(window, name, Qt.KeyboardModifier.ControlModifier if number else NONE)
    window.slides.menu.fill(window.slides.list.chosen)
    return window.slides.menu.menu


def test_without_a_study_the_panel_says_what_to_do(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    shown = [one for one in window.slides.buttons.values() if one.isVisible()]
    assert [one.text() for one in shown] == ["New study…", "Open study…"]
    assert window.saving.isHidden()


def test_slides_are_listed_with_pictures_and_opened_by_mouse_and_keys(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    assert listed(window) == ["one.svs", "three.svs", "two.svs"]
    rows = window.slides.list
    qtbot.waitUntil(lambda: all(map(rows.pictures.of, session.slides.rows)))
    click(window, "two.svs")
    QTest.mouseDClick(rows.viewport(), LEFT, NONE, place_of(window, "two.svs"))
    qtbot.waitUntil(lambda: session.path is not None and session.path.name == "two.svs")
    assert window.windowTitle() == "two.svs · trial · PathoView"
    click(window, "one.svs")
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.path is not None and session.path.name == "three.svs")


def test_a_search_narrows_the_list_and_return_goes_to_it(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    window.slides.search.setFocus()
    qtbot.keyClicks(window.slides.search, "t")
    qtbot.waitUntil(lambda: listed(window) == ["three.svs", "two.svs"])
    assert window.slides.count.text() == "2 of 3 slides"
    qtbot.keyClick(window.slides.search, Qt.Key.Key_Return)
    assert window.slides.list.hasFocus()
    assert window.slides.list.currentIndex().data() == "three.svs"


def test_what_is_drawn_is_counted_in_the_row_at_once(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    session.slides.open_next(0)
    qtbot.waitUntil(lambda: session.studies.book is not None)
    index = window.slides.list.model().index(0, 0)
    session.annotations.choose_class(1)
    session.annotations.draw(shapely.box(0, 0, 20, 20), "Draw")
    words = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "one.svs, labelled, 1 in 1 class"


def test_slides_chosen_together_are_reviewed_and_stained_by_the_menu(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    entry(asked(window, "one.svs", "two.svs"), "Reviewed").trigger()
    assert "2 reviewed" in window.slides.count.text()
    stains = entry(asked(window, "one.svs", "two.svs"), "Stain").menu()
    assert isinstance(stains, QMenu)
    entry(stains, "PAS").trigger()
    assert [row.record.stain for row in session.slides.rows] == ["PAS", "", "PAS"]
    assert window.slides.list.chosen == [
        row.slide_hash for row in session.slides.rows if row.name != "three.svs"
    ], "those that were chosen stay so"


def test_delete_takes_slides_out_and_undo_brings_them_back(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    click(window, "three.svs")
    qtbot.keyClick(window.slides.list, Qt.Key.Key_Delete)
    assert listed(window) == ["one.svs", "two.svs"]
    window.actions_by_id["edit.undo"].trigger()
    assert listed(window) == ["one.svs", "three.svs", "two.svs"]


def test_the_dialog_describes_several_slides_in_one_step_and_leaves_the_rest(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    keys = [row.slide_hash for row in session.slides.rows]
    session.slides.editing.edit(keys[:1], "Note", notes="mine", site_id="Oslo")
    click(window, "one.svs")
    click(window, "three.svs", Qt.KeyboardModifier.ControlModifier)
    window.slides.menu.describe(window.slides.list.chosen)
    (dialog,) = window.findChildren(SlideRecordDialog)
    assert dialog.texts["site_id"].placeholderText() == "various"
    dialog.case.setEditText("C 1")
    dialog.block.setEditText("A")
    dialog.texts["tags"].setText("rare, old, rare")
    dialog.labels.kind.setCurrentIndex(dialog.labels.kind.findData("grade"))
    dialog.labels.name.setEditText("ISUP")
    dialog.labels.value.setValue(3)
    dialog.labels.frames.setText("0-9")
    qtbot.mouseClick(dialog.accept_button, LEFT)
    assert listed(window) == ["C 1 · A", "one.svs", "three.svs", "No case", "two.svs"]
    records = [row.record for row in session.slides.rows[:2]]
    assert [one.notes for one in records] == ["mine", ""]
    assert [one.site_id for one in records] == ["Oslo", ""]
    assert {one.tags for one in records} == {("rare", "old")}
    assert {label_text(one.labels[0]) for one in records} == {"grade:ISUP=3@0-9"}
    session.undo()
    assert listed(window) == ["one.svs", "three.svs", "two.svs"]


def test_a_case_is_renamed_by_the_menu(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    session.slides.editing.assign([session.slides.rows[0].slide_hash], "Smit", "A")
    entry(asked(window, "one.svs"), "Rename case").trigger()
    (dialog,) = window.findChildren(QInputDialog)
    dialog.setTextValue("Smith")
    dialog.accept()
    assert listed(window)[0] == "Smith · A"
    assert session.history.undo_name == "Rename case"


def test_a_label_and_metadata_are_taken_away_and_altered_in_the_dialog(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    key = session.slides.rows[0].slide_hash
    window.slides.menu.describe([key])
    (dialog,) = window.findChildren(SlideRecordDialog)
    dialog.labels.name.setEditText("Tumor")
    dialog.labels.frames.setText("9-3")
    qtbot.mouseClick(dialog.accept_button, LEFT)
    assert dialog.isVisible(), "frames the wrong way round are refused"
    dialog.labels.frames.setText("")
    dialog.metadata.item(0, 0).setText("Age")
    dialog.metadata.item(0, 1).setText("61")
    qtbot.mouseClick(dialog.accept_button, LEFT)
    record = session.slides.rows[0].record
    assert (record.metadata, len(record.labels)) == ({"Age": "61"}, 1)
    qtbot.waitUntil(lambda: not window.findChildren(SlideRecordDialog))
    window.slides.menu.describe([key])
    (dialog,) = window.findChildren(SlideRecordDialog)
    dialog.labels.list.setCurrentRow(0)
    qtbot.mouseClick(dialog.labels.remove, LEFT)
    qtbot.mouseClick(dialog.accept_button, LEFT)
    assert session.slides.rows[0].record.labels == ()


def test_the_order_menu_shuffles_with_a_stated_seed_and_blinds(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    session.slides.open_next(0)
    qtbot.waitUntil(lambda: session.slide is not None)
    panel = window.slides
    panel.order_menu.aboutToShow.emit()
    entry(panel.order_menu, "At random").trigger()
    assert session.slides.order.sort == "random"
    assert f"seed {session.slides.order.seed}" in panel.order.toolTip()
    panel.order_menu.aboutToShow.emit()
    entry(panel.order_menu, "Hide names").trigger()
    assert all(name.startswith("slide-") for name in listed(window))
    assert session.slide is not None
    assert window.windowTitle() == f"{session.slide.pseudonym} · trial · PathoView"
    seen = [widget.text() for widget in window.slide_info.findChildren(type(window.slides.count))]
    assert session.slide.pseudonym in seen
    assert not [text for text in seen if "one.svs" in text]
    session.slides.set_sort("name")
    session.slides.set_blinded(on=False)
    assert listed(window) == ["one.svs", "three.svs", "two.svs"]


def test_a_table_is_shown_before_it_is_imported(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("slide,Zentrum,Stain\none,Oslo,PAS\nfour,Rom,PAS\n")
    dialog = MetadataImportDialog(session, table, window)
    dialog.show()
    assert dialog.said.text() == "1 slide is found, 1 of them change. 1 row has no slide."
    assert dialog.problems.toPlainText() == "Not in the study: four"
    assert dialog.rows.topLevelItem(0).text(2) == "stain PAS  ·  Zentrum = Oslo"
    box = dialog.boxes["Zentrum"]
    box.setCurrentIndex(box.findData("site_id"))
    assert dialog.rows.topLevelItem(0).text(2) == "stain PAS  ·  site Oslo"
    qtbot.mouseClick(dialog.accept_button, LEFT)
    assert session.slides.rows[0].record.site_id == "Oslo"
    assert session.history.undo_name == "Import metadata"


def test_a_file_that_is_no_table_is_said_in_the_dialog(
    window: MainWindow, session: Session, study: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.csv").touch()
    dialog = MetadataImportDialog(session, tmp_path / "empty.csv", window)
    dialog.show()
    assert "empty.csv" in dialog.said.text()
    assert not dialog.accept_button.isEnabled()
    dialog.close()


def test_a_study_dropped_on_the_window_is_opened_and_among_the_recent_ones(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    run_command(session, "study.close")
    assert listed(window) == []
    assert window.windowTitle() == "PathoView"
    drop(window, study)
    qtbot.waitUntil(lambda: session.slide is not None)
    assert len(listed(window)) == 3
    window.recent_studies.fill()
    assert [action.text() for action in window.recent_studies.actions()] == [str(study)]


def test_slides_dropped_on_the_list_are_added(
    qtbot: QtBot, window: MainWindow, session: Session, folder: Path, tmp_path: Path
) -> None:
    session.study_files.create(tmp_path / "trial.pathoview")
    drop(window.slides, folder / "one.svs", folder / "two.svs")
    qtbot.waitUntil(lambda: listed(window) == ["one.svs", "two.svs"])


def test_who_reads_only_is_told_until_the_study_is_another(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    run_command(session, "study.close")
    qtbot.waitUntil(lambda: not lock_path(study).exists())
    holder = Holder(host="elsewhere", user="Ada", process=1, since="today")
    lock_path(study).write_text(holder.model_dump_json())
    session.open(study)
    qtbot.waitUntil(lambda: session.slide is not None)
    (bar,) = window.notices.bars
    assert "Ada has it open on elsewhere" in bar.notice.text
    assert window.saving.words == "Only read"
    qtbot.mouseClick(bar.action, LEFT)
    (dialog,) = window.findChildren(ConfirmDialog)
    (way,) = [one for one in dialog.findChildren(QPushButton) if one.text() == "Open anyway"]
    qtbot.mouseClick(way, LEFT)
    qtbot.waitUntil(lambda: session.studies.book is not None)
    assert session.studies.study is not None
    assert not session.studies.study.is_read_only
    assert [bar.notice.text for bar in window.notices.bars] == []
    assert window.saving.words == "Saved"


def test_ten_thousand_slides_are_drawn_and_scrolled(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    slides = [
        SlideRecord(slide_hash=f"{n:032x}", path=f"/data/slide {n}.svs", pseudonym=f"slide-{n}")
        for n in range(10_000)
    ]
    session.studies.put([RecordChange.of(None, slide) for slide in slides], "Add")
    assert len(listed(window)) == 10_003
    rows = window.slides.list
    rows.scrollToBottom()
    assert picture(rows).std() > 5
    last = rows.model().index(10_002, 0).data(ROW)
    assert last.name == "two.svs"


@pytest.fixture
def window(qtbot: QtBot, session: Session) -> Iterator[MainWindow]:
    with main_window(qtbot, session) as window:
        window.docks.bring_front("slides")
        yield window

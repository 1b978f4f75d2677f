from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hands import close_window, drop
from makers import he_image, make_plain
from psygnal import Signal
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from pathoview.jobs.runner import JobState
from pathoview.session.commands import COMMANDS, run_command
from pathoview.session.keymap import KeyMap
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.session.settings import KeySettings, Settings
from pathoview.ui.actions import ICONS
from pathoview.ui.bridge import Bridge
from pathoview.ui.dialogs.confirm import ConfirmDialog
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.dialogs.guide import GuideDialog, keys_text, pages
from pathoview.ui.dialogs.palette import CommandPalette
from pathoview.ui.dialogs.scale import ScaleDialog
from pathoview.ui.main_window import MainWindow


def only(window: MainWindow, kind: type[Any]) -> Any:
    (dialog,) = [found for found in window.findChildren(kind) if found.isVisible()]
    return dialog


# -- commands ------------------------------------------------------------------------------------


def test_every_command_is_reachable_from_a_menu_and_answered(window: MainWindow) -> None:
    in_menus = {
        action.objectName()
        for menu in window.menuBar().findChildren(QMenu)
        for action in menu.actions()
    }
    assert {command.id for command in COMMANDS if command.menu} <= in_menus
    unanswered = {command.id for command in COMMANDS if not (command.run or command.argument_run)}
    assert unanswered == window.commands.answered
    assert set(ICONS) <= {command.id for command in COMMANDS}


def test_no_two_commands_have_the_same_key(window: MainWindow) -> None:
    keys = [
        QKeySequence(key).toString()
        for command in COMMANDS
        for key in command.shortcut.split("; ")
        if key
    ]
    assert sorted(set(keys)) == sorted(keys)


def test_what_cannot_be_done_now_is_off(
    qtbot: QtBot, window: MainWindow, session: Session, slide_path: Path
) -> None:
    actions = window.actions_by_id
    assert not actions["analyze.run"].isEnabled()
    assert not actions["file.export"].isEnabled()
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    assert actions["analyze.run"].isEnabled()
    assert not actions["file.export"].isEnabled()


def test_keys_choose_the_tool_and_the_tool_bar_shows_it(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    open_window.canvas.setFocus()
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_R)
    assert session.tool == "rectangle"
    assert open_window.actions_by_id["tool.rectangle"].isChecked()
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_Escape)
    assert session.tool == "move"


def test_the_palette_finds_a_command_and_runs_it(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    run_command(session, "window.commands")
    palette = only(open_window, CommandPalette)
    qtbot.keyClicks(palette.search, "region to")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert session.tool == "region"
    assert not palette.isVisible()


# -- the slide -----------------------------------------------------------------------------------


def test_the_title_shows_the_name_of_the_slide(
    open_window: MainWindow, session: Session, slide_path: Path
) -> None:
    assert open_window.windowTitle() == f"{slide_path.name} · PathoView"
    session.close_slide()
    assert open_window.windowTitle() == "PathoView"


def test_a_slide_dropped_on_a_panel_opens(
    qtbot: QtBot, window: MainWindow, session: Session, slide_path: Path
) -> None:
    drop(window, slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    assert session.path == slide_path


def test_a_file_that_is_no_slide_gives_a_bar_and_no_box(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "letter.svs"
    file.write_text("Dear colleague")
    session.open(file)
    qtbot.waitUntil(lambda: bool(window.notices.bars))
    (bar,) = window.notices.bars
    assert bar.notice.level == "error"
    assert bar.notice.action is not None
    assert not window.findChildren(Dialog)


def test_the_window_says_that_a_slide_is_being_opened(
    qtbot: QtBot, window: MainWindow, session: Session, slide_path: Path
) -> None:
    session.open(slide_path)
    assert "Opening" in window.statusBar().currentMessage()
    qtbot.waitUntil(lambda: session.slide is not None)
    assert "Opening" not in window.statusBar().currentMessage()


def test_recent_files_open_again(
    qtbot: QtBot, open_window: MainWindow, session: Session, slide_path: Path
) -> None:
    session.close_slide()
    recent = open_window.recent_menu
    recent.aboutToShow.emit()
    (action,) = recent.actions()
    assert slide_path.name in action.text()
    action.trigger()
    qtbot.waitUntil(lambda: session.slide is not None)


def test_a_slide_without_scale_is_asked_for_it_once(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    picture = make_plain(tmp_path / "field.png", he_image(200, 150))
    session.open(picture)
    qtbot.waitUntil(lambda: bool(window.findChildren(ScaleDialog)))
    dialog = only(window, ScaleDialog)
    qtbot.mouseClick(dialog.presets[0], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert session.slide is not None
    assert session.slide.mpp == 0.25
    session.open(picture)
    qtbot.waitUntil(lambda: not session.is_opening)
    assert session.slide.mpp == 0.25
    assert not [found for found in window.findChildren(ScaleDialog) if found.isVisible()]


def test_a_scale_that_is_put_off_stays_within_reach(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    session.open(make_plain(tmp_path / "field.png", he_image(200, 150)))
    qtbot.waitUntil(lambda: bool(window.findChildren(ScaleDialog)))
    only(window, ScaleDialog).reject()
    (bar,) = window.notices.bars
    qtbot.mouseClick(bar.action, Qt.MouseButton.LeftButton)
    assert only(window, ScaleDialog)


def test_a_magnification_that_is_typed_is_taken(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    box = open_window.tools.magnification
    line = box.lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "10")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert session.viewport.magnification(0.5) == pytest.approx(10)
    assert box.currentText() == "10.0×"


# -- panels and layout ---------------------------------------------------------------------------


def test_tab_on_the_canvas_hides_all_panels_and_brings_them_back(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.docks["slide"].hide()
    window.activateWindow()
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Tab)
    assert all(dock.isHidden() for dock in window.docks.values())
    qtbot.keyClick(window.canvas, Qt.Key.Key_Tab)
    hidden = [name for name, dock in window.docks.items() if dock.isHidden()]
    assert hidden == ["objects", "timeline", "slide"]


def test_tab_works_on_every_canvas(qtbot: QtBot, open_window: MainWindow, session: Session) -> None:
    run_command(session, "compare.two")
    second = open_window.views.canvases[1]
    open_window.activateWindow()
    second.setFocus()
    qtbot.keyClick(second, Qt.Key.Key_Tab)
    assert all(dock.isHidden() for dock in open_window.docks.values())
    assert session.views.active is second.view
    run_command(session, "compare.one")
    qtbot.keyClick(open_window.canvas, Qt.Key.Key_Tab)
    assert not open_window.docks["layers"].isHidden()


def test_the_tool_bar_offers_every_way_to_compare(
    open_window: MainWindow, session: Session
) -> None:
    actions = [action for action in open_window.tools.compare.menu().actions() if action.text()]
    named = {command.id for command in COMMANDS if command.id.startswith("compare.")}
    assert {action.objectName() for action in actions} == named
    next(action for action in actions if action.objectName() == "compare.two").trigger()
    assert len(open_window.views.canvases) == 2


def test_analyze_brings_its_panel_to_the_front_before_it_starts(
    qtbot: QtBot, open_window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(session, "analyze", lambda *order: started.append(order))
    open_window.docks.bring_front("results")
    qtbot.waitUntil(lambda: not open_window.docks.is_seen("analyze"))
    open_window.actions_by_id["analyze.run"].trigger()
    qtbot.waitUntil(lambda: open_window.docks.is_seen("analyze"))
    assert not started
    open_window.actions_by_id["analyze.run"].trigger()
    assert len(started) == 1


def test_the_research_use_statement_is_shown_once_and_blocks_nothing(
    qtbot: QtBot, bridge: Bridge
) -> None:
    settings = Settings(cache_bytes=64 * 2**20)
    first = MainWindow(Session(bridge.post, settings))
    first.show()
    sheet = first.research_use
    assert sheet is not None
    assert sheet.isVisible()
    assert first.canvas.isEnabled()
    qtbot.mouseClick(sheet.accept_button, Qt.MouseButton.LeftButton)
    assert settings.accepted_research_use
    close_window(qtbot, first)
    second = MainWindow(Session(bridge.post, settings))
    second.show()
    assert second.research_use is None
    close_window(qtbot, second)


# -- dialogs -------------------------------------------------------------------------------------


def test_the_guide_lists_pages_and_follows_links(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    run_command(session, "help.guide")
    guide = only(window, GuideDialog)
    names = [name for name, _title in pages()]
    assert names[:2] == ["index", "getting-started"]
    assert "PathoView" in guide.page.toPlainText()
    guide.page.anchorClicked.emit(QUrl("formats.md"))
    assert guide.contents.currentRow() == names.index("formats")


def test_the_page_of_keys_names_every_key_of_the_key_map() -> None:
    keymap = KeyMap(KeySettings(own={"file.open": "Ctrl+Alt+O"}))
    text = keys_text(keymap)
    for command in keymap.commands:
        for key in keymap.keys(command.id):
            assert re.search(rf"`{re.escape(key)}`.*{re.escape(command.title)}", text), command.id
    assert "`Ctrl+Alt+O`" in text
    assert "`Ctrl+O`" not in text


@pytest.mark.parametrize("command_id", ["help.about", "help.keys", "help.log", "file.settings"])
def test_dialogs_open_and_close(
    qtbot: QtBot, window: MainWindow, session: Session, command_id: str
) -> None:
    run_command(session, command_id)
    dialog = only(window, Dialog)
    assert not dialog.isModal()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not [found for found in window.findChildren(Dialog) if found.isVisible()]


def test_an_export_asks_before_it_replaces_a_file(
    qtbot: QtBot, open_window: MainWindow, session: Session, tmp_path: Path, monkeypatch: Any
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(
        session.exchange, "export", lambda path, _options, only_chosen: written.append(path)
    )
    dialog = ExportDialog(session, open_window)
    dialog.show()
    assert dialog.file.text().endswith("tissue.geojson")
    qtbot.mouseClick(dialog.gzip, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert dialog.file.text().endswith("tissue.geojson.gz")
    target = tmp_path / "there.geojson"
    target.write_text("old")
    dialog.file.setText(str(target))
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    assert not written
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert written == [target]


# -- jobs ----------------------------------------------------------------------------------------


def test_closing_while_something_runs_asks(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lasting:
        is_over = False

    monkeypatch.setattr(type(session), "jobs", property(lambda _self: (Lasting(),)))
    window.close()
    assert window.isVisible()
    box = only(window, ConfirmDialog)
    assert "still running" in box.findChild(QLabel).text()
    qtbot.mouseClick(box.cancel, Qt.MouseButton.LeftButton)
    assert window.isVisible()
    window.close()
    box = only(window, ConfirmDialog)
    (stop,) = [one for one in box.findChildren(QPushButton) if one.text() == "Stop and close"]
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())


def test_the_end_of_a_job_is_told_in_the_strip_and_a_failure_in_the_bar(
    window: MainWindow, session: Session
) -> None:
    class Fake:
        changed = Signal(object)
        event = Signal(str, dict)

    def fake(number: int) -> Any:
        job: Any = Fake()
        job.__dict__.update(
            id=str(number),
            request=SimpleNamespace(title=f"Job {number}", lane="compute", task="x:y"),
            state=JobState.RUNNING,
            fraction=0.5,
            metrics={"mp_per_s": 41.27, "objects": 1234},
            seconds_left=130.0,
            is_over=False,
            is_cancelling=False,
            cancel=lambda: None,
        )
        return job

    good, bad = fake(1), fake(2)
    session.job_changed.emit(good)
    session.job_changed.emit(bad)
    row = window.jobs.row(good)
    assert row.text == "Job 1 50%   2 min 10 s left   41.3 MP/s   1,234 objects"
    for job, state in ((good, JobState.DONE), (bad, JobState.DIED)):
        job.state, job.is_over = state, True
        session.job_changed.emit(job)
    session.notice.emit(Notice("7 nuclei found.", job_id="1"))
    session.notice.emit(Notice("The worker ended.", "error", job_id="2"))
    assert "7 nuclei found." in row.text
    assert [shown.job for shown in window.jobs.rows] == [good]
    assert [bar.notice.text for bar in window.notices.bars] == ["The worker ended."]

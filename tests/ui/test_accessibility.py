"""Everything can be named by a screen reader, reached by the keyboard, and seen to be reached."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hands import main_window, picture
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pathoview.layers.file_layer import Guess
from pathoview.session.commands import run_command
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.main_window import MainWindow

_CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QKeySequenceEdit,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
)
_WHOLE = (QComboBox, QAbstractSpinBox, QKeySequenceEdit, QLineEdit, QTabBar)
"""Controls whose parts are named by the whole."""
_DIALOGS = [
    "file.settings",
    "go.coordinates",
    "help.about",
    "help.guide",
    "help.keys",
    "help.log",
    "turn.any",
    "view.export",
    "view.scale",
    "window.commands",
]
"""Commands that open one."""
_STUDY_DIALOGS = [
    "slides.describe",
    "slides.train",
    "study.audit",
    "study.backups",
    "study.compact",
    "study.erase_case",
]
"""Those that need a study."""


@pytest.fixture
def window(qtbot: QtBot, session: Session, slide_path: Path) -> Iterator[MainWindow]:
    """A window with a slide, all panels and a notice."""
    with main_window(qtbot, session) as window:
        session.open(slide_path)
        qtbot.waitUntil(lambda: session.slide is not None)
        notice = Notice("Look here.", "warning", ("Open", "file.open"), details="why")
        session.notice.emit(notice)
        yield window


@pytest.fixture(params=[*_DIALOGS, *_STUDY_DIALOGS, "file.export", "layer.open"])
def dialog(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    request: pytest.FixtureRequest,
    slide_path: Path,
    tmp_path: Path,
) -> Dialog:
    if request.param in _STUDY_DIALOGS:
        session.study_files.create(tmp_path / "trial.pathoview")
        session.open(slide_path)
        qtbot.waitUntil(lambda: session.studies.book is not None)
    if request.param == "file.export":
        ExportDialog(session, window).show()
    elif request.param == "layer.open":
        window.commands.ask_about_layer(Guess(Path("a.tif"), "labels", False, None, "No scale."))
    else:
        run_command(session, request.param)
    (dialog,) = (found for found in window.findChildren(Dialog) if found.isVisible())
    qtbot.waitExposed(dialog)
    return dialog


def controls(root: QWidget) -> list[QWidget]:
    """Return all that is worked with, but for the inner parts of Qt's own controls."""
    return [
        widget
        for widget in root.findChildren(QWidget)
        if isinstance(widget, _CONTROLS)
        and not widget.isHidden()
        and not isinstance(widget, (QScrollBar, QHeaderView))
        and not widget.objectName().startswith("qt_")
        and not any(isinstance(owner, _WHOLE) for owner in owners(widget, root))
    ]


def owners(widget: QWidget, root: QWidget) -> list[QWidget]:
    found, owner = [], widget.parentWidget()
    while owner is not None and owner is not root:
        found.append(owner)
        owner = owner.parentWidget()
    return found


def name(widget: QWidget) -> str:
    shown = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or shown


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} {name(widget)!r} in {type(widget.parent()).__name__}"


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    found = controls(window)
    assert len(found) > 20
    assert not [described(widget) for widget in found if not name(widget)]


def test_every_control_of_a_dialog_has_a_name(dialog: Dialog) -> None:
    assert controls(dialog)
    assert not [described(widget) for widget in controls(dialog) if not name(widget)]


def test_every_button_that_shows_an_icon_only_says_what_it_does(window: MainWindow) -> None:
    silent = [
        described(widget)
        for widget in controls(window)
        if isinstance(widget, QToolButton)
        and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
        and not widget.toolTip()
    ]
    assert not silent


def reachable(root: QWidget) -> list[QWidget]:
    """Return what Tab leads to, in that order."""
    found, widget = [], root.nextInFocusChain()
    while widget is not None and widget is not root:
        if (
            widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.focusProxy() is None
            and widget.isVisibleTo(root)
            and widget.isEnabled()
            and root.isAncestorOf(widget)
        ):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


def rings(qtbot: QtBot, root: QWidget) -> list[str]:
    """Return those of the reachable widgets that look the same with the focus as without."""
    root.activateWindow()
    qtbot.waitUntil(root.isActiveWindow)
    alike = []
    for widget in reachable(root):
        other = next(w for w in (root, *reachable(root)) if w is not widget)
        other.setFocus()
        without = picture(widget).astype(int)
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        if widget.hasFocus() and np.abs(picture(widget) - without).max() < 60:
            alike.append(described(widget))
    return alike


@pytest.mark.parametrize("look", ["dark", "light"])
def test_the_focus_is_seen_everywhere_in_the_window(
    qtbot: QtBot, qapp: QApplication, window: MainWindow, look: str
) -> None:
    theme.apply_theme(qapp, look)
    assert not rings(qtbot, window)


def test_the_focus_is_seen_everywhere_in_a_dialog(qtbot: QtBot, dialog: Dialog) -> None:
    assert not rings(qtbot, dialog)


def steps_back(qtbot: QtBot, root: QWidget) -> list[str]:
    """Press Tab from the topmost control on; return those after which it led upwards."""
    root.window().activateWindow()
    qtbot.waitUntil(root.window().isActiveWindow)
    heights = {w: w.mapTo(root, w.rect().center()).y() for w in reachable(root)}
    chain = [min(heights, key=lambda widget: heights[widget])]
    chain[0].setFocus()
    while True:
        qtbot.keyClick(chain[-1], Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is None or focused in chain or focused not in heights:
            break
        chain.append(focused)
    assert len(chain) > len(heights) / 2  # arrows, not Tab, lead through a group of choices
    return [
        described(one)
        for one, other in pairwise(chain)
        if heights[other] < heights[one] - theme.GRID
    ]


def test_tab_leads_through_a_dialog_from_the_top_to_the_bottom(
    qtbot: QtBot, dialog: Dialog
) -> None:
    assert not steps_back(qtbot, dialog)


def test_tab_leads_through_a_panel_from_the_top_to_the_bottom(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.resize(1400, 2400)  # so that nothing is scrolled out of sight
    for dock in window.docks.values():
        dock.show()
        dock.raise_()
        if reachable(dock.widget()):
            assert not steps_back(qtbot, dock.widget())

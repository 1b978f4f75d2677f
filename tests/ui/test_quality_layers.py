"""The quality layers and the normalised preview, asked for by command, as they are seen."""

from __future__ import annotations

from hands import picture, settle
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from pathoview.layers.normalised_source import NormalisedSource
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.layer_controls.normalised import NormalisedControls


def test_the_preview_is_seen_beside_the_original(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    canvas: Canvas = open_window.canvas
    settle(qtbot, canvas, session)
    before = picture(canvas).astype(float)
    open_window.actions_by_id["normalise.reinhard"].trigger()
    qtbot.waitUntil(lambda: session.views.active.curtain.is_drawn, timeout=10_000)
    settle(qtbot, canvas, session)
    below_overview = slice(canvas.height() // 2, None)
    change = abs(picture(canvas).astype(float) - before)[below_overview].mean(axis=(0, 2))
    middle, quarter = canvas.width() // 2, canvas.width() // 4
    assert change[quarter - 40 : quarter + 40].mean() > 10
    assert change[middle + quarter - 40 : middle + quarter + 40].mean() < 1


def test_another_method_is_chosen_at_the_layer(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    open_window.actions_by_id["normalise.reinhard"].trigger()
    qtbot.waitUntil(lambda: session.views.active.curtain.is_drawn, timeout=10_000)
    (controls,) = open_window.findChildren(NormalisedControls)
    assert controls.method.currentText() == "Reinhard"
    assert "measured on the slide" in controls.note.text()
    index = controls.method.findData("macenko")
    controls.method.setCurrentIndex(index)
    controls.method.activated.emit(index)
    source = session.active_layer and session.active_layer.source
    assert isinstance(source, NormalisedSource)
    qtbot.waitUntil(lambda: source.normaliser.method == "macenko", timeout=10_000)
    qtbot.waitUntil(lambda: "Macenko, measured" in controls.note.text())


def test_quality_layers_come_with_a_sentence_and_go_by_undo(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    n_layers = len(session.layers)
    open_window.actions_by_id["quality.show"].trigger()
    qtbot.waitUntil(lambda: len(session.layers) > n_layers, timeout=10_000)
    said = [bar.notice.text for bar in open_window.notices.bars]
    assert any("mm² of tissue" in text for text in said)
    session.undo()
    assert len(session.layers) == n_layers


def test_the_menu_has_the_methods(open_window: MainWindow) -> None:
    titles = [menu.title() for menu in open_window.findChildren(QMenu)]
    assert "Stain normalisation preview" in titles

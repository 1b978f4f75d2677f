from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import ArraySlide
from hands import LEFT, drag, drop, move
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.layer import Layer
from pathoview.layers.slide_source import SlideSource
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.panels.layer_controls.detections import DetectionControls
from pathoview.ui.panels.layer_row import LayerRow
from pathoview.ui.panels.layers import LayersPanel

ALT = Qt.KeyboardModifier.AltModifier


def picture(name: str, value: int = 200) -> Layer:
    pixels = np.full((100, 200, 3), value, np.uint8)
    return Layer(name, SlideSource(ArraySlide(pixels)))


@pytest.fixture
def layered(qtbot: QtBot, session: Session, slide_path: Path) -> Session:
    """The slide with three layers, ``c`` in front."""
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    for name in "abc":
        session.layer_desk.add(picture(name))
    return session


@pytest.fixture
def panel(qtbot: QtBot, layered: Session) -> LayersPanel:
    panel = LayersPanel(layered)
    qtbot.addWidget(panel)
    panel.resize(340, 600)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def names(session: Session) -> list[str]:
    """From front to back, as they are listed."""
    return [layer.name for layer in session.layers][::-1]


def row(panel: LayersPanel, name: str) -> LayerRow:
    (found,) = [row for row in panel.list.rows if row.layer.name == name]
    return found


def middle(panel: LayersPanel, name: str) -> tuple[int, int]:
    """Return a place on a row that is no editor, in px of the list."""
    at = row(panel, name).picture.geometry().center()
    place = row(panel, name).mapTo(panel.list, at)
    return place.x(), place.y()


# -- rows ----------------------------------------------------------------------------------------


def test_rows_are_listed_front_first_and_follow_the_layers(
    panel: LayersPanel, layered: Session
) -> None:
    assert [row.name.text() for row in panel.list.rows] == ["c", "b", "a", "Slide"]
    layered.layers[1].name = "heat"
    layered.layers[1].visible = False
    layered.layers[1].blend = "additive"
    line = row(panel, "heat")
    assert line.name.text() == "heat"
    assert not line.eye.isChecked()
    assert line.blend.currentText() == "Additive"
    assert "hidden" in line.accessibleDescription()


def test_eye_slider_and_blending_of_a_row_change_its_layer(
    qtbot: QtBot, panel: LayersPanel, layered: Session
) -> None:
    line, layer = row(panel, "a"), layered.layers[1]
    qtbot.mouseClick(line.eye, LEFT)
    assert not layer.visible
    line.opacity.setFocus()
    qtbot.keyClick(line.opacity, Qt.Key.Key_PageDown)
    assert layer.opacity == pytest.approx(0.9)
    line.blend.setFocus()
    qtbot.keyClick(line.blend, Qt.Key.Key_Down)
    assert layer.blend == "multiply"
    assert row(panel, "Slide").blend.isHidden()


def test_alt_and_a_click_on_the_eye_shows_a_layer_alone_and_again_as_before(
    qtbot: QtBot, panel: LayersPanel, layered: Session
) -> None:
    layered.layers[1].visible = False
    eye = row(panel, "b").eye
    qtbot.mouseClick(eye, LEFT, ALT)
    assert [layer.visible for layer in layered.layers] == [False, False, True, False]
    assert [row.eye.isChecked() for row in panel.list.rows] == [False, True, False, False]
    qtbot.mouseClick(eye, LEFT, ALT)
    assert [layer.visible for layer in layered.layers] == [True, False, True, True]


def test_a_thumbnail_comes_by_itself_and_follows_the_style(
    qtbot: QtBot, panel: LayersPanel, layered: Session
) -> None:
    def color(name: str) -> int:
        image = row(panel, name).picture.pixmap().toImage()
        return 0 if image.isNull() else image.pixelColor(image.rect().center()).red()

    qtbot.waitUntil(lambda: color("a") == 200)
    qtbot.waitUntil(lambda: color("Slide") > 100)
    source = layered.layers[1].source
    assert isinstance(source, SlideSource)
    source.display = tuple(replace(channel, high=510) for channel in source.display)
    qtbot.waitUntil(lambda: color("a") == 100)


# -- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dragged", "onto", "below", "expected"),
    [
        ("c", "a", 10, ["b", "a", "c", "Slide"]),
        ("a", "c", -10, ["a", "c", "b", "Slide"]),
        ("b", "b", 6, ["c", "b", "a", "Slide"]),
        ("b", "Slide", 20, ["c", "a", "b", "Slide"]),
        ("Slide", "c", -10, ["c", "b", "a", "Slide"]),
    ],
)
def test_a_row_is_dragged_to_its_place(
    panel: LayersPanel,
    layered: Session,
    dragged: str,
    onto: str,
    below: int,
    expected: list[str],
) -> None:
    start, end = middle(panel, dragged), middle(panel, onto)
    between = (start[0], (start[1] + end[1]) // 2)
    drag(panel.list, start, between, (end[0] + 15, end[1] + below))
    assert names(layered) == expected
    layered.undo()
    assert names(layered)[-1] == "Slide"


def test_a_drag_shows_where_the_row_goes_and_esc_gives_it_up(
    qtbot: QtBot, panel: LayersPanel, layered: Session
) -> None:
    start, end = middle(panel, "c"), middle(panel, "a")
    QTest.mousePress(panel.list, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(*start))
    move(panel.list, QPoint(end[0], end[1] + 10), LEFT)
    assert not panel.list.drop_mark.isHidden()
    assert panel.list.drop_mark.y() > row(panel, "a").geometry().center().y()
    qtbot.keyClick(panel.list, Qt.Key.Key_Escape)
    assert panel.list.drop_mark.isHidden()
    QTest.mouseRelease(panel.list, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(*end))
    assert names(layered) == ["c", "b", "a", "Slide"]


def test_a_press_on_a_row_reaches_the_list(panel: LayersPanel, layered: Session) -> None:
    line = row(panel, "a")
    QTest.mouseClick(line.picture, LEFT)
    assert layered.active_layer is line.layer
    assert line.is_chosen


def test_buttons_below_the_list_move_and_remove(
    qtbot: QtBot, panel: LayersPanel, layered: Session
) -> None:
    assert not panel.buttons["layer.up"].isEnabled()
    qtbot.mouseClick(panel.buttons["layer.down"], LEFT)
    assert names(layered) == ["b", "c", "a", "Slide"]
    qtbot.mouseClick(panel.buttons["layer.remove"], LEFT)
    assert names(layered) == ["b", "a", "Slide"]
    layered.layer_desk.active = layered.layers[0]
    assert not panel.buttons["layer.remove"].isEnabled()


def test_an_array_dropped_on_the_canvas_becomes_a_layer(
    qtbot: QtBot, open_canvas: Canvas, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "heat.npy"
    np.save(path, np.linspace(0, 1, 96 * 128, dtype=np.float32).reshape(96, 128))
    drop(open_canvas, path)
    qtbot.waitUntil(lambda: len(session.layers) == 2)
    assert session.layers[1].name == "heat"
    assert session.path is not None
    assert session.path.suffix == ".svs"


# -- keys, names, menu ---------------------------------------------------------------------------


def test_keys_choose_show_and_remove(qtbot: QtBot, panel: LayersPanel, layered: Session) -> None:
    keys = panel.list
    keys.setFocus()
    assert row(panel, "c").has_focus_ring
    qtbot.keyClick(keys, Qt.Key.Key_Down)
    assert layered.active_layer is row(panel, "b").layer
    qtbot.keyClick(keys, Qt.Key.Key_Space)
    assert not layered.layers[2].visible
    qtbot.keyClick(keys, Qt.Key.Key_Delete)
    assert names(layered) == ["c", "a", "Slide"]
    for _press in range(4):
        qtbot.keyClick(keys, Qt.Key.Key_Down)
    qtbot.keyClick(keys, Qt.Key.Key_Delete)
    assert names(layered)[-1] == "Slide"


def named(qtbot: QtBot, panel: LayersPanel, end: Qt.Key) -> None:
    """Double-click the name of ``b``, type another one, end with a key."""
    line = row(panel, "b")
    qtbot.mouseDClick(line.name, LEFT)
    assert not line.editor.isHidden()
    qtbot.keyClicks(line.editor, "heat")
    qtbot.keyClick(line.editor, end)


def test_a_name_is_edited_in_its_place(qtbot: QtBot, panel: LayersPanel, layered: Session) -> None:
    named(qtbot, panel, Qt.Key.Key_Return)
    assert names(layered) == ["c", "heat", "a", "Slide"]
    assert row(panel, "heat").editor.isHidden()
    layered.undo()
    assert names(layered)[1] == "b"


def test_esc_keeps_the_old_name(qtbot: QtBot, panel: LayersPanel, layered: Session) -> None:
    named(qtbot, panel, Qt.Key.Key_Escape)
    assert names(layered)[1] == "b"
    assert not row(panel, "b").name.isHidden()


def test_the_menu_of_a_row_works_on_that_row(
    qtbot: QtBot, panel: LayersPanel, layered: Session
) -> None:
    place = QPoint(*middle(panel, "a"))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, panel.list.mapToGlobal(place))
    QApplication.sendEvent(panel.list, event)
    (menu,) = [menu for menu in panel.list.findChildren(QMenu) if menu.isVisible()]
    actions = {action.objectName(): action for action in menu.actions()}
    assert not actions["layer.down"].isEnabled()
    actions["layer.solo"].trigger()
    assert layered.layers.solo is row(panel, "a").layer
    menu.close()


# -- controls of detections ----------------------------------------------------------------------


@pytest.fixture
def nuclei(layered: Session) -> tuple[Layer, Layer]:
    made = Layer("Nuclei", DetectionSource(2048, 1536)), Layer("Cells", DetectionSource(2048, 1536))
    for layer in made:
        layered.layer_desk.add(layer)
    return made


def test_controls_are_those_of_the_chosen_layer_and_change_it_alone(
    qtbot: QtBot, nuclei: tuple[Layer, Layer], panel: LayersPanel, layered: Session
) -> None:
    layered.layer_desk.active = nuclei[0]
    (controls,) = panel.controls
    assert isinstance(controls, DetectionControls)
    controls.fill.setFocus()
    qtbot.keyClick(controls.fill, Qt.Key.Key_Space)
    controls.line_width.setFocus()
    qtbot.keyClick(controls.line_width, Qt.Key.Key_Up)
    first, second = (layer.source for layer in nuclei)
    assert isinstance(first, DetectionSource)
    assert isinstance(second, DetectionSource)
    assert first.style.fill_opacity > 0
    assert first.style.line_width_px == second.style.line_width_px + 0.5
    assert second.style.fill_opacity == 0
    layered.layer_desk.active = layered.layers[0]
    assert not [found for found in panel.controls if isinstance(found, DetectionControls)]

"""Controls of the kinds of layers, as they are used in the panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hands import LEFT, drag
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QColorDialog
from pytestqt.qtbot import QtBot

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.core.affine import Affine
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.file_layer import Guess
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.label_source import LabelSource
from pathoview.layers.layer import Layer
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.source import TileSource
from pathoview.session.session import Session
from pathoview.ui.dialogs.open_layer import OpenLayerDialog
from pathoview.ui.panels.layer_controls.class_map import ClassMapControls
from pathoview.ui.panels.layer_controls.detections import DetectionControls
from pathoview.ui.panels.layer_controls.heatmap import HeatmapControls
from pathoview.ui.panels.layer_controls.labels import LabelControls
from pathoview.ui.panels.layers import LayersPanel

PLACE = Affine.scaled(16)
SIZE = 2048.0, 1536.0
VALUES = np.linspace(0, 100, 96 * 128, dtype=np.float32).reshape(96, 128)

Chosen = Callable[[TileSource], LayersPanel]


@pytest.fixture
def chosen(qtbot: QtBot, session: Session, slide_path: Path) -> Chosen:
    """Show a panel with a layer of some source chosen."""

    def show(source: TileSource) -> LayersPanel:
        session.open(slide_path)
        qtbot.waitUntil(lambda: session.slide is not None)
        session.layer_desk.add(Layer("layer", source))
        panel = LayersPanel(session)
        qtbot.addWidget(panel)
        panel.resize(340, 700)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return show


# -- heatmaps ------------------------------------------------------------------------------------


@pytest.fixture
def heatmap() -> HeatmapSource:
    return HeatmapSource(ArrayRaster(VALUES), PLACE, *SIZE)


@pytest.fixture
def heat(qtbot: QtBot, chosen: Chosen, heatmap: HeatmapSource) -> HeatmapControls:
    panel = chosen(heatmap)
    controls = panel.controls
    assert isinstance(controls, HeatmapControls)
    qtbot.waitUntil(lambda: controls.plot.region is not None)
    controls.setProperty("panel", panel)  # keeps it
    return controls


def test_the_limits_are_shown_and_dragged_on_the_histogram(
    qtbot: QtBot, heat: HeatmapControls, heatmap: HeatmapSource
) -> None:
    qtbot.waitUntil(lambda: heat.plot.high.value() == pytest.approx(99, abs=0.1))
    assert heat.plot.region.getRegion() == pytest.approx((1, 99), abs=0.1)
    view = heat.plot.region.getViewWidget()

    def at(value: float) -> QPoint:
        place = heat.plot.region.getViewBox().mapViewToScene(QPointF(value, 2))
        return QPoint(view.mapFromScene(place))

    start, end = at(99), at(50)
    drag(view.viewport(), *((start + (end - start) * n / 4).toTuple() for n in range(5)))
    assert heatmap.style.limits is not None
    assert heatmap.style.limits[1] == pytest.approx(50, abs=3)
    assert heat.scaling.currentText() == "as set by hand"


def test_limits_are_typed_and_follow_percentiles(
    qtbot: QtBot, heat: HeatmapControls, heatmap: HeatmapSource
) -> None:
    heat.plot.high.setValue(80)
    assert heatmap.style.limits is not None
    assert heatmap.style.limits[1] == 80
    heat.scaling.setFocus()
    qtbot.keyClick(heat.scaling, Qt.Key.Key_Home)
    assert heatmap.style.limits is None
    assert heatmap.limits == (0, 100)
    qtbot.waitUntil(lambda: heat.plot.high.value() == pytest.approx(100))


def test_colours_threshold_and_smoothness_change_the_style(
    qtbot: QtBot, heat: HeatmapControls, heatmap: HeatmapSource
) -> None:
    heat.colormap.setFocus()
    qtbot.keyClick(heat.colormap, Qt.Key.Key_Down)
    assert heatmap.style.colormap == "cividis"
    for box in (heat.is_cut, heat.rank, heat.fade, heat.smooth):
        box.setFocus()
        qtbot.keyClick(box, Qt.Key.Key_Space)
    heat.threshold.setValue(40)
    style = heatmap.style
    assert (style.threshold, style.scaling, style.low_opacity) == (40, "rank", 0)
    assert style.interpolate
    qtbot.keyClick(heat.is_cut, Qt.Key.Key_Space)
    assert heatmap.style.threshold is None


def test_the_value_under_the_mouse_is_the_raw_one(
    qtbot: QtBot, heat: HeatmapControls, session: Session
) -> None:
    session.set_cursor(16 * 127 + 3, 16 * 95 + 3)
    qtbot.waitUntil(lambda: "100.0" in heat.value.text())
    session.set_cursor(None)
    qtbot.waitUntil(lambda: heat.value.text().endswith("–"))


# -- classes -------------------------------------------------------------------------------------


def test_classes_of_a_map_are_counted_hidden_and_recoloured(qtbot: QtBot, chosen: Chosen) -> None:
    numbers = np.zeros((96, 128), np.uint8)
    numbers[:, 32:] = 7
    source = ClassMapSource(
        ArrayRaster(numbers),
        PLACE,
        *SIZE,
        {0: DetectionClass("Stroma", (0, 200, 0)), 7: DetectionClass("Tumour", (200, 0, 0))},
    )
    panel = chosen(source)
    controls = panel.controls
    assert isinstance(controls, ClassMapControls)
    qtbot.waitUntil(lambda: "75%" in controls.legend.figure(1))
    assert controls.legend.figure(1).startswith("0.590 mm²")
    qtbot.mouseClick(controls.legend.eyes[1], LEFT)
    assert source.style.hidden == {7}
    qtbot.mouseClick(controls.legend.eyes[1], LEFT)
    assert source.style.hidden == frozenset()
    qtbot.mouseClick(controls.legend.swatches[0], LEFT)
    (dialog,) = controls.legend.findChildren(QColorDialog)
    dialog.setCurrentColor(Qt.GlobalColor.blue)
    dialog.accept()
    assert source.classes[0].color == (0, 0, 255)


def objects() -> Detections:
    """Three squares: two tumour cells, and one without a class."""
    square = np.array([(0, 0), (20, 0), (20, 20), (0, 20)])
    points = np.concatenate([square + np.array([50 * n, 0]) for n in range(3)])
    return Detections(
        (points * SUBPIXEL).astype(np.int32),
        np.arange(4, dtype=np.int64) * 4,
        np.arange(48, dtype=np.uint8).reshape(3, 16),
        np.array([0, 0, -1], np.int16),
        (DetectionClass("Tumour", (200, 0, 0)),),
        {"Area": np.array([1, 2, 3], np.float32)},
    )


def test_classes_of_objects_have_counts_and_eyes(qtbot: QtBot, chosen: Chosen) -> None:
    source = DetectionSource(*SIZE)
    source.set(objects())
    panel = chosen(source)
    controls = panel.controls
    assert isinstance(controls, DetectionControls)
    assert [controls.legend.figure(line) for line in (0, 1)] == ["2", "1"]
    qtbot.mouseClick(controls.legend.eyes[0], LEFT)
    assert source.hidden_classes == {"Tumour"}
    qtbot.mouseClick(controls.legend.eyes[1], LEFT)
    assert source.hidden_classes == {"Tumour", ""}
    controls.color_by.setFocus()
    for _press in range(2):
        qtbot.keyClick(controls.color_by, Qt.Key.Key_Down)
    assert source.style.measurement == "Area"
    assert controls.legend.isHidden()
    assert not controls.ramp.isHidden()


def test_labels_are_counted_filled_and_outlined(qtbot: QtBot, chosen: Chosen) -> None:
    source = LabelSource(ArrayRaster(np.arange(96 * 128).reshape(96, 128) // 128), PLACE, *SIZE)
    panel = chosen(source)
    controls = panel.controls
    assert isinstance(controls, LabelControls)
    qtbot.waitUntil(lambda: controls.count.text() == "95 objects")
    controls.fill.setFocus()
    qtbot.keyClick(controls.fill, Qt.Key.Key_Home)
    assert source.style.fill_opacity == 0
    controls.line.setFocus()
    qtbot.keyClick(controls.line, Qt.Key.Key_End)
    assert source.style.line_width_px == 8
    controls.is_one_color.setFocus()
    qtbot.keyClick(controls.is_one_color, Qt.Key.Key_Space)
    assert source.style.color is not None


# -- opening -------------------------------------------------------------------------------------


def test_a_file_that_does_not_tell_is_opened_as_the_person_says(
    qtbot: QtBot, session: Session, slide_path: Path, tmp_path: Path
) -> None:
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    path = tmp_path / "made.npy"
    np.save(path, VALUES[:, :40].astype(np.uint8))
    asked: list[Guess] = []
    session.layer_desk.unsure.connect(asked.append)
    session.layer_desk.open(path)
    qtbot.waitUntil(lambda: bool(asked))
    dialog = OpenLayerDialog(session, asked[0])
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.kind.setCurrentIndex(dialog.kind.findData("labels"))
    dialog.scale.setValue(4)
    dialog.offset_x.setValue(100)
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(lambda: len(session.layers) == 2)
    source = session.layers[1].source
    assert isinstance(source, LabelSource)
    assert source.placement == Affine.scaled(4).then(Affine.moved(100, 0))


def test_a_guess_that_is_left_as_it_is_stays_exact(
    qtbot: QtBot, session: Session, slide_path: Path, tmp_path: Path
) -> None:
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    path = tmp_path / "made.npy"
    np.save(path, (VALUES[:93, :124] > 50).astype(np.uint8))
    place = Affine.scaled(2048 / 124)
    dialog = OpenLayerDialog(session, Guess(path, "class_map", False, place, "", 124, 93))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(lambda: len(session.layers) == 2)
    source = session.layers[1].source
    assert isinstance(source, ClassMapSource)
    assert source.placement == place

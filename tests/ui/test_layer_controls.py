"""Controls of the kinds of layers, as they are used in the panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import shapely
from fakes import ArraySlide
from hands import LEFT, drag
from makers import he_image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QColorDialog, QLabel
from pytestqt.qtbot import QtBot

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.annotations.feature import Feature
from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.file_layer import Guess
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.label_source import LabelSource
from pathoview.layers.layer import Layer
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.slide_style import SlideStyle
from pathoview.layers.source import TileSource
from pathoview.layers.synthetic_source import PictureSource, SyntheticSource
from pathoview.session.pointing import click
from pathoview.session.session import Session
from pathoview.session.stain_choice import FIXED
from pathoview.ui.dialogs.open_layer import OpenLayerDialog
from pathoview.ui.panels.layer_controls.annotations import AnnotationControls
from pathoview.ui.panels.layer_controls.channels import ChannelControls
from pathoview.ui.panels.layer_controls.class_map import ClassMapControls
from pathoview.ui.panels.layer_controls.controls import Controls, Note
from pathoview.ui.panels.layer_controls.detections import DetectionControls
from pathoview.ui.panels.layer_controls.heatmap import HeatmapControls
from pathoview.ui.panels.layer_controls.labels import LabelControls
from pathoview.ui.panels.layer_controls.placement import PlacementControls
from pathoview.ui.panels.layer_controls.slide import SlideControls
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


C = TypeVar("C", bound=Controls)


def only(panel: LayersPanel, kind: type[C]) -> C:
    """Return the one set of controls of a kind."""
    (found,) = [controls for controls in panel.controls if isinstance(controls, kind)]
    return found


# -- heatmaps ------------------------------------------------------------------------------------


@pytest.fixture
def heatmap() -> HeatmapSource:
    return HeatmapSource(ArrayRaster(VALUES), PLACE, *SIZE)


@pytest.fixture
def heat(qtbot: QtBot, chosen: Chosen, heatmap: HeatmapSource) -> HeatmapControls:
    panel = chosen(heatmap)
    controls = only(panel, HeatmapControls)
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


def test_controls_fit_into_the_narrowest_panel(heat: HeatmapControls) -> None:
    assert heat.minimumSizeHint().width() <= 256


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


def test_classes_of_a_map_are_counted_hidden_and_recoloured(
    qtbot: QtBot, chosen: Chosen, session: Session
) -> None:
    numbers = np.zeros((96, 128), np.uint8)
    numbers[:, 32:] = 7
    source = ClassMapSource(
        ArrayRaster(numbers),
        PLACE,
        *SIZE,
        {0: DetectionClass("Stroma", (0, 200, 0)), 7: DetectionClass("Tumour", (200, 0, 0))},
    )
    panel = chosen(source)
    controls = only(panel, ClassMapControls)
    qtbot.waitUntil(lambda: "75%" in controls.legend.figure(1))
    assert controls.legend.figure(1).startswith("0.590 mm²")
    session.set_cursor(16 * 40, 16 * 50)
    qtbot.waitUntil(lambda: controls.value.text() == "Under the mouse: Tumour")
    session.set_cursor(None)
    qtbot.waitUntil(lambda: controls.value.text().endswith("–"))
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
    controls = only(panel, DetectionControls)
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


def test_labels_are_counted_filled_and_outlined(
    qtbot: QtBot, chosen: Chosen, session: Session
) -> None:
    source = LabelSource(ArrayRaster(np.arange(96 * 128).reshape(96, 128) // 128), PLACE, *SIZE)
    panel = chosen(source)
    controls = only(panel, LabelControls)
    qtbot.waitUntil(lambda: controls.count.text() == "95 objects")
    session.set_cursor(5, 16 * 50 + 3)
    qtbot.waitUntil(lambda: controls.value.text() == "Under the mouse: object 50")
    controls.fill.setFocus()
    qtbot.keyClick(controls.fill, Qt.Key.Key_Home)
    assert source.style.fill_opacity == 0
    controls.line.setFocus()
    qtbot.keyClick(controls.line, Qt.Key.Key_End)
    assert source.style.line_width_px == 8
    controls.is_one_color.setFocus()
    qtbot.keyClick(controls.is_one_color, Qt.Key.Key_Space)
    assert source.style.color is not None


def test_annotations_keep_their_colours_and_can_be_hidden_by_class(
    qtbot: QtBot, chosen: Chosen, session: Session
) -> None:
    kind = DetectionClass("Vessel", (0, 0, 200))
    feature = Feature(shapely.box(10, 10, 90, 90), classification=kind)
    source = FeatureSource(*SIZE, [feature])
    panel = chosen(source)
    session.layer_desk.active = session.layers[1]
    controls = only(panel, AnnotationControls)
    qtbot.mouseClick(controls.legend.eyes[0], LEFT)
    assert source.hidden_classes == {"Vessel"}
    qtbot.mouseClick(controls.legend.swatches[0], LEFT)
    assert not controls.legend.findChildren(QColorDialog)
    controls.fill.setFocus()
    qtbot.keyClick(controls.fill, Qt.Key.Key_End)
    assert source.style.fill_opacity == 1
    assert source.style.line_width_px == pytest.approx(2, abs=0.1)


# -- slides --------------------------------------------------------------------------------------


def he_slide(width: int = 800, height: int = 600) -> SlideSource:
    return SlideSource(ArraySlide(he_image(width, height)))


def test_tone_and_stains_of_a_slide_are_set_and_put_back(qtbot: QtBot, chosen: Chosen) -> None:
    source = he_slide()
    controls = only(chosen(source), SlideControls)
    controls.brightness.setFocus()
    qtbot.keyClick(controls.brightness, Qt.Key.Key_PageUp)
    controls.contrast.setFocus()
    qtbot.keyClick(controls.contrast, Qt.Key.Key_End)
    controls.gamma.setFocus()
    qtbot.keyClick(controls.gamma, Qt.Key.Key_Home)
    style = source.style
    assert (style.brightness, style.contrast, style.gamma) == pytest.approx((0.2, 8, 0.25))
    controls.stain.setFocus()
    qtbot.keyClick(controls.stain, Qt.Key.Key_Down)
    assert source.style.stain == "first"
    assert controls.stain.itemText(2) == "Eosin"
    controls.stains.setFocus()
    qtbot.keyClick(controls.stains, Qt.Key.Key_Down)
    assert source.style.stains == FIXED[1].matrix
    assert controls.stain.itemText(2) == "DAB"
    assert source.style.stain == "first"
    qtbot.mouseClick(controls.reset, LEFT)
    assert source.style == SlideStyle(stains=FIXED[1].matrix)
    assert not controls.reset.isEnabled()


def test_stains_are_estimated_from_the_drawn_region(
    qtbot: QtBot, chosen: Chosen, session: Session
) -> None:
    source = he_slide()
    controls = only(chosen(source), SlideControls)
    session.set_region(Rect(100, 100, 400, 300))
    qtbot.mouseClick(controls.estimate, LEFT)
    qtbot.waitUntil(lambda: source.style.stains != FIXED[0].matrix)
    assert controls.stains.currentText().endswith("as estimated")
    session.set_region(Rect(900, 700, 300, 300))
    qtbot.mouseClick(controls.estimate, LEFT)
    qtbot.waitUntil(lambda: "outside" in controls.note.text())
    assert controls.estimate.isEnabled()


def test_channels_are_shown_hidden_coloured_and_limited(qtbot: QtBot, chosen: Chosen) -> None:
    ramp = np.linspace(0, 4000, 100 * 100).reshape(100, 100)
    pixels = np.dstack([ramp, ramp / 2]).astype(np.uint16)
    source = SlideSource(ArraySlide(pixels, is_rgb=False))
    panel = chosen(source)
    controls = only(panel, ChannelControls)
    qtbot.waitUntil(lambda: len(controls.legend.eyes) == 2)
    qtbot.mouseClick(controls.legend.eyes[0], LEFT)
    assert [channel.visible for channel in source.display] == [False, True]
    controls.channel.setFocus()
    qtbot.keyClick(controls.channel, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: controls.plot.high.value() < 2100)
    controls.plot.high.setValue(1000)
    assert source.display[1].high == 1000
    qtbot.mouseClick(controls.automatic, LEFT)
    qtbot.waitUntil(lambda: source.display[1].high > 1900)
    assert not source.display[0].visible
    tone = only(panel, SlideControls)
    assert not tone.stain.isVisible()


# -- pictures that are placed --------------------------------------------------------------------


@pytest.fixture
def second() -> RegisteredSource:
    return RegisteredSource(he_slide(), Affine(), *SIZE)


def test_arrows_turns_and_scales_place_a_second_slide(
    qtbot: QtBot, chosen: Chosen, second: RegisteredSource, session: Session
) -> None:
    controls = only(chosen(second), PlacementControls)
    qtbot.mouseClick(controls.arrows["arrow-right"], LEFT)
    controls.step.setFocus()
    qtbot.keyClick(controls.step, Qt.Key.Key_End)
    qtbot.mouseClick(controls.arrows["arrow-up"], LEFT)
    assert second.placement == Affine.moved(10, -100)
    session.viewport.look_at(500, 400, 1.0)
    middle = second.placement.inverse().point(500, 400)
    controls.turn.setValue(90)
    controls.scale.setValue(200)
    assert second.placement.scale == pytest.approx(2)
    assert second.placement.point(*middle) == pytest.approx((500, 400))
    for _step in range(3):
        session.undo()
    assert second.placement == Affine.moved(10, 0)
    assert controls.scale.value() == 100


def test_landmarks_are_asked_for_in_the_panel(
    qtbot: QtBot, chosen: Chosen, second: RegisteredSource, session: Session
) -> None:
    controls = only(chosen(second), PlacementControls)
    qtbot.mouseClick(controls.align, LEFT)
    assert controls.align.isChecked()
    assert "landmark 1 of 3" in controls.note.text()
    for place in ((100, 100), (500, 120), (200, 400)):
        click(session, place[0] + 7, place[1])
        click(session, *place)
    assert not controls.align.isChecked()
    assert controls.note.isHidden()
    np.testing.assert_allclose(second.placement.matrix(), Affine.moved(7, 0).matrix(), atol=1e-9)
    qtbot.mouseClick(controls.align, LEFT)
    qtbot.mouseClick(controls.align, LEFT)
    assert session.tool == "move"


def test_a_second_slide_has_a_tone_of_its_own(
    qtbot: QtBot, chosen: Chosen, second: RegisteredSource
) -> None:
    controls = only(chosen(second), SlideControls)
    controls.gamma.setFocus()
    qtbot.keyClick(controls.gamma, Qt.Key.Key_End)
    assert second.slide_source.style.gamma == 4


def test_a_synthetic_picture_says_that_it_is_never_measured(chosen: Chosen) -> None:
    picture = PictureSource(ArrayRaster(he_image(128, 96)))
    panel = chosen(SyntheticSource(picture, PLACE, *SIZE))
    note = only(panel, Note)
    assert "never measured" in note.findChildren(QLabel)[0].text()
    only(panel, PlacementControls)


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

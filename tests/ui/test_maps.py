"""The map of a pixel method in the window: legend, areas, the value under the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from pixel_methods import has_map, known_colours, map_of
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from pathoview.core.progress import SilentProgress
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.session.session import Session
from pathoview.study.map_params import MAP_FORMATS
from pathoview.tasks import analyze
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.layer_controls.class_map import ClassMapControls
from pathoview.ui.panels.layer_controls.heatmap import HeatmapControls
from pathoview.ui.panels.layers import LayersPanel
from pathoview.ui.panels.results import ResultsPanel


@pytest.fixture
def mapped(
    window: MainWindow,
    session: Session,
    qtbot: QtBot,
    slide_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> MainWindow:
    model = known_colours(monkeypatch, tmp_path)
    order = {"slide": str(slide_path), "model": str(model), "n_computers": 1}
    analyze.run(order, SilentProgress())
    session.open(slide_path)
    qtbot.waitUntil(lambda: has_map(session))
    return window


def texts(panel: ResultsPanel) -> list[str]:
    return [one.text() for one in panel.findChildren(QLabel) if one.isVisibleTo(panel)]


def test_the_results_tell_areas_and_shares(
    mapped: MainWindow, session: Session, qtbot: QtBot
) -> None:
    panel = mapped.findChild(ResultsPanel)
    assert panel is not None
    qtbot.waitUntil(lambda: panel.count.text() == "0.786 mm² mapped")
    shares = {f"{area.share:.1%}" for area in map_of(session).areas}
    qtbot.waitUntil(lambda: shares <= set(texts(panel)))
    shown = texts(panel)
    assert not any("nucleus" in one for one in shown)
    assert "Research use only" in shown
    assert not panel.histogram.isVisibleTo(panel)


def test_the_legend_of_a_growing_map_is_counted_again(
    mapped: MainWindow, session: Session, qtbot: QtBot
) -> None:
    layers = mapped.findChild(LayersPanel)
    assert layers is not None
    session.layer_desk.active = map_of(session).class_layer
    (controls,) = layers.controls
    assert isinstance(controls, ClassMapControls)
    qtbot.waitUntil(lambda: "mm²" in controls.legend.figure(1))
    before = controls.legend.figure(1)
    predicted = map_of(session)._map
    predicted._pixels = predicted.class_pixels * 2
    session.runs_changed.emit()
    qtbot.waitUntil(lambda: controls.legend.figure(1) not in ("", before))
    assert [one.isChecked() for one in controls.legend.eyes] == [False, True, True]


def test_a_class_is_chosen_for_the_heatmap_and_read_under_the_mouse(
    mapped: MainWindow, session: Session, qtbot: QtBot
) -> None:
    layers = mapped.findChild(LayersPanel)
    assert layers is not None
    session.layer_desk.active = map_of(session).layers[1]
    (controls,) = layers.controls
    assert isinstance(controls, HeatmapControls)
    names = [controls.channel.itemText(n) for n in range(controls.channel.count())]
    assert names == ["Background", "Nuclei", "Stroma"]
    controls.channel.setCurrentIndex(2)
    source = map_of(session).layers[1].source
    assert isinstance(source, HeatmapSource)
    assert source.style.channel == 2
    controls.show_cursor((500, 500))
    qtbot.waitUntil(lambda: controls.value.text().split(": ")[1] != "–")
    assert float(controls.value.text().split(": ")[1]) == pytest.approx(
        source.value_at(500, 500), abs=1e-3
    )


def test_a_colour_is_changed_in_the_results_and_seen_in_the_legend(
    mapped: MainWindow, session: Session
) -> None:
    panel = mapped.findChild(ResultsPanel)
    assert panel is not None
    panel._recolor("Nuclei", (1, 2, 3))
    colors = {one.detection_class.name: one.detection_class.color for one in map_of(session).areas}
    assert colors["Nuclei"] == (1, 2, 3)


def test_a_map_is_exported_as_regions_or_as_pictures(
    mapped: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = ExportDialog(session, mapped)
    dialog.show()
    titles = [dialog.format.itemText(place) for place in range(dialog.format.count())]
    assert titles[-2:] == [one.title for one in MAP_FORMATS]
    assert dialog.format.currentText() == "GeoJSON"
    assert dialog.map_form.isVisible()
    assert "mm²" in dialog.what.currentText()
    dialog.format.setCurrentIndex(len(titles) - 1)
    assert dialog.file.text().endswith("tissue.ome.tif")
    assert not dialog.what.isVisible()
    dialog.format.setCurrentIndex(len(titles) - 2)
    assert dialog.file.text().endswith("tissue.png")
    dialog.map_form.set_values({"smallest_um2": 5.0})
    dialog.file.setText(str(tmp_path / "map.png"))
    dialog.accept()
    qtbot.waitUntil(lambda: (tmp_path / "map.png").exists(), timeout=20_000)
    qtbot.waitUntil(lambda: not session.is_busy)
    assert session.settings.export.map["smallest_um2"] == 5.0


def test_without_a_map_no_picture_of_one_is_offered(
    open_window: MainWindow, session: Session
) -> None:
    dialog = ExportDialog(session, open_window)
    dialog.show()
    titles = [dialog.format.itemText(place) for place in range(dialog.format.count())]
    assert not {one.title for one in MAP_FORMATS} & set(titles)
    assert not dialog.map_form.isVisible()

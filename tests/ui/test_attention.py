"""A whole slide that was predicted, in the window: results, layer, values, exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bag_methods import TILE_PX, attention_of, has_attention, known_bags, planted
from hands import picture, settle
from makers import make_svs
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from pathoview.core.progress import SilentProgress
from pathoview.layers.attention_source import ATTENTION_MEANING
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.session.session import Session
from pathoview.tasks import analyze_bag
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.layer_controls.heatmap import HeatmapControls
from pathoview.ui.panels.layers import LayersPanel
from pathoview.ui.panels.results import ResultsPanel

SIDE = 2 * TILE_PX
COLUMN, ROW = 6, 5


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A slide of 16 × 12 tiles that was predicted already; one tile is bright."""
    model, _features = known_bags(monkeypatch, tmp_path)
    rgb = planted(16 * SIDE, 12 * SIDE, COLUMN, ROW, SIDE)
    path = make_svs(tmp_path / "one.svs", rgb)
    analyze_bag.run({"slide": str(path), "model": str(model)}, SilentProgress())
    return path


@pytest.fixture
def predicted(window: MainWindow, session: Session, qtbot: QtBot, path: Path) -> MainWindow:
    session.open(path)
    qtbot.waitUntil(lambda: has_attention(session))
    return window


def texts(panel: ResultsPanel) -> list[str]:
    return [one.text() for one in panel.findChildren(QLabel) if one.isVisibleTo(panel)]


def test_the_results_tell_class_threshold_and_how_good_the_model_is(
    predicted: MainWindow, qtbot: QtBot
) -> None:
    panel = predicted.findChild(ResultsPanel)
    assert panel is not None
    qtbot.waitUntil(lambda: panel.count.text() == "Tumor")
    qtbot.waitUntil(lambda: panel.density.text().startswith("192 tiles"))
    shown = texts(panel)
    assert {"Benign", "Tumor", "Research use only", f"{ATTENTION_MEANING}."} <= set(shown)
    assert any(one.startswith("Tumor from 30.0% on") for one in shown)
    assert "AUROC of the model: 0.91 (95 %: 0.85–0.96)" in shown
    assert not any("nucle" in one for one in shown)
    assert not panel.selection.isVisibleTo(panel)


def test_the_layer_says_what_it_is_and_reads_the_value_under_the_mouse(
    predicted: MainWindow, session: Session, qtbot: QtBot
) -> None:
    layers = predicted.findChild(LayersPanel)
    assert layers is not None
    session.layer_desk.active = attention_of(session).attention_layer
    (controls,) = layers.controls
    assert isinstance(controls, HeatmapControls)
    assert ATTENTION_MEANING in [one.text() for one in controls.findChildren(QLabel)]
    assert controls.smooth.isHidden()
    controls.show_cursor(((COLUMN + 0.5) * SIDE, (ROW + 0.5) * SIDE))
    qtbot.waitUntil(lambda: controls.value.text().split(": ")[1] != "–")
    tiles = attention_of(session).tiles
    assert tiles is not None
    said = float(controls.value.text().split(": ")[1])
    assert said == pytest.approx(tiles.relative_attention.max(), rel=0.01)
    session.layer_desk.active = attention_of(session).layers[1]
    (evidence,) = layers.controls
    assert isinstance(evidence, HeatmapControls)
    assert evidence.channel.currentText() == "Tumor"
    evidence.channel.setCurrentIndex(0)
    evidence.show_cursor(((COLUMN + 0.5) * SIDE, (ROW + 0.5) * SIDE))
    qtbot.waitUntil(lambda: evidence.value.text().split(": ")[1] != "–")
    assert float(evidence.value.text().split(": ")[1]) < 0.1


@pytest.mark.parametrize(("scale", "rotation", "is_flipped"), [(0.5, 0, False), (1.7, 60, True)])
def test_the_canvas_shows_the_attention_on_the_bright_tile(
    qtbot: QtBot,
    canvas: Canvas,
    session: Session,
    path: Path,
    scale: float,
    rotation: float,
    is_flipped: bool,
) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: has_attention(session))
    canvas.overview.hide()
    middle = (COLUMN + 0.5) * SIDE, (ROW + 0.5) * SIDE
    session.viewport.look_at(*middle, scale)
    session.viewport.set_turn(rotation, is_flipped)
    layer = attention_of(session).attention_layer
    layer.opacity = 1.0
    settle(qtbot, canvas, session)
    shown = picture(canvas).astype(int)
    layer.visible = False
    settle(qtbot, canvas, session)
    changed = np.abs(shown - picture(canvas).astype(int))[..., :3].sum(axis=2) > 60
    rows, columns = np.nonzero(changed)
    x, y = session.viewport.to_view(*middle)
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=1.5)
    assert changed.sum() == pytest.approx((SIDE * scale) ** 2, rel=0.05)


def test_tiles_are_exported_as_shapes_or_as_pictures(
    predicted: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = ExportDialog(session, predicted)
    dialog.show()
    titles = [dialog.format.itemText(place) for place in range(dialog.format.count())]
    assert titles[-2:] == ["Picture of the attention", "Values of the tiles (OME-TIFF)"]
    assert "192 tiles" in dialog.what.currentText()
    assert dialog.map_form.isVisible()
    dialog.map_form.set_values({"contours": "many"})
    dialog.file.setText(str(tmp_path / "tiles.geojson"))
    dialog.accept()
    assert "numbers" in dialog.problem.text()
    dialog.map_form.set_values({"contours": "3"})
    dialog.format.setCurrentIndex(len(titles) - 1)
    assert not dialog.map_form.isVisible()
    assert dialog.file.text().endswith("tiles.ome.tif")
    dialog.accept()
    qtbot.waitUntil(lambda: (tmp_path / "tiles.ome.tif").exists(), timeout=20_000)
    qtbot.waitUntil(lambda: not session.is_busy)
    assert session.settings.export.attention["contours"] == "3"


def test_the_map_of_a_class_is_one_click_away_and_is_shown_of_the_next_slide_too(
    predicted: MainWindow, session: Session, qtbot: QtBot, path: Path
) -> None:
    card = predicted.results.prediction
    qtbot.waitUntil(lambda: list(card.eyes) == ["Benign", "Tumor"])
    attention, evidence = attention_of(session).layers
    assert (attention.visible, evidence.visible) == (True, False)
    for name, channel in (("Benign", 0), ("Tumor", 1)):
        card.eyes[name].click()
        assert (attention.visible, evidence.visible) == (False, True)
        assert isinstance(evidence.source, HeatmapSource)
        assert evidence.source.style.channel == channel
        assert [key for key, eye in card.eyes.items() if eye.isChecked()] == [name]
    session.close_slide()
    session.open(path)
    qtbot.waitUntil(lambda: has_attention(session))
    again = attention_of(session)
    assert again.shown == "Tumor"
    assert [layer.visible for layer in again.layers] == [False, True]
    qtbot.waitUntil(lambda: card.eyes["Tumor"].isChecked())
    again.layers[1].visible = False  # by the list of layers
    qtbot.waitUntil(lambda: not card.eyes["Tumor"].isChecked())
    card.eyes["Benign"].click()
    card.eyes["Benign"].click()
    assert [layer.visible for layer in again.layers] == [True, False]
    assert session.settings.evidence_of == ""

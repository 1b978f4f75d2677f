"""A pseudo-healthy run in the window: the curtain before it, its threshold, its exports."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely
from hands import LEFT, NONE, Picture, move, picture, settle
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from synthesis_methods import HEALTHY, has_synthesis, known_bleach, made_by

from pathoview.core.progress import SilentProgress
from pathoview.layers.synthetic_source import badge_pixels
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.map_params import SYNTHESIS_FORMATS
from pathoview.tasks import analyze
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.layer_controls.controls import Note
from pathoview.ui.panels.layer_controls.heatmap import HeatmapControls
from pathoview.ui.panels.layer_controls.synthesis import CompareControls, ThresholdControls
from pathoview.ui.panels.layers import LayersPanel
from pathoview.ui.panels.results import ResultsPanel

PLACE_L0 = (900.0, 700.0)


@pytest.fixture
def made(slide_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A slide with a finished run."""
    model = known_bleach(monkeypatch, tmp_path)
    order = {"slide": str(slide_path), "model": str(model), "n_computers": 1}
    analyze.run(order, SilentProgress())
    return slide_path


@pytest.fixture
def shown(window: MainWindow, session: Session, qtbot: QtBot, made: Path) -> MainWindow:
    session.open(made)
    qtbot.waitUntil(lambda: has_synthesis(session))
    return window


@pytest.fixture
def compared(canvas: Canvas, session: Session, qtbot: QtBot, made: Path) -> Canvas:
    """A canvas with the curtain before the picture, at the size that was analysed."""
    session.open(made)
    qtbot.waitUntil(lambda: has_synthesis(session))
    canvas.overview.hide()
    session.viewport.look_at(*PLACE_L0, 0.5)
    run_command(session, "compare.healthy")
    settle(qtbot, canvas, session)
    return canvas


def is_healthy(seen: Picture) -> np.ndarray:
    """Return which px have the colour that pathology is painted in."""
    return np.asarray((np.abs(seen.astype(int) - HEALTHY) <= 4).all(axis=2))


def shares(canvas: Canvas, *spans: tuple[int, int]) -> list[float]:
    """Return how much of each span of columns, below what is written, is painted healthy."""
    seen = is_healthy(picture(canvas)[120:560])
    return [float(seen[:, left:right].mean()) for left, right in spans]


def test_the_curtain_is_dragged_over_the_picture(
    qtbot: QtBot, compared: Canvas, session: Session
) -> None:
    left, right = shares(compared, (0, 370), (430, 800))
    assert left > 0.03 > 10 * right
    handle = compared.curtain.handle
    x = handle.width() // 2
    QTest.mousePress(handle, LEFT, NONE, QPoint(x, 300))
    for _step in range(4):
        move(handle, QPoint(x + 50, 300), LEFT)
    QTest.mouseRelease(handle, LEFT, NONE, QPoint(x, 300))
    assert compared.view.curtain.position == pytest.approx(0.75)
    swept, right = shares(compared, (430, 570), (630, 800))
    assert swept > 0.03 > 10 * right
    assert compared.curtain.left_button.toolTip().endswith("Pseudo-healthy: Bleached tumor")
    session.views.active.curtain.flick(session.active_layer)
    settle(qtbot, compared, session)
    (everywhere,) = shares(compared, (0, 800))
    assert everywhere < 0.003


def test_the_badge_is_in_the_pixels_at_every_zoom(
    qtbot: QtBot, compared: Canvas, session: Session
) -> None:
    session.views.active.curtain.position = 1.0
    ground = badge_pixels()[0, 0].astype(int)
    for scale in (0.5, 1.0, 2.0):
        session.viewport.look_at(*PLACE_L0, scale)
        settle(qtbot, compared, session)
        seen = picture(compared).astype(int)[:, :750]
        assert (np.abs(seen - ground) <= 2).all(axis=2).sum() > 500
    made_by(session).picture_layer.visible = False
    settle(qtbot, compared, session)
    seen = picture(compared).astype(int)[:, :750]
    assert (np.abs(seen - ground) <= 2).all(axis=2).sum() < 50


def test_the_results_tell_areas_and_lead_to_the_curtain(
    shown: MainWindow, session: Session, qtbot: QtBot
) -> None:
    panel = shown.findChild(ResultsPanel)
    assert panel is not None
    area = made_by(session).pathology_mm2()
    qtbot.waitUntil(lambda: panel.count.text() == f"{area:.3f} mm² taken for pathology")
    assert "no diagnosis" in panel.density.text()
    words = [one.text() for one in panel.findChildren(QLabel) if one.isVisibleTo(panel)]
    assert not any("nucleus" in one for one in words)
    assert panel.compare.isVisibleTo(panel)
    panel.compare.click()
    assert session.views.active.curtain.left is made_by(session).picture_layer
    panel.compare.click()
    assert not session.views.active.curtain.is_drawn


def test_a_threshold_is_moved_and_its_area_told(
    shown: MainWindow, session: Session, qtbot: QtBot
) -> None:
    layers = shown.findChild(LayersPanel)
    assert layers is not None
    made = made_by(session)
    session.layer_desk.active = made.pathology_layer
    threshold, compare, heatmap = layers.controls
    assert isinstance(threshold, ThresholdControls)
    assert isinstance(compare, CompareControls)
    assert isinstance(heatmap, HeatmapControls)
    assert threshold.threshold.number == 0.5
    assert threshold.area.text().startswith(f"{made.pathology_mm2():.3f} mm² from there on")
    threshold.threshold.setValue(90)
    assert made.pathology_layer.source.style.threshold == pytest.approx(0.9)  # type: ignore[attr-defined]
    assert threshold.area.text().startswith(f"{made.pathology_mm2(0.9):.3f} mm²")
    qtbot.waitUntil(lambda: heatmap.threshold.value() == pytest.approx(0.9))
    session.layer_desk.active = made.difference_layer
    (threshold, *_others) = layers.controls
    assert isinstance(threshold, ThresholdControls)
    threshold.threshold.setValue(20)
    assert threshold.area.text().startswith(f"{made.different_mm2(51):.3f} mm²")
    assert threshold.take.isEnabled()
    session.settings.export.synthesis["smallest_um2"] = 5.0
    threshold.take.click()
    said = session.jobs[-1].request.payload["map"]
    assert (said["of"], said["difference"]) == ("difference", 51)
    qtbot.waitUntil(lambda: session.exchange.n_annotations > 0, timeout=20_000)
    qtbot.waitUntil(lambda: not session.is_busy)


def test_the_picture_says_that_it_is_synthetic(shown: MainWindow, session: Session) -> None:
    layers = shown.findChild(LayersPanel)
    assert layers is not None
    session.layer_desk.active = made_by(session).picture_layer
    note, compare = layers.controls
    assert isinstance(note, Note)
    assert "never measured" in note.findChildren(QLabel)[0].text()
    assert isinstance(compare, CompareControls)
    compare.compare.click()
    assert compare.compare.isChecked()
    assert session.views.active.curtain.is_drawn


def test_it_is_exported_as_areas_or_as_pictures(
    shown: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = ExportDialog(session, shown)
    dialog.show()
    titles = [dialog.format.itemText(place) for place in range(dialog.format.count())]
    assert titles[-4:] == [one.title for one in SYNTHESIS_FORMATS]
    assert "mm²" in dialog.what.currentText()
    assert dialog.map_form.isVisible()
    dialog.map_form.set_values({"probability": 0.8})
    dialog.format.setCurrentIndex(len(titles) - 4)
    assert not dialog.map_form.isVisible()
    assert dialog.file.text().endswith("tissue.png")
    dialog.file.setText(str(tmp_path / "made.png"))
    dialog.accept()
    qtbot.waitUntil(lambda: (tmp_path / "made.png").exists(), timeout=20_000)
    qtbot.waitUntil(lambda: not session.is_busy)
    assert session.settings.export.synthesis["probability"] == 0.8


def test_a_table_tells_of_each_region_that_was_drawn(
    shown: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    qtbot.waitUntil(lambda: session.studies.book is not None)
    session.annotations.draw(shapely.box(300, 300, 900, 700), "Rectangle")
    dialog = ExportDialog(session, shown)
    dialog.show()
    dialog.format.setCurrentIndex(dialog.format.count() - 1)
    assert dialog.file.text().endswith("tissue.csv")
    dialog.file.setText(str(tmp_path / "regions.csv"))
    dialog.accept()
    qtbot.waitUntil(lambda: (tmp_path / "regions.csv").exists(), timeout=20_000)
    qtbot.waitUntil(lambda: not session.is_busy)
    whole, region = csv.DictReader((tmp_path / "regions.csv").read_text("utf-8-sig").splitlines())
    assert float(whole["Pathology mm²"]) == pytest.approx(made_by(session).pathology_mm2())
    assert float(region["Analysed mm²"]) == pytest.approx(600 * 400 * 0.25e-6)

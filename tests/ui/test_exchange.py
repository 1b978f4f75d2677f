"""Annotation files come in by the window and go out again, with a real worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
from hands import drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects import formats
from pathoview.annotations.dialects.formats import SlideFrame
from pathoview.annotations.feature import Feature
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.dialogs.export_tiles import ExportTilesDialog
from pathoview.ui.dialogs.import_options import ImportOptionsDialog
from pathoview.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
_PATIENCE_MS = 60_000
TUMOR = DetectionClass("Tumor", (200, 0, 0))


@pytest.fixture
def window(qtbot: QtBot, open_window: MainWindow, session: Session) -> MainWindow:
    qtbot.waitUntil(lambda: session.annotations.document is not None, timeout=_PATIENCE_MS)
    return open_window


def shown(window: MainWindow, kind: type[Any]) -> Any:
    (dialog,) = [one for one in window.findChildren(kind) if one.isVisible()]
    return dialog


def wait_for_annotations(qtbot: QtBot, session: Session, n: int) -> None:
    qtbot.waitUntil(lambda: session.exchange.n_annotations == n, timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: not session.is_busy)


def boxes(n: int) -> list[Feature]:
    return [
        Feature(shapely.box(100 * x, 100, 100 * x + 50, 150), classification=TUMOR)
        for x in range(n)
    ]


def test_a_dropped_file_of_another_program_is_drawn_and_taken_back_in_one_step(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "marks.xml"
    formats.write(path, formats.dialect_named("asap"), boxes(3), SlideFrame(2048, 1536))
    drop(window.canvas, path)
    wait_for_annotations(qtbot, session, 3)
    assert session.annotations.layer in session.layers
    assert session.runs == ()
    assert session.history.undo_name == "Import marks.xml"
    run_command(session, "edit.undo")
    assert session.exchange.n_annotations == 0


def test_a_table_without_a_unit_is_asked_about(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "points.csv"
    path.write_text("x,y\n100,200\n")
    run_command(session, "file.import")
    (files,) = window.findChildren(QFileDialog)
    files.fileSelected.emit(str(path))
    files.close()
    qtbot.waitUntil(lambda: bool(window.findChildren(ImportOptionsDialog)))
    dialog = shown(window, ImportOptionsDialog)
    unit = dialog.form.editor("unit")
    assert isinstance(unit, QComboBox)
    unit.setCurrentText("um")
    qtbot.mouseClick(dialog.accept_button, LEFT)
    wait_for_annotations(qtbot, session, 1)
    (point,) = session.annotations.document or ()
    assert point.geometry.coords[0] == (200, 400)


def test_what_cannot_be_meant_keeps_the_question_open(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "mask.png"
    write_mask(path)
    session.exchange.import_file(path)
    qtbot.waitUntil(lambda: bool(window.findChildren(ImportOptionsDialog)))
    dialog = shown(window, ImportOptionsDialog)
    offset = dialog.form.editor("offset")
    assert isinstance(offset, QLineEdit)
    offset.setText("somewhere")
    qtbot.mouseClick(dialog.accept_button, LEFT)
    assert dialog.isVisible()
    offset.setText("100,50")
    qtbot.mouseClick(dialog.accept_button, LEFT)
    wait_for_annotations(qtbot, session, 1)
    (mask,) = session.annotations.document or ()
    assert mask.geometry.bounds == (104, 54, 112, 60)


def write_mask(path: Path) -> None:
    import numpy as np
    from PIL import Image

    mask = np.zeros((20, 20), np.uint8)
    mask[4:10, 4:12] = 1
    Image.fromarray(mask).save(path)


def test_annotations_alone_can_be_exported_in_another_format(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    assert not window.actions_by_id["file.export"].isEnabled()
    session.annotations.apply("Draw", Change.adding(boxes(3)))
    assert window.actions_by_id["file.export"].isEnabled()
    run_command(session, "file.export")
    dialog = shown(window, ExportDialog)
    assert dialog.what.currentData() == "annotations"
    assert not dialog.only_chosen.isEnabled()
    assert dialog.gzip.isVisible()
    dialog.format.setCurrentText("ASAP")
    assert dialog.file.text().endswith("tissue.xml")
    assert not dialog.gzip.isVisible()
    target = tmp_path / "out.xml"
    dialog.file.setText(str(target))
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(target.exists, timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: not session.is_busy)
    found = list(formats.read(target, SlideFrame(2048, 1536)))
    assert len(found) == 3
    assert session.settings.export.format == "asap"


def test_only_the_chosen_annotations_go_out(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    drawn = boxes(3)
    session.annotations.apply("Draw", Change.adding(drawn))
    session.annotations.select([drawn[1].id])
    run_command(session, "file.export")
    dialog = shown(window, ExportDialog)
    dialog.only_chosen.setChecked(True)
    target = tmp_path / "out.geojson"
    dialog.file.setText(str(target))
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil(target.exists, timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: not session.is_busy)
    (one,) = formats.read(target, SlideFrame(2048, 1536))
    assert one.id == drawn[1].id


def test_tiles_are_cut_by_a_job(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    session.annotations.apply("Draw", Change.adding(boxes(3)))
    run_command(session, "file.export_tiles")
    dialog = shown(window, ExportTilesDialog)
    assert not dialog.all_slides.isEnabled()
    (tmp_path / "something").write_text("")
    for place, words in ((tmp_path, "not empty"), (tmp_path / "something", "is a file")):
        dialog.file.setText(str(place))
        qtbot.mouseClick(dialog.accept_button, LEFT)
        assert dialog.isVisible()
        assert words in dialog.problem.text()
    dialog.file.setText(str(tmp_path / "tiles"))
    dialog.form.set_values({"tile_px": 256})
    qtbot.mouseClick(dialog.accept_button, LEFT)
    qtbot.waitUntil((tmp_path / "tiles" / "README.txt").exists, timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: not session.is_busy)
    assert list((tmp_path / "tiles" / "masks").iterdir())
    assert not [one for one in window.findChildren(Dialog) if one.isVisible()]

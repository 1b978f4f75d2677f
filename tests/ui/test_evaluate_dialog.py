"""An evaluation by the window, with a real worker."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from makers import he_scene
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from pathoview.core.paths import cache_folder
from pathoview.session.session import Session
from pathoview.ui.dialogs.evaluate import EvaluateDialog
from pathoview.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
_PATIENCE_MS = 60_000


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> EvaluateDialog:
    """The dialog, opened by its entry in the menu."""
    window.actions_by_id["evaluate.show"].trigger()
    (dialog,) = window.findChildren(EvaluateDialog)
    qtbot.waitExposed(dialog)
    return dialog


def fill(dialog: EvaluateDialog, folder: Path) -> None:
    """Write a picture with its nuclei, and name the folders."""
    field = he_scene(400, 300, seed=2, mpp=0.5)
    for part, pixels in (("images", field.rgb[..., ::-1]), ("labels", field.labels)):
        (folder / part).mkdir()
        kind = np.uint8 if part == "images" else np.uint16
        cv2.imwrite(str(folder / part / "a.png"), pixels.astype(kind))
    question = dialog.question
    question.images.line.setText(str(folder / "images"))
    question.labels.line.setText(str(folder / "labels"))
    question.mpp.setValue(0.5)
    titles = [question.model.itemText(place) for place in range(question.model.count())]
    question.model.setCurrentIndex(titles.index("Nuclei by stain and watershed"))


def test_scores_are_shown_and_what_is_behind_a_cell_is_flown_to(
    qtbot: QtBot, session: Session, dialog: EvaluateDialog, tmp_path: Path
) -> None:
    notices: list[str] = []
    session.notice.connect(lambda notice: notices.append(notice.text))
    qtbot.mouseClick(dialog.start, LEFT)
    assert "Name a folder" in dialog.problem.text()
    fill(dialog, tmp_path)
    qtbot.mouseClick(dialog.start, LEFT)
    assert dialog.stop.isVisible()
    qtbot.waitUntil(lambda: dialog.found is not None, timeout=_PATIENCE_MS)
    found = dialog.found
    assert found is not None
    first = found.tables[0].item(0, 0)
    assert first is not None
    assert first.text() == "AJI"
    assert found.heading.text().startswith("Worst places")

    matrix = found.matrix
    cell = matrix.visualItemRect(matrix.item(0, 0)).center()
    qtbot.mouseClick(matrix.viewport(), LEFT, pos=cell)
    assert "Nucleus → Nucleus" in found.heading.toolTip()
    assert found.list.count() > 10
    row = found.list.visualItemRect(found.list.item(1)).center()
    qtbot.mouseClick(found.list.viewport(), LEFT, pos=row)
    qtbot.waitUntil(lambda: session.path == tmp_path / "images" / "a.png")
    place = found.page.of_cell(0, 0)[1]
    qtbot.waitUntil(lambda: session.viewport.center_l0 == pytest.approx((place.x, place.y)))

    qtbot.keyClick(found.list, Qt.Key.Key_Down)
    qtbot.keyClick(found.list, Qt.Key.Key_Return)
    place = found.page.of_cell(0, 0)[2]
    assert session.viewport.center_l0 == pytest.approx((place.x, place.y))
    qtbot.mouseClick(found.worst, LEFT)
    assert found.heading.text().startswith("Worst places")

    qtbot.mouseClick(dialog.save, LEFT)
    (files,) = dialog.findChildren(QFileDialog)
    files.fileSelected.emit(str(tmp_path / "report.html"))
    files.close()
    qtbot.waitUntil(lambda: "“report.html” is written." in notices)
    dialog.close()
    assert list(cache_folder().glob("evaluation-*")) == []


def test_only_what_can_be_compared_is_offered_and_folders_are_asked_for(
    dialog: EvaluateDialog,
) -> None:
    question = dialog.question
    assert question.source.count() == 1  # no slide is open: there are no labels of one's own
    assert question.images.isVisible()
    assert not question.positive.isVisible()
    assert question.second.itemText(0) == "Nothing"
    assert question.said() == {}


def test_labels_at_hand_are_the_default(
    qtbot: QtBot, open_window: MainWindow, session: Session
) -> None:
    open_window.actions_by_id["evaluate.show"].trigger()
    (dialog,) = open_window.findChildren(EvaluateDialog)
    assert session.slide is not None
    assert dialog.question.source.currentText() == "My labels"
    assert not dialog.question.images.isVisible()
    assert dialog.question.said()["slides"] == [str(session.slide.path)]
    dialog.close()

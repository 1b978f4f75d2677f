"""The library of models in the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx_files import NUCLEI_AND_TISSUE, write_network
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from tiny_network import register, tiny_model

from pathoview.methods.library import library
from pathoview.session.session import Session
from pathoview.ui.dialogs.import_network import ImportNetworkDialog
from pathoview.ui.dialogs.model_facts import facts
from pathoview.ui.dialogs.models import ModelsDialog
from pathoview.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
BOUND = {
    "licence": "CC BY-NC 4.0",
    "parents": [{"name": "Encoder", "licence": "Apache-2.0"}],
    "data": [{"name": "S-1", "slide_hash": "0", "n_labels": 3, "held_back_l0": [[0, 0, 9, 9]]}],
    "labels": {"Tumour": 12},
    "metrics": {"accuracy": 0.9},
    "created": "2026-03-01T10:20:30+00:00",
    "seconds": 70,
}


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> ModelsDialog:
    """The dialog with a model that is bound to non-commercial use, and a free one."""
    register(monkeypatch)
    tiny_model("Bound", **BOUND)
    tiny_model("Free", licence="CC0-1.0")
    window.actions_by_id["models.show"].trigger()
    (dialog,) = window.findChildren(ModelsDialog)
    qtbot.waitUntil(lambda: {"Bound", "Free"} <= set(titles(dialog)))
    return dialog


def titles(dialog: ModelsDialog) -> list[str]:
    return [dialog.list.item(place).text().split("\n")[0] for place in range(dialog.list.count())]


def choose(dialog: ModelsDialog, title: str) -> None:
    dialog.list.setCurrentRow(titles(dialog).index(title))


def test_who_may_use_a_model_is_seen_at_once(dialog: ModelsDialog) -> None:
    choose(dialog, "Bound")
    assert dialog.facts.badge.isVisibleTo(dialog)
    assert not dialog.list.currentItem().icon().isNull()
    choose(dialog, "Free")
    assert not dialog.facts.badge.isVisibleTo(dialog)
    assert dialog.list.currentItem().icon().isNull()


def test_everything_that_is_known_is_told(dialog: ModelsDialog, session: Session) -> None:
    (bound,) = [one.card for one in session.models.models if one.card.title == "Bound"]
    told = dict(facts(bound, "Tiny network"))
    assert told["Method"] == "Tiny network, maps tissue"
    assert told["Classes"] == "Nuclei, Background"
    assert told["Quality"].startswith("accuracy 0.900")
    assert told["Learned from"] == "Tumour: 12 labels"
    assert told["Made"] == "2026-03-01 10:20 · trained here · in 1 min 10 s · seed 0"
    assert told["Licence"] == "CC BY-NC 4.0"
    assert told["Began with"] == "Encoder (Apache-2.0)"
    assert told["Data"] == "S-1: learned from, 3 labels, measured on 1 block of it"
    assert "Warns" not in told
    forest = bound.model_copy(update={"settings": {"importances": {"LBP": 0.2, "encoder": 0.8}}})
    assert dict(facts(forest, "Forest"))["Looks at"] == "encoder 80%\nLBP 20%"


def test_a_model_is_renamed_where_it_is_shown(qtbot: QtBot, dialog: ModelsDialog) -> None:
    choose(dialog, "Free")
    dialog.facts.title.setText("Freer")
    dialog.facts.title.editingFinished.emit()
    qtbot.waitUntil(lambda: set(titles(dialog)) >= {"Bound", "Freer"})
    assert dialog.list.currentItem().text().startswith("Freer")


def test_a_model_that_was_removed_is_brought_back(qtbot: QtBot, dialog: ModelsDialog) -> None:
    assert not dialog.undo.isVisible()
    choose(dialog, "Bound")
    qtbot.mouseClick(dialog.remove, LEFT)
    qtbot.waitUntil(lambda: "Bound" not in titles(dialog))
    assert "Bound" not in [one.card.title for one in library()]
    qtbot.mouseClick(dialog.undo, LEFT)
    qtbot.waitUntil(lambda: "Bound" in titles(dialog))
    assert not dialog.undo.isVisible()


def test_a_model_goes_out_and_comes_in(
    qtbot: QtBot, dialog: ModelsDialog, session: Session, tmp_path: Path
) -> None:
    choose(dialog, "Free")
    qtbot.mouseClick(dialog.export, LEFT)
    (files,) = dialog.findChildren(QFileDialog)
    files.fileSelected.emit(str(tmp_path / "free.safetensors"))
    files.close()
    qtbot.waitUntil((tmp_path / "free.json").exists)
    qtbot.mouseClick(dialog.remove, LEFT)
    qtbot.waitUntil(lambda: "Free" not in titles(dialog))
    qtbot.mouseClick(dialog.import_file, LEFT)
    files = dialog.findChildren(QFileDialog)[-1]
    files.fileSelected.emit(str(tmp_path / "free.safetensors"))
    files.close()
    qtbot.waitUntil(lambda: "Free" in titles(dialog))
    choose(dialog, "Free")
    assert "imported" in dialog.list.currentItem().text()


def test_a_network_is_asked_about_until_nothing_is_wrong(
    qtbot: QtBot, dialog: ModelsDialog, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    path = write_network(tmp_path / "net.onnx", {**NUCLEI_AND_TISSUE, "classes": ["Nucleus"]})
    qtbot.mouseClick(dialog.import_file, LEFT)
    files = dialog.findChildren(QFileDialog)[-1]
    files.fileSelected.emit(str(path))
    files.close()
    (asking,) = dialog.findChildren(ImportNetworkDialog)
    assert asking.form.values()["title"] == "Dark and bright"
    assert asking.form.values()["mpp"] == 0.5
    qtbot.mouseClick(asking.run, LEFT)
    qtbot.waitUntil(lambda: "1 class, the network gives 2 maps" in asking.problem.text())
    assert asking.isVisible()
    asking.form.set_values({"classes": "Nucleus, Tissue=#c8a03c", "mpp": 0.25})
    qtbot.mouseClick(asking.run, LEFT)
    qtbot.waitUntil(lambda: "Dark and bright" in titles(dialog))
    choose(dialog, "Dark and bright")
    assert "A network from elsewhere" in dialog.list.currentItem().text()
    qtbot.mouseClick(dialog.export, LEFT)
    files = dialog.findChildren(QFileDialog)[-1]
    files.fileSelected.emit(str(tmp_path / "out.onnx"))
    files.close()
    qtbot.waitUntil((tmp_path / "out.json").exists)
    assert (tmp_path / "out.onnx").read_bytes() == path.read_bytes()
    assert '"mpp": 0.25' in (tmp_path / "out.json").read_text("utf-8")


def test_a_model_is_used_on_the_open_slide_only(dialog: ModelsDialog) -> None:
    assert not dialog.apply.isEnabled()
    dialog.close()


def test_what_can_be_set_goes_with_the_model_that_is_applied(
    qtbot: QtBot, dialog: ModelsDialog, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(dialog, "Free")
    assert not dialog.form.isVisible()
    tiny_model("Slides", method="attention_mil", kind="bag")
    session.models.refresh()
    qtbot.waitUntil(lambda: "Slides" in titles(dialog))
    applied: list[tuple[str, object]] = []
    monkeypatch.setattr(session.models, "can_apply", lambda _card: True)
    monkeypatch.setattr(
        session.models, "apply", lambda one, params: applied.append((one.card.title, params))
    )
    choose(dialog, "Slides")
    assert dialog.form.isVisible()
    dialog.form.set_values({"overlap": 0.5})
    qtbot.mouseClick(dialog.apply, LEFT)
    assert applied == [("Slides", {"overlap": 0.5})]

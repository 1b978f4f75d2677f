"""The device in the tool bar, and its card."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from pathoview.jobs.runner import JobRequest
from pathoview.session.device_desk import DeviceFacts, Gpu, MeasuredPath
from pathoview.session.session import Session
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.device import DeviceCard

LEFT = Qt.MouseButton.LeftButton
FACTS = DeviceFacts(name="cpu", reason="No GPU was found.")
EXACT = MeasuredPath(path="float32", seconds=2, speed_up=1, max_error=0, tolerance=0, problem="")
MISSING = MeasuredPath(
    path="onnx", seconds=None, speed_up=None, max_error=None, tolerance=None, problem="It lacks."
)


@pytest.fixture
def card(qtbot: QtBot, window: MainWindow, session: Session) -> DeviceCard:
    """The card, opened by the button; what the device is, is known already."""
    session.models.device.facts = FACTS
    qtbot.mouseClick(window.tools.device, LEFT)
    return window.tools.device.card


def words(card: DeviceCard) -> str:
    return "\n".join(one.text() for one in card.findChildren(QLabel) if one.isVisibleTo(card))


def test_the_card_tells_what_computes_and_why(card: DeviceCard) -> None:
    assert card.isVisible()
    assert card.name.text() == "Processor"
    assert card.reason.text() == "No GPU was found."
    assert card.path.text() == "float32, exact"
    assert not card.reset.isVisible()


def test_a_gpu_tells_how_full_it_is(qtbot: QtBot, card: DeviceCard, session: Session) -> None:
    gpu = Gpu(title="Model T", used_bytes=2**30, total_bytes=4 * 2**30)
    session.models.device.facts = DeviceFacts(name="cuda:0", reason="Using it.", gpus=(gpu,))
    card.refresh()
    assert card.name.text() == "Model T"
    qtbot.waitUntil(lambda: "1.0 GiB of 4.0 GiB in use" in words(card))
    (bar,) = [one for one in card.findChildren(QProgressBar) if "Model T" in one.accessibleName()]
    assert bar.value() == 25


def test_what_was_measured_is_a_table_and_float32_can_be_taken_back(
    qtbot: QtBot, card: DeviceCard, session: Session
) -> None:
    desk = session.models.device
    desk.measured = [EXACT, MISSING]
    desk.pin("onnx")
    assert card.path.text() == "ONNX Runtime"
    qtbot.waitUntil(lambda: "2 s" in words(card))
    assert "It lacks." in words(card)
    qtbot.mouseClick(card.reset, LEFT)
    assert session.settings.numerics == "float32"
    assert not card.reset.isVisible()


def test_measuring_goes_on_in_a_worker(
    qtbot: QtBot, card: DeviceCard, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[JobRequest] = []
    desk = session.models.device
    submit = desk._runner.submit
    elsewhere = JobRequest("pathoview.core.paths:none", {}, "no task")

    def submitted(request: JobRequest) -> object:
        asked.append(request)
        return submit(elsewhere)

    monkeypatch.setattr(desk._runner, "submit", submitted)
    qtbot.mouseClick(card.measure, LEFT)
    assert card.stop.isVisible()
    assert not card.measure.isVisible()
    qtbot.waitUntil(lambda: not desk.is_measuring, timeout=60_000)
    assert [one.task for one in asked] == ["pathoview.tasks.tune:run"]
    assert card.problem.isVisible()
    assert card.measure.isVisible()


def test_the_load_is_looked_at_only_while_the_card_is_seen(card: DeviceCard) -> None:
    assert card._timer.isActive()
    card.hide()
    assert not card._timer.isActive()


def test_the_command_opens_the_card(window: MainWindow, session: Session) -> None:
    session.models.device.facts = FACTS
    window.actions_by_id["models.device"].trigger()
    assert window.tools.device.card.isVisible()
    window.tools.device.card.hide()

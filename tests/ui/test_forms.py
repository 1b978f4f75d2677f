from __future__ import annotations

from typing import Literal

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox
from pytestqt.qtbot import QtBot

from pathoview.core.params import BaseParams, form_rows, param
from pathoview.ui.forms import ParamForm


class Params(BaseParams):
    stain: Literal["h_e", "h_dab"] = param("h_e", "Stain", "Which stain the slide has.")
    smallest_um2: float = param(8.0, "Smallest", "Smaller ones are left out.", unit="µm²", ge=0)
    strength: float = param(0.275, "Strength", "How strongly it is smoothed.", ge=0, le=1)
    n_rounds: int = param(3, "Rounds", "How often.", ge=1, le=9)
    split: bool = param(True, "Split", "Part touching nuclei.")


@pytest.fixture
def form(qtbot: QtBot) -> ParamForm:
    form = ParamForm(form_rows(Params))
    qtbot.addWidget(form)
    form.show()
    return form


def test_the_form_holds_the_defaults_and_they_are_valid(form: ParamForm) -> None:
    assert Params.parse(form.values()) == Params()
    assert form.is_default


def test_editors_know_bounds_unit_and_help(form: ParamForm) -> None:
    smallest, rounds = form.editor("smallest_um2"), form.editor("n_rounds")
    assert isinstance(smallest, QDoubleSpinBox)
    assert isinstance(rounds, QSpinBox)
    assert smallest.suffix() == " µm²"
    assert smallest.minimum() == 0
    assert (rounds.minimum(), rounds.maximum()) == (1, 9)
    assert "left out" in smallest.toolTip()
    assert smallest.accessibleName() == "Smallest"


def test_a_default_is_shown_with_all_its_digits(form: ParamForm) -> None:
    strength = form.editor("strength")
    assert isinstance(strength, QDoubleSpinBox)
    assert strength.decimals() == 3
    assert strength.value() == 0.275


def test_typing_changes_the_value_and_reset_puts_it_back(form: ParamForm, qtbot: QtBot) -> None:
    rounds = form.editor("n_rounds")
    assert isinstance(rounds, QSpinBox)
    rounds.selectAll()
    with qtbot.waitSignal(form.changed):
        qtbot.keyClicks(rounds, "7")
    assert form.values()["n_rounds"] == 7
    assert not form.is_default
    form.reset()
    assert form.is_default


def test_clicking_a_switch_and_choosing_an_entry_change_values(
    form: ParamForm, qtbot: QtBot
) -> None:
    split, stain = form.editor("split"), form.editor("stain")
    assert isinstance(split, QCheckBox)
    assert isinstance(stain, QComboBox)
    qtbot.mouseClick(split, Qt.MouseButton.LeftButton, pos=QPoint(8, split.height() // 2))
    stain.setFocus()
    qtbot.keyClick(stain, Qt.Key.Key_Down)
    assert form.values() == {**Params().model_dump(), "split": False, "stain": "h_dab"}


def test_remembered_values_that_are_unknown_now_are_left_out(form: ParamForm) -> None:
    form.set_values({"n_rounds": 5, "gone": 1, "strength": None})
    assert form.values() == {**Params().model_dump(), "n_rounds": 5}


def test_the_wheel_does_not_change_a_value_in_passing(form: ParamForm) -> None:
    rounds = form.editor("n_rounds")
    form.editor("split").setFocus()
    turn = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(rounds, turn)
    assert form.values()["n_rounds"] == 3

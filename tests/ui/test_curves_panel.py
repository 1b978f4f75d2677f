"""The curves of a training: what is drawn beside the loss, and what is said below."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from pathoview.ui.panels.curves import Curves


def facts(qtbot: QtBot, *points: dict[str, float]) -> str:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.show_curve(points)
    return curves.facts


def test_the_metric_and_its_best_are_said_beside_the_loss(qtbot: QtBot) -> None:
    said = facts(
        qtbot,
        {"step": 1, "loss": 2.0, "f1": 0.5},
        {"step": 2, "loss": 1.0, "f1": 0.25},
    )
    assert said == "loss 1.5 · F1 0.250, best 0.500"


def test_parts_of_the_loss_are_no_metrics(qtbot: QtBot) -> None:
    said = facts(
        qtbot,
        {"step": 1, "loss": 2.0, "loss_voronoi": 0.7},
        {"step": 2, "loss": 2.0, "loss_voronoi": 0.6},
    )
    assert said == "loss 2"

"""The runs of the open slide, newest first: show, hide, remove from view."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.runs import RunView
from pathoview.ui.text import area_text, objects_text, tiles_text
from pathoview.ui.widgets import ElidedLabel, clear_layout, column, eye_button, icon_button, row

_STATES = {
    "running": _("running"),
    "cancelled": _("stopped"),
    "failed": _("failed"),
    "done": "",
}


class RunList(QWidget):
    """One line a run."""

    remove_requested = Signal(object)
    """(RunView)"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._shown: tuple[object, ...] = ()

    def show_runs(self, runs: tuple[RunView, ...]) -> None:
        """Show these runs; the lines are only made anew when something about them changed."""
        newest_first = runs[::-1]
        facts = tuple(
            (run.path, run.record.state, _found_text(run), _is_seen(run)) for run in newest_first
        )
        if facts == self._shown:
            return
        self._shown = facts
        clear_layout(self._layout)
        for run in newest_first:
            self._layout.addWidget(self._line(run))

    def _line(self, run: RunView) -> QWidget:
        eye = eye_button(_("Show or hide this run"))
        eye.setChecked(_is_seen(run))
        eye.toggled.connect(_layers_switch(run))
        remove = icon_button(
            "trash",
            _("Remove from view; the file of the run is kept"),
            lambda: self.remove_requested.emit(run),
        )
        words = column(ElidedLabel(run.record.title), ElidedLabel(_facts(run), "muted"), spacing=0)
        line = row(eye, words, remove)
        line.setStretchFactor(words, 1)
        box = QWidget()
        box.setLayout(line)
        box.setAccessibleName(f"{run.record.title}, {_facts(run)}")
        return box


def _facts(run: RunView) -> str:
    parts = [_found_text(run), _time_text(run.record.started)]
    if state := _STATES[run.record.state]:
        parts.append(state)
    return " · ".join(parts)


def _found_text(run: RunView) -> str:
    if run.map is not None:
        return area_text(run.map.area_mm2)
    if run.attention is not None:
        return tiles_text(run.attention.n_tiles)
    if run.synthesis is not None:
        return area_text(run.synthesis.area_mm2)
    return objects_text(run.statistics.n)


def _is_seen(run: RunView) -> bool:
    return any(layer.visible for layer in run.layers)


def _time_text(iso_utc: str) -> str:
    """Return a time of today as ``14:05``, others as ``2026-03-01 14:05``, in local time."""
    when = datetime.fromisoformat(iso_utc).astimezone()
    today = datetime.now().astimezone().date()
    return when.strftime("%H:%M" if when.date() == today else "%Y-%m-%d %H:%M")


def _layers_switch(run: RunView) -> Callable[[bool], None]:
    def switch(on: bool) -> None:
        shown = run.shown_first if on else run.layers
        for layer in shown:
            layer.visible = on

    return switch

"""The rounds of teaching: what each was worth, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.teach_desk import TeachDesk
from pathoview.ui import theme
from pathoview.ui.panels.curves import metric_title
from pathoview.ui.panels.hard_places import HardPlaces
from pathoview.ui.widgets import button, fit_to_rows, label, row

_MOST_SHOWN = 4


class TeachRounds(QWidget):
    """A list, the newest first; the chosen one is applied to the slide, or to all of them."""

    def __init__(self, teaching: TeachDesk, fly: Callable[[Rect], None]) -> None:
        super().__init__()
        self._teaching = teaching
        self._title = label(_("Rounds"), "heading")
        self.list = QListWidget()
        self.list.setAccessibleName(_("Rounds of teaching"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.apply = button(_("Apply to slide"), self.apply_chosen, "analyze", primary=True)
        self.apply_all = button(_("Apply to all"), self.apply_chosen_to_all, "slides")
        self.apply_all.setToolTip(_("Every slide of the study, one after the other"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self._title)
        layout.addWidget(self.list)
        layout.addLayout(row(self.apply, self.apply_all, 1))
        self.hard_places = HardPlaces(fly)
        layout.addWidget(self.hard_places)
        self.list.currentRowChanged.connect(self._show_hard_places)
        teaching.changed.connect(self._show_hard_places)
        teaching.rounds_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the rounds as they are now; the newest is chosen."""
        rounds = self._teaching.rounds
        self.setVisible(bool(rounds))
        self.apply_all.setVisible(self._teaching.can_apply_to_all)
        self.list.clear()
        for one in rounds:
            item = QListWidgetItem(_line(one.card.title, one.card.metrics, one.card.created))
            item.setToolTip(_tip(one.card.labels, one.card.seconds))
            self.list.addItem(item)
        fit_to_rows(self.list, _MOST_SHOWN)
        if rounds:
            self.list.setCurrentRow(0)

    def _show_hard_places(self) -> None:
        place, rounds = self.list.currentRow(), self._teaching.rounds
        if 0 <= place < len(rounds):
            areas = rounds[place].card.areas
            self.hard_places.show_places(self._teaching.places_of(rounds[place]), len(areas))

    def apply_chosen(self) -> None:
        """Use the chosen round on the open slide."""
        place = self.list.currentRow()
        if place >= 0:
            self._teaching.apply(self._teaching.rounds[place])

    def apply_chosen_to_all(self) -> None:
        """Use the chosen round on all slides of the study."""
        place = self.list.currentRow()
        if place >= 0:
            self._teaching.apply_to_all(self._teaching.rounds[place])


def _line(title: str, metrics: dict[str, float], created: str) -> str:
    worth = " · ".join(f"{metric_title(name)} {value:.2f}" for name, value in metrics.items())
    when = created[:16].replace("T", " ")
    return f"{title}\n{worth or when}"


def _tip(labels: dict[str, int], seconds: float) -> str:
    counts = ", ".join(f"{name or _('labels')} {n}" for name, n in labels.items())
    return _("Learned from {counts} in {seconds:.0f} s").format(counts=counts, seconds=seconds)

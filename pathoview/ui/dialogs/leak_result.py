"""What a check for leaks has found: findings, their pairs of pictures, labels by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.leak_desk import LeakFinding, LeakPage, LeakPair, LeakSide
from pathoview.ui import icons, theme
from pathoview.ui.widgets import card, column, label, row, scrolled

_LIST_PX = 300
_PAIRS_PX = 500
_SIDE_PX = 160
_ROW_PX = 26
_MOST_ROWS = 6


class LeakResult(QWidget):
    """The pairs of the chosen finding lie beside the list."""

    def __init__(self, page: LeakPage) -> None:
        super().__init__()
        splits = ", ".join(f"{split}: {n:,}" for split, n in page.splits.items())
        self.summary = label(page.summary, "title")
        self.list = _findings(page.findings)
        self.setFocusProxy(self.list)
        self.pairs = QStackedWidget()
        for one in page.findings:
            self.pairs.addWidget(scrolled(_pairs(one)))
        self.list.currentRowChanged.connect(self.pairs.setCurrentIndex)
        self.list.setCurrentRow(0)
        self.priors = _priors_table(page.priors, list(page.splits))
        heading = label(_("Labels by split"), "heading")
        beside = QSplitter()
        beside.addWidget(self.list)
        beside.addWidget(self.pairs)
        beside.setSizes([_LIST_PX, _PAIRS_PX])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.summary)
        layout.addWidget(label(" · ".join([splits, *page.warnings]), "muted"))
        layout.addWidget(beside, 1)
        layout.addWidget(heading)
        layout.addWidget(self.priors)
        layout.addStretch(0 if page.findings else 1)
        beside.setVisible(bool(page.findings))
        for part in (heading, self.priors):
            part.setVisible(bool(page.priors))


def _findings(findings: Sequence[LeakFinding]) -> QListWidget:
    box = QListWidget()
    box.setAccessibleName(_("Findings"))
    box.setWordWrap(True)
    box.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    for one in findings:
        is_leak = one.severity == "error"
        item = QListWidgetItem(one.sentence)
        item.setIcon(icons.icon("error", "error") if is_leak else icons.icon("warning", "warning"))
        item.setToolTip(_("Leak") if is_leak else _("Warning"))
        box.addItem(item)
    return box


def _pairs(finding: LeakFinding) -> QWidget:
    """Return the pairs of a finding, one below the other."""
    parts: list[QWidget | int] = [_pair(pair) for pair in finding.pairs]
    if not parts:
        parts.append(label(_("No pictures belong to this."), "muted"))
    more = finding.n_pairs - len(finding.pairs)
    if more > 0:
        text = ngettext("{n} more pair is not shown.", "{n} more pairs are not shown.", more)
        parts.append(label(text.format(n=more), "muted"))
    return column(*parts, 1)


def _pair(pair: LeakPair) -> QWidget:
    sides = row(*(_side(side) for side in pair.items), 1, spacing=2 * theme.GRID)
    return card(label(pair.note, "muted"), sides) if pair.note else card(sides)


def _side(side: LeakSide) -> QWidget:
    said = " · ".join(filter(None, (side.split, side.label)))
    picture = QLabel()
    pixmap = QPixmap()
    if pixmap.loadFromData(side.png):
        picture.setPixmap(pixmap)
        picture.setAccessibleName(side.name)
    else:
        picture.setText(_("It cannot be read."))
    made = column(picture, label(side.name, selectable=True), label(said, "small"), 1)
    made.setFixedWidth(_SIDE_PX + 2 * theme.GRID)
    return made


def _priors_table(priors: Mapping[str, Mapping[str, int]], splits: Sequence[str]) -> QTableWidget:
    """Return how many of each split have each label, and which share of the split that is."""
    table = QTableWidget(len(priors), len(splits))
    table.setAccessibleName(_("Labels by split"))
    table.setHorizontalHeaderLabels(list(splits))
    table.setVerticalHeaderLabels(list(priors))
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    table.verticalHeader().setDefaultSectionSize(_ROW_PX)
    table.setFixedHeight(_ROW_PX * (min(_MOST_ROWS, len(priors)) + 1) + theme.GRID)
    totals = {split: sum(counts.get(split, 0) for counts in priors.values()) for split in splits}
    for line, counts in enumerate(priors.values()):
        for place, split in enumerate(splits):
            n = counts.get(split, 0)
            item = QTableWidgetItem(f"{n:,} ({n / max(1, totals[split]):.0%})")
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            table.setItem(line, place, item)
    return table

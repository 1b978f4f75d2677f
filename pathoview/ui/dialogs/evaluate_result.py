"""What an evaluation has found: scores, the confusion matrix, and places to fly to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.evaluate_desk import (
    Confusion,
    EvaluatedPage,
    EvaluatedPlace,
    EvaluatedTable,
)
from pathoview.ui import theme
from pathoview.ui.widgets import ElidedLabel, button, column, label, row, scrolled

_ROW_PX = 26
_ICON_PX = 84
_SIDES_PX = (560, 380)
_PALEST, _DARKEST = 16, 150
"""Opacities, of 255, of an empty cell and of one that has all of its row."""


class EvaluateResult(QWidget):
    """Scores and matrix on the left; places on the right: those of a cell, or the worst."""

    def __init__(self, page: EvaluatedPage, fly: Callable[[EvaluatedPlace], None]) -> None:
        super().__init__()
        self.page = page
        self._fly = fly
        self._places: Sequence[EvaluatedPlace] = ()
        self.tables = [score_table(one) for one in page.tables]
        self.matrix = confusion_table(page.confusion)
        self.matrix.cellClicked.connect(self.show_cell)
        self.matrix.cellActivated.connect(self.show_cell)
        self.heading = ElidedLabel("", "heading")
        self.worst = button(_("Worst places"), self.show_worst)
        self.list = QListWidget()
        self.list.setAccessibleName(_("Places"))
        self.setFocusProxy(self.list)
        self.list.setIconSize(QSize(_ICON_PX, _ICON_PX))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        beside = QSplitter()
        beside.addWidget(self._left())
        hint = label(_("Click a place, or press Enter on it, to see it on the slide."), "muted")
        beside.setHandleWidth(2 * theme.GRID)
        head = row()
        head.addWidget(self.heading, 1)
        head.addWidget(self.worst)
        beside.addWidget(column(head, self.list, hint))
        beside.setSizes(list(_SIDES_PX))
        n = ngettext("{n} image", "{n} images", page.n).format(n=page.n)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(label(page.title, "title"))
        layout.addWidget(label(" · ".join([n, *page.warnings]), "muted"))
        layout.addWidget(beside, 1)
        self.show_worst()

    def _left(self) -> QWidget:
        parts: list[QWidget | int] = []
        for one, table in zip(self.page.tables, self.tables, strict=True):
            parts += [label(one.title, "heading"), table]
        text = _("Rows: the truth. Columns: what was said. Click a cell to see what is behind it.")
        parts += [label(_("What was taken for what"), "heading"), self.matrix]
        return scrolled(column(*parts, label(text, "muted"), 1))

    def show_worst(self) -> None:
        """List the worst places of all."""
        self.worst.setVisible(False)
        self._show(_("Worst places"), self.page.worst)

    def show_cell(self, line: int, column_number: int) -> None:
        """List what is behind a cell of the matrix, the worst first."""
        said = self.page.confusion
        self.worst.setVisible(True)
        names = said.rows[line], said.columns[column_number]
        places, n = self.page.of_cell(line, column_number), said.matrix[line][column_number]
        heading = f"{names[0]} → {names[1]}"
        if len(places) < n:
            heading = _("{cell}, the first of {n:,}").format(cell=heading, n=n)
        self._show(heading, places)

    def _show(self, heading: str, places: Sequence[EvaluatedPlace]) -> None:
        n = ngettext("{n} place", "{n} places", len(places)).format(n=len(places))
        self.heading.set_text(f"{heading} · {n}")
        self._places = places
        pictures = {_key(one): one.png for one in self.page.worst}
        self.list.clear()
        for one in places:
            item = QListWidgetItem(self._words(one))
            pixmap = QPixmap()
            if pixmap.loadFromData(one.png or pictures.get(_key(one), b"")):
                item.setIcon(QIcon(pixmap))
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _words(self, one: EvaluatedPlace) -> str:
        said, (line, column_number) = self.page.confusion, one.cells[0]
        kind = self.page.words.get(one.kind, one.kind)
        if one.kind == "class":
            kind = f"{said.rows[line]} → {said.columns[column_number]}"
        unit = f" {one.unit}" if one.unit else ""
        return f"{kind}, {one.amount:.3g}{unit}\n{one.image}\n{one.x:.0f}, {one.y:.0f}"

    def _on_chosen(self, item: QListWidgetItem) -> None:
        self._fly(self._places[self.list.row(item)])


def _key(one: EvaluatedPlace) -> tuple[str, float, float, str]:
    return one.image, one.x, one.y, one.kind


def score_table(said: EvaluatedTable) -> QTableWidget:
    """Return a table of scores, one a row."""
    table = _table(said.title, len(said.rows), said.head)
    # Names are never cut.
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    table.verticalHeader().hide()
    for line, texts in enumerate(said.rows):
        for place, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if place:
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            table.setItem(line, place, item)
    return table


def confusion_table(said: Confusion) -> QTableWidget:
    """Return a matrix whose cells are the darker, the larger their share of their row."""
    table = _table(_("What was taken for what"), len(said.rows), said.columns)
    table.setVerticalHeaderLabels(list(said.rows))
    accent = QColor(theme.current().accent)
    for line, counts in enumerate(said.matrix):
        total = max(1, sum(counts))
        for place, n in enumerate(counts):
            item = QTableWidgetItem(f"{n:,}")
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            color = QColor(accent)
            color.setAlpha(round(_PALEST + (_DARKEST - _PALEST) * n / total))
            item.setBackground(color)
            item.setToolTip(f"{n / total:.1%}")
            table.setItem(line, place, item)
    return table


def _table(name: str, n_rows: int, head: Sequence[str]) -> QTableWidget:
    """Return a table that is as high as it must be."""
    table = QTableWidget(n_rows, len(head))
    table.setAccessibleName(name)
    for place, text in enumerate(head):
        item = QTableWidgetItem(text)
        item.setToolTip(text)
        table.setHorizontalHeaderItem(place, item)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    table.verticalHeader().setDefaultSectionSize(_ROW_PX)
    table.setFixedHeight(_ROW_PX * (n_rows + 1) + theme.GRID)
    return table

"""The table of objects for Qt: cells are made when they are seen, rows never."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QIcon

from pathoview.annotations.columns import Column, NumberColumn, TextColumn
from pathoview.annotations.detection_rows import CLASS
from pathoview.core.translation import _
from pathoview.session.object_table import TableView
from pathoview.ui import icons

AnyIndex = QModelIndex | QPersistentModelIndex

_SAMPLE = 2000
_UUID_LETTERS = 36
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_NO_INDEX = QModelIndex()


class ObjectModel(QAbstractTableModel):
    """Shows one `TableView` after the other."""

    def __init__(self, view: TableView, colors: Callable[[], Mapping[str, QColor]]) -> None:
        """``colors``: those of the classes, by their names."""
        super().__init__()
        self._colors = colors
        self._take(view)

    def _take(self, view: TableView) -> None:
        self.view = view
        self._digits = [digits_of(column) for column in view.columns]
        self._swatches: dict[str, QIcon] = {}

    def show_view(self, view: TableView) -> None:
        """Show other objects, columns, or another order."""
        self.beginResetModel()
        self._take(view)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.view.rows)

    def columnCount(self, parent: AnyIndex = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.view.columns)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one cell: its words, and how they stand."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(index.column())
        if role == Qt.ItemDataRole.DecorationRole and self.view.names[index.column()] == CLASS:
            return self._swatch(self.view.columns[index.column()].text(self._row(index.row())))
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return the name of a column, over its values as they stand."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _(self.view.names[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    def widest(self, section: int) -> str:
        """Return a value that takes as much room as any in a column, or nearly."""
        column = self.view.columns[section]
        if isinstance(column, TextColumn):
            return max(column.labels[:_SAMPLE], key=len, default="")
        if not isinstance(column, NumberColumn):
            return "0" * _UUID_LETTERS
        known = column.values[np.isfinite(column.values)]
        largest = max(known.max(initial=0), -10 * known.min(initial=0))  # a sign takes room too
        return f"{float(largest):,.{self._digits[section]}f}"

    def _row(self, place: int) -> int:
        return int(self.view.rows[place])

    def _text(self, place: int, section: int) -> str:
        column, row = self.view.columns[section], self._row(place)
        if not isinstance(column, NumberColumn):
            return column.text(row)
        value = float(column.values[row])
        return "" if math.isnan(value) else f"{value:,.{self._digits[section]}f}"

    def _alignment(self, section: int) -> Qt.AlignmentFlag:
        return _RIGHT if isinstance(self.view.columns[section], NumberColumn) else _LEFT

    def _swatch(self, name: str) -> QIcon | None:
        if name not in self._swatches:
            color = self._colors().get(name)
            self._swatches[name] = QIcon() if color is None else _untinted(icons.swatch(color))
        return self._swatches[name]


def _untinted(icon: QIcon) -> QIcon:
    """Return an icon that keeps its colour in a chosen row."""
    side_px = 2 * icons.SIZE
    icon.addPixmap(icon.pixmap(side_px, side_px), QIcon.Mode.Selected)
    return icon


def digits_of(column: Column) -> int:
    """Return the decimals that suit a column: none for counts, more for small numbers."""
    if not isinstance(column, NumberColumn):
        return 0
    step = max(1, len(column) // _SAMPLE)
    sample = column.values[::step]
    sample = np.abs(sample[np.isfinite(sample)])
    if not len(sample) or (sample == np.rint(sample)).all():
        return 0
    typical = float(np.median(sample))
    return 0 if typical >= 10_000 else 1 if typical >= 100 else 2 if typical >= 1 else 3

"""The table of objects as it is seen and worked with: rows, headers, keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from pathoview.annotations.columns import Rows
from pathoview.annotations.detection_rows import CLASS
from pathoview.annotations.object_filter import Order
from pathoview.core.translation import _
from pathoview.session.object_table import ObjectTable
from pathoview.ui import icons, theme
from pathoview.ui.panels.object_model import ObjectModel

_ROW_PX = 3 * theme.GRID
_MARGIN_PX = 3 * theme.GRID
"""Room beside the words of a cell."""
_LEAST_PX, _MOST_PX = 10 * theme.GRID, 36 * theme.GRID


class ObjectGrid(QTableView):
    """Shows a model. Keys: Return flies to the current object, Ctrl+C copies the chosen rows."""

    chosen = Signal()
    """The person has chosen other rows; see `chosen_places`."""
    fly_requested = Signal(int)
    """(place)"""
    copy_requested = Signal()

    def __init__(self, model: ObjectModel, table: ObjectTable) -> None:
        super().__init__()
        self._table = table
        self._model = model
        self._widths: dict[str, int] = {}
        self._is_following = False
        """What is chosen changes because something else was chosen elsewhere."""
        self.setModel(model)
        self.setAccessibleName(_("Table of objects"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_headers()
        self.doubleClicked.connect(lambda index: self.fly_requested.emit(index.row()))
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)

    def _set_headers(self) -> None:
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)  # a million are never measured
        rows.setMinimumSectionSize(_ROW_PX)
        rows.setDefaultSectionSize(_ROW_PX)
        rows.hide()
        columns = self.horizontalHeader()
        columns.setSectionsMovable(False)
        columns.setHighlightSections(False)
        columns.setSectionsClickable(True)
        columns.setSortIndicatorShown(True)
        columns.setSortIndicatorClearable(True)
        columns.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        columns.sortIndicatorChanged.connect(self._on_sorted)
        columns.sectionResized.connect(self._on_resized)

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the table has now, at the same place, with the same columns as wide."""
        top = self.verticalScrollBar().value()
        self._is_following = True
        self._model.show_view(self._table.view)
        self._is_following = False
        self._lay_out_columns()
        self.verticalScrollBar().setValue(top)

    def _lay_out_columns(self) -> None:
        header, view = self.horizontalHeader(), self._model.view
        header.blockSignals(True)
        for section, name in enumerate(view.names):
            self.setColumnWidth(section, self._widths.get(name) or self._width(section, name))
        order = self._table.order
        section = view.names.index(order.name) if order.name in view.names else -1
        is_descending = order.is_descending and section >= 0
        header.setSortIndicator(
            section,
            Qt.SortOrder.DescendingOrder if is_descending else Qt.SortOrder.AscendingOrder,
        )
        header.blockSignals(False)
        header.viewport().update()
        self.updateGeometries()  # nobody has said that columns have other widths

    def _width(self, section: int, name: str) -> int:
        px = self.fontMetrics().horizontalAdvance
        title, value = px(_(name)), px(self._model.widest(section))
        swatch = icons.SIZE if name == CLASS else 0
        room = max(title + _MARGIN_PX, value + swatch + _MARGIN_PX)
        return min(max(room, _LEAST_PX), _MOST_PX)

    def _on_resized(self, section: int, _old: int, width: int) -> None:
        if section < len(self._model.view.names):
            self._widths[self._model.view.names[section]] = width

    def _on_sorted(self, section: int, order: Qt.SortOrder) -> None:
        names = self._model.view.names
        name = names[section] if 0 <= section < len(names) else ""
        self._table.sort(Order(name, bool(name) and order == Qt.SortOrder.DescendingOrder))

    # -- what is chosen --------------------------------------------------------------------------

    def chosen_places(self) -> Rows:
        """Return the places of the chosen rows, ascending."""
        is_chosen = np.zeros(self._model.rowCount(), bool)
        for span in self.selectionModel().selection().toList():
            is_chosen[span.top() : span.bottom() + 1] = True
        return np.flatnonzero(is_chosen)

    @property
    def current_place(self) -> int | None:
        index = self.currentIndex()
        return index.row() if index.isValid() else None

    def show_chosen(self, places: Sequence[int], *, scroll: bool) -> None:
        """Mark rows that were chosen elsewhere, and scroll to the first if that is wished for."""
        self._is_following = True
        model, selection = self._model, QItemSelection()
        last = model.columnCount() - 1
        for first, end in spans_of(places):
            selection.select(model.index(first, 0), model.index(end, last))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if len(places):
            top = model.index(places[0], max(self.currentIndex().column(), 0))
            flags = QItemSelectionModel.SelectionFlag.NoUpdate
            if self.current_place not in places:
                self.selectionModel().setCurrentIndex(top, flags)
            if scroll:
                self.scrollTo(top, QAbstractItemView.ScrollHint.EnsureVisible)
        self._is_following = False

    def _on_selection_changed(self, _new: QItemSelection, _old: QItemSelection) -> None:
        if not self._is_following:
            self.chosen.emit()

    # -- keys ------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep for the table the keys that would copy something else."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and _is_ours(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Fly to the current row, or copy the chosen ones."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.current_place is not None:
                self.fly_requested.emit(self.current_place)
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit()
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Leave letters alone: a search through a million rows would take seconds."""


def _is_ours(event: QKeyEvent) -> bool:
    keys = (QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.SelectAll)
    return any(event.matches(key) for key in keys)


def spans_of(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first, last) of each run of ascending places that follow one another."""
    if not places:
        return []
    breaks = [place for place, (one, other) in enumerate(pairwise(places), 1) if other != one + 1]
    starts, ends = [0, *breaks], [*breaks, len(places)]
    return [(places[start], places[end - 1]) for start, end in zip(starts, ends, strict=True)]

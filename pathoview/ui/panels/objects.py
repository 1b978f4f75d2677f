"""All objects of the slide as a table, linked with the canvas."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor, QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from pathoview.annotations.table_writer import tsv_text
from pathoview.core.translation import _, ngettext
from pathoview.session.commands import run_command
from pathoview.session.object_table import ObjectTable
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.column_chooser import ColumnChooser
from pathoview.ui.panels.object_filter_bar import ObjectFilterBar
from pathoview.ui.panels.object_grid import ObjectGrid
from pathoview.ui.panels.object_model import ObjectModel
from pathoview.ui.text import count_text, objects_text
from pathoview.ui.widgets import column, icon_button, label, row


class ObjectsPanel(QWidget):
    """Follows the session while it is seen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.table = ObjectTable(session)
        self.filter = ObjectFilterBar(self.table)
        self.grid = ObjectGrid(ObjectModel(self.table.view, self._colors), self.table)
        self.columns = ColumnChooser(self.table, self)
        self.count = label("", "muted")
        self.count.setWordWrap(False)
        self.copy = icon_button("copy", _("Copy the chosen rows"), self.copy_rows)
        self.export = icon_button(
            "export", _("Export table…"), lambda: run_command(session, "objects.export")
        )
        self._empty = label("", "muted")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.grid)
        self._pages.addWidget(column(self._empty, 1, margin=theme.GRID))
        self._lay_out()
        self._shown_view: object = None
        self._is_choosing = False
        self.table.changed.connect(self.refresh)
        self.grid.chosen.connect(self._on_chosen)
        self.grid.fly_requested.connect(self.table.fly)
        self.grid.copy_requested.connect(self.copy_rows)
        session.selection_changed.connect(self._on_selection_changed)
        self.refresh()

    def _lay_out(self) -> None:
        head = row(
            self.filter, self.count, self.columns.opener(), self.copy, self.export, spacing=4
        )
        head.setStretchFactor(self.filter, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID)
        layout.setSpacing(theme.GRID // 2)
        layout.addLayout(head)
        layout.addWidget(self._pages, 1)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the session as long as the table is seen."""
        super().showEvent(event)
        self.table.is_live = True

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self.table.is_live = False

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the table has now."""
        view = self.table.view
        if view is not self._shown_view:
            self._shown_view = view
            self.grid.refresh()
            self.grid.show_chosen(self.table.chosen(), scroll=False)
            self.filter.refresh()
        self.count.setText(self._count_words())
        self._empty.setText(self._empty_words())
        self._pages.setCurrentIndex(0 if len(view.rows) else 1)
        for part in (self.copy, self.export):
            part.setEnabled(bool(len(view.rows)))

    def _count_words(self) -> str:
        view = self.table.view
        shown, total = len(view.rows), len(view.objects)
        if self.table.is_busy:
            return _("Computing…")
        if shown == total:
            return objects_text(total)
        return ngettext("{shown} of {n} object", "{shown} of {n} objects", total).format(
            shown=count_text(shown), n=count_text(total)
        )

    def _empty_words(self) -> str:
        if self._session.slide is None:
            return _("Open a slide to see its objects here.")
        if len(self.table.view.objects):
            return _("No object is like that. Widen the filter, or clear it.")
        return _("Nothing here yet: draw an annotation, or click Analyze.")

    def _colors(self) -> Mapping[str, QColor]:
        runs = (entry for run in self._session.runs for entry in run.source.classes)
        known = [*runs, *(one.drawn for one in self._session.annotations.classes)]
        return {entry.name: QColor(*entry.color) for entry in known}

    # -- what is chosen --------------------------------------------------------------------------

    def _on_chosen(self) -> None:
        """Choose what was chosen here; the table keeps more than can be chosen on the canvas."""
        self._is_choosing = True
        self.table.choose(self.grid.chosen_places(), self.grid.current_place)
        self._is_choosing = False

    def _on_selection_changed(self) -> None:
        if self.table.is_live and not self._is_choosing:
            places = self.table.chosen()
            if places != self.grid.chosen_places().tolist():
                self.grid.show_chosen(places, scroll=True)

    def copy_rows(self) -> None:
        """Put the chosen rows, or else all that are shown, on the clipboard."""
        view = self.table.view
        places = self.grid.chosen_places()
        rows = view.rows[places] if len(places) else view.rows
        headed = {_(name): one for name, one in zip(view.names, view.columns, strict=True)}
        QGuiApplication.clipboard().setText(tsv_text(headed, rows))

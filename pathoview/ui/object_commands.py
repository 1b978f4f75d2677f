"""Answers to the commands about the table of objects, which need a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from pathoview.ui.main_window import MainWindow

_HEIGHT_PX = 300


def object_answers(
    session: Session, window: MainWindow, show: Callable[[Dialog], None]
) -> Mapping[str, Callable[[], object]]:
    """Return what is done for each command, by its id; ``show`` shows a dialog."""

    def show_table() -> None:
        dock = window.docks["objects"]
        was_hidden = dock.isHidden()
        window.docks.bring_front("objects")
        if was_hidden:  # a dock that is opened gets no more than it must have
            window.resizeDocks([dock], [_HEIGHT_PX], Qt.Orientation.Vertical)
        window.objects.grid.setFocus()

    def export_table() -> None:
        from pathoview.ui.dialogs.export_table import ExportTableDialog

        show(ExportTableDialog(session, window.objects.table, window))

    return {"objects.show": show_table, "objects.export": export_table}

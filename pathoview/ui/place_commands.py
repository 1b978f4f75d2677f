"""Answers to the commands about places that need a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pathoview.session.session import Session
from pathoview.ui.clipboard import copy_view
from pathoview.ui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from pathoview.ui.main_window import MainWindow


def place_answers(
    session: Session, window: MainWindow, show: Callable[[Dialog], None]
) -> Mapping[str, Callable[[], object]]:
    """Return what is done for each command, by its id; ``show`` shows a dialog."""
    # Dialogs are imported when they are opened: the window's start does not wait for them.

    def go_to() -> None:
        from pathoview.ui.dialogs.go_to import GoToDialog

        show(GoToDialog(session, window))

    def turn() -> None:
        from pathoview.ui.dialogs.turn import TurnDialog

        show(TurnDialog(session, window))

    def export_view() -> None:
        from pathoview.ui.dialogs.picture import PictureDialog

        show(PictureDialog(session, window))

    def list_bookmarks() -> None:
        window.docks.bring_front("places")
        window.places.list.setFocus()

    return {
        "bookmark.list": list_bookmarks,
        "go.coordinates": go_to,
        "turn.any": turn,
        "view.copy": lambda: copy_view(session, window.canvas.say),
        "view.export": export_view,
    }

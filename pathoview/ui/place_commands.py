"""Answers to the commands about places that need a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog


def place_answers(
    session: Session, window: QWidget, show: Callable[[Dialog], None]
) -> Mapping[str, Callable[[], object]]:
    """Return what is done for each command, by its id; ``show`` shows a dialog."""
    # Dialogs are imported when they are opened: the window's start does not wait for them.

    def go_to() -> None:
        from pathoview.ui.dialogs.go_to import GoToDialog

        show(GoToDialog(session, window))

    def turn() -> None:
        from pathoview.ui.dialogs.turn import TurnDialog

        show(TurnDialog(session, window))

    return {"go.coordinates": go_to, "turn.any": turn}

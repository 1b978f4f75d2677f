"""Everything that was done to the slide; a click goes back to it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session


class HistoryPanel(QWidget):
    """Follows the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

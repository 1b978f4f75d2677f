"""The classes of the study: chosen, made, coloured, given a meaning."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session


class ClassesPanel(QWidget):
    """Follows the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

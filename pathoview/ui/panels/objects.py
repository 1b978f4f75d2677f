"""All objects of the slide as a table, linked with the canvas."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session


class ObjectsPanel(QWidget):
    """Follows the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

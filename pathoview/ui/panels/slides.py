"""The slides of the study: found, ordered, opened, described."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session


class SlidesPanel(QWidget):
    """Follows the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

"""The Tiles panel: what a model made of the tiles of a whole slide, looked at and answered."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.panels.tile_review_page import TileReviewPage
from pathoview.ui.widgets import column, label, scrolled


class TilesPanel(QWidget):
    """Pages of one subject: the review of a run, and what else there is to see of its tiles."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures = TilePictures(session, self)
        self.review = TileReviewPage(session, self.pictures)
        note = label(_("Research use only"), "muted")
        note.setToolTip(RESEARCH_USE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scrolled(column(self.review, 1, margin=theme.GRID + 4)), 1)
        layout.addWidget(column(note, margin=theme.GRID + 4))

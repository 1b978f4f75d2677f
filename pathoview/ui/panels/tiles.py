"""The Tiles panel: what a model made of a whole slide and its tiles, looked at and answered."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.case_similar_page import CaseSimilarPage
from pathoview.ui.panels.tile_compare_page import TileComparePage
from pathoview.ui.panels.tile_map_page import TileMapPage
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.panels.tile_review_page import TileReviewPage
from pathoview.ui.panels.tile_similar_page import TileSimilarPage
from pathoview.ui.widgets import column, label, scrolled


class TilesPanel(QWidget):
    """Pages of one subject: the review of a run, and what else there is to see of its tiles."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures = TilePictures(session, self)
        self.review = TileReviewPage(session, self.pictures)
        self.similar = TileSimilarPage(session, self.pictures)
        self.compare = TileComparePage(session, self.pictures)
        self.map = TileMapPage(session)
        self.cases = CaseSimilarPage(session)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(_("Pages about tiles"))
        self.tabs.setProperty("dense", True)
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self._pages = QStackedWidget()
        for title, page in (
            (_("Answers"), self.review),
            (_("Similar"), self.similar),
            (_("Compare"), self.compare),
            (_("Map"), self.map),
            (_("Cases"), self.cases),
        ):
            self.tabs.addTab(title)
            self._pages.addWidget(scrolled(column(page, 1, margin=theme.GRID + 4)))
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        note = label(_("Research use only"), "muted")
        note.setToolTip(RESEARCH_USE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        layout.addWidget(self._pages, 1)
        layout.addWidget(column(note, margin=theme.GRID + 4))

"""A training on labels of slides while it goes on: its steps, curves, and the tiles it keeps."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.slide_learning import Phase
from pathoview.ui import theme
from pathoview.ui.panels.curves import Curves
from pathoview.ui.panels.kept_tiles import KeptTiles
from pathoview.ui.panels.teach_training import TeachTraining
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.widgets import label, shrinkable

_PHASES: Mapping[Phase, str] = {
    "features": _("Tiles are described"),
    "folds": _("Folds are predicted"),
    "model": _("The model learns from all"),
    "shuffled": _("Chance"),
}

_CURVES_PX = 240


class SlideTraining(QWidget):
    """Shown while a training goes on, and after it until the next."""

    def __init__(self, session: Session, pictures: TilePictures) -> None:
        super().__init__()
        self._learning = learning = session.models.learning
        self.phase = label("", "muted")
        self.course = TeachTraining(learning, Curves(height_px=_CURVES_PX))
        self.fold = shrinkable(QComboBox())
        self.fold.setAccessibleName(_("Curve of"))
        self.fold.activated.connect(lambda _place: learning.show_fold(self.fold.currentText()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        self.left_out = label("", "muted")
        self.kept = KeptTiles(session, pictures)
        for part in (self.phase, self.course, self.fold, self.kept, self.left_out):
            layout.addWidget(part)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Show the training as it is now."""
        self.course.refresh()
        job = self._learning.job
        self.phase.setText("" if job is None or job.is_over else self._steps())
        self.phase.setVisible(bool(self.phase.text()))
        self.left_out.setText("\n".join(self._learning.left_out))
        self.left_out.setVisible(bool(self.left_out.text()))
        self._show_folds()

    def show_curve(self) -> None:
        """Show the curve, and what was kept, as they are now."""
        self.course.show_curve()
        self._show_folds()

    def _show_folds(self) -> None:
        """List the folds that have curves, and show the tiles that the chosen one keeps."""
        folds = self._learning.folds
        shown = [self.fold.itemText(place) for place in range(self.fold.count())]
        if shown != list(folds):
            self.fold.clear()
            self.fold.addItems(list(folds))
        self.fold.setCurrentText(self._learning.shown_fold)
        self.fold.setVisible(bool(folds))
        self.kept.show_rounds(self._learning.rounds)

    def _steps(self) -> str:
        """Return the steps, with where one is."""
        texts = []
        for number, phase in enumerate(self._learning.phases, 1):
            mark = "▸ " if phase == self._learning.phase else ""
            texts.append(f"{mark}{number} {_PHASES[phase]}")
        return "    ".join(texts)

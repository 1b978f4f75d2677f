"""Train on labels of slides: what there is to learn from, the training, and what came of it."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QWidget

from pathoview.core.translation import _
from pathoview.jobs.runner import JobState
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.held_out import show_results
from pathoview.ui.dialogs.train_slides_question import TrainSlidesQuestion
from pathoview.ui.links import Links
from pathoview.ui.panels.slide_training import SlideTraining
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.widgets import button, label, scrolled

_SIZE = (680, 760)


class TrainSlidesDialog(Dialog):
    """First the question, then the training, which goes on when the dialog is closed."""

    def __init__(self, session: Session, pictures: TilePictures, parent: QWidget) -> None:
        super().__init__(_("Train on slide labels"), parent)
        self._session = session
        self._learning = learning = session.models.learning
        self.question = TrainSlidesQuestion(session)
        self.training = SlideTraining(session, pictures)
        self.problem = label("", "warning")
        self._pages = QStackedWidget()
        self._pages.addWidget(scrolled(self.question))
        self._pages.addWidget(scrolled(self.training))
        self.start = button(_("Start"), self._start, "teach", primary=True)
        self.results = button(_("Results…"), self.show_results, "results")
        self.apply = button(_("Apply to this slide"), learning.apply, "analyze")
        self.apply_all = button(_("Apply to all slides"), learning.apply_to_all, "slides")
        self.anew = button(_("Train again…"), self._ask_anew, "reset")
        self.leave = button(_("Close"), self.close)
        self.body.addWidget(self._pages, 1)
        self.body.addWidget(self.problem)
        self.add_buttons(
            *(self.anew, 1, self.apply, self.apply_all, self.results, self.leave, self.start)
        )
        self.resize(*_SIZE)
        self._is_asking = learning.job is None
        self._was_training = learning.is_training
        self._links = Links()
        self._links.add(learning.changed, self._refresh)
        self._links.add(learning.curve_grew, self.training.show_curve)
        self._links.add(session.slide_changed, self._refresh)
        self._links.add(session.models.changed, self._refresh)
        self.question.changed.connect(self._refresh_start)
        self.finished.connect(self._links.cut)
        learning.get_ready()
        session.models.refresh()
        self._refresh()

    def _start(self) -> None:
        self._is_asking = False
        self._learning.start(self.question.plan)

    def _ask_anew(self) -> None:
        self._is_asking = True
        self._refresh()

    def show_results(self) -> None:
        """Show what the model did on slides held out."""
        if self._learning.model is not None:
            show_results(self._session, self._learning.model, self.parentWidget())

    def _refresh(self) -> None:
        learning = self._learning
        is_training, job = learning.is_training, learning.job
        if not is_training and job is not None and job.state in (JobState.FAILED, JobState.DIED):
            self._is_asking |= self._was_training
        is_asking = self._is_asking and not is_training
        has_model = learning.model is not None and not is_asking and not is_training
        self._pages.setCurrentIndex(0 if is_asking else 1)
        self.question.refresh()
        self.training.refresh()
        for part, is_shown in (
            (self.start, is_asking),
            (self.anew, not is_asking and not is_training),
            (self.apply, has_model),
            (self.apply_all, has_model),
            (self.results, has_model),
        ):
            part.setVisible(is_shown)
        self.apply.setEnabled(self._session.slide is not None)
        self._refresh_start()
        was_training, self._was_training = self._was_training, is_training
        if was_training and has_model:
            self.show_results()

    def _refresh_start(self) -> None:
        """Say what keeps the training from starting, or why the last one has failed."""
        learning, job = self._learning, self._learning.job
        problem = learning.problem(self.question.plan)
        self.start.setEnabled(not problem)
        failed = job is not None and job.state in (JobState.FAILED, JobState.DIED)
        if not problem and failed and job is not None:
            problem = f"{job.error} {job.hint}".strip()
        is_asking = self._pages.currentIndex() == 0
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem) and is_asking)

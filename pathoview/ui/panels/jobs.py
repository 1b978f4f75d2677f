"""The strip at the bottom: what runs, how far it is, and what a finished job offers next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.jobs.runner import Job, JobState
from pathoview.session import orders
from pathoview.session.commands import run_command
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.actions import ICONS
from pathoview.ui.text import duration_text, objects_text
from pathoview.ui.widgets import ElidedLabel, Sign, button, icon_button, label, name_icon_button

_STEPS = 1000
_TITLE_PX = 360
_SIGNS: dict[JobState, tuple[str, icons.Tint]] = {
    JobState.QUEUED: ("analyze", "muted"),
    JobState.RUNNING: ("analyze", "accent"),
    JobState.PAUSED: ("pause", "warning"),
    JobState.DONE: ("done", "success"),
    JobState.CANCELLED: ("cancel", "muted"),
    JobState.FAILED: ("error", "error"),
    JobState.DIED: ("error", "error"),
}


class JobsStrip(QWidget):
    """One row a job that runs or waits, and one for the job that ended last."""

    results_requested = Signal()
    shown_changed = Signal(bool)
    """Whether there is anything to show."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rows: dict[str, JobRow] = {}
        self._summary = label("", "muted")
        self._summary.setWordWrap(False)
        self._layout = QVBoxLayout()
        self._layout.setSpacing(theme.GRID // 2)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(theme.GRID // 2, 2, theme.GRID, 2)
        outer.addLayout(self._layout, 1)
        outer.addWidget(self._summary)
        session.job_changed.connect(self._on_job_changed)

    def row(self, job: Job) -> JobRow:
        return self._rows[job.id]

    @property
    def rows(self) -> tuple[JobRow, ...]:
        return tuple(self._rows.values())

    def take(self, notice: Notice) -> bool:
        """Show a notice of a job's end here; False: it is an error and belongs into the bar."""
        row = self._rows.get(notice.job_id)
        if row is None:
            return False
        if notice.level == "info":
            row.end(notice)
            return True
        self._dismiss(row)
        return False

    def _on_job_changed(self, job: Job) -> None:
        row = self._rows.get(job.id)
        if row is None:
            if job.is_over:
                return
            self._forget_ended()
            row = JobRow(job, self._session, self._dismiss, self.results_requested.emit)
            self._rows[job.id] = row
            self._layout.addWidget(row)
            self.shown_changed.emit(True)
        row.refresh()
        self._refresh_summary()

    def _forget_ended(self) -> None:
        for row in self.rows:
            if row.job.is_over:
                self._dismiss(row)

    def _dismiss(self, row: JobRow) -> None:
        del self._rows[row.job.id]
        self._layout.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._refresh_summary()
        self.shown_changed.emit(bool(self._rows))

    def _refresh_summary(self) -> None:
        states = [row.job.state for row in self._rows.values()]
        waiting = states.count(JobState.QUEUED)
        self._summary.setText(
            ngettext("{n} job waits", "{n} jobs wait", waiting).format(n=waiting) if waiting else ""
        )


class JobRow(QWidget):
    """One job: sign, title, bar, numbers, and its buttons; at its end what came out."""

    def __init__(
        self,
        job: Job,
        session: Session,
        dismiss: Callable[[JobRow], None],
        show_results: Callable[[], None],
    ) -> None:
        super().__init__()
        self.job = job
        self._session = session
        self._ending: Notice | None = None
        self._sign = Sign()
        self._title = label()
        self._title.setWordWrap(False)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._numbers = label("", "muted")
        self._numbers.setWordWrap(False)
        self.pause = icon_button("pause", _("Pause"), self._pause_or_resume)
        is_training = job.request.lane == "learn"
        stop = _("Stop without a model") if is_training else _("Stop; finished tiles are kept")
        self.stop = icon_button("cancel", stop, job.cancel)
        self.show_results = button(_("Show results"), show_results, "results")
        self.next_step = button("", self._do_next_step)
        self.close_row = icon_button("cancel", _("Close"), lambda: dismiss(self))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        for part in (self._sign, self._title, self._bar, self._numbers):
            layout.addWidget(part)
        layout.setStretchFactor(self._bar, 1)
        self._outcome = ElidedLabel("", "muted")
        layout.addWidget(self._outcome, 1)
        for control in (
            self.pause,
            self.stop,
            self.show_results,
            self.next_step,
            self.close_row,
        ):
            layout.addWidget(control)
        self.refresh()

    @property
    def text(self) -> str:
        """What the row says."""
        said = self._ending.text if self._ending else self._numbers.text()
        return f"{self._session.slides.shown(self.job.request.title)} {said}"

    def end(self, notice: Notice) -> None:
        """Show how the job has ended, and offer what can be done next."""
        self._ending = notice
        self.refresh()

    @property
    def _is_live(self) -> bool:
        """Whether it goes on until it is told to end: there is no part that is done."""
        return self.job.request.task == orders.LIVE

    def _show_title(self) -> None:
        title = self._session.slides.shown(self.job.request.title)
        metrics = self._title.fontMetrics()
        self._title.setText(metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, _TITLE_PX))
        self._title.setToolTip(title)
        self._bar.setAccessibleName(title)

    def refresh(self) -> None:
        """Show the job as it is now."""
        job, ending = self.job, self._ending
        self._show_title()
        self._sign.show_icon(*_SIGNS[job.state])
        self._bar.setValue(round(job.fraction * _STEPS))
        self._bar.setVisible(not job.is_over and (job.fraction > 0 or not self._is_live))
        self._numbers.setVisible(not job.is_over)
        self._numbers.setText(self._progress())
        self._outcome.setVisible(job.is_over)
        self._outcome.set_text(ending.text if ending else "")
        is_paused = job.state is JobState.PAUSED
        self.pause.setIcon(icons.icon("resume" if is_paused else "pause"))
        name_icon_button(self.pause, _("Go on") if is_paused else _("Pause"))
        self.pause.setVisible(job.state in (JobState.RUNNING, JobState.PAUSED))
        self.stop.setVisible(not job.is_over)
        self.stop.setEnabled(not job.is_cancelling)
        self.show_results.setVisible(job.state is JobState.DONE and job.request.lane == "compute")
        self.next_step.setVisible(ending is not None and ending.action is not None)
        if ending is not None and ending.action is not None:
            self.next_step.setText(ending.action[0])
            self.next_step.setIcon(icons.icon(ICONS[ending.action[1]]))
        self.close_row.setVisible(job.is_over)

    def _progress(self) -> str:
        job = self.job
        if job.state is JobState.QUEUED:
            return _("waits")
        if job.is_cancelling:
            return _("stopping…")
        parts = [job.text if self._is_live else f"{job.fraction:.0%}"]
        if job.state is JobState.PAUSED:
            parts.append(_("paused"))
        elif job.seconds_left is not None:
            parts.append(_("{time} left").format(time=duration_text(job.seconds_left)))
        if (speed := job.metrics.get("mp_per_s")) is not None:
            parts.append(_("{n:.1f} MP/s").format(n=speed))
        if (found := job.metrics.get("objects")) is not None:
            parts.append(objects_text(int(found)))
        return "   ".join(parts)

    def _pause_or_resume(self) -> None:
        if self.job.state is JobState.PAUSED:
            self.job.resume()
        else:
            self.job.pause()

    def _do_next_step(self) -> None:
        if self._ending is not None and self._ending.action is not None:
            run_command(self._session, self._ending.action[1], self._ending.argument)

"""A training while it goes on: bar, curves, and how it is paused, ended well, or stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobState
from pathoview.session import orders
from pathoview.ui import icons, theme
from pathoview.ui.panels.curves import Curves
from pathoview.ui.text import duration_text
from pathoview.ui.widgets import button, label, row

_STEPS = 1000
_FINISH = _("End now and keep the best model so far")
_FINISH_LIVE = _("Learn once more from all labels, and keep the model as a round")
_STOP = _("Stop without a model; started again, it goes on from here")
_STOP_LIVE = _("Stop without a model; the labels stay")


class Course(Protocol):
    """A training that can be watched."""

    @property
    def job(self) -> Job | None: ...

    @property
    def curve(self) -> Sequence[Mapping[str, float]]: ...

    def finish(self) -> None: ...

    def stop(self) -> None: ...


class TeachTraining(QWidget):
    """Shown while a round goes on, and after it until the next."""

    def __init__(self, teaching: Course, curves: Curves | None = None) -> None:
        super().__init__()
        self._teaching = teaching
        self._title = label("", "heading")
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the training"))
        self._numbers = label("", "muted")
        self.curves = curves or Curves()
        self.pause = button(_("Pause"), self._pause_or_resume, "pause")
        self.finish = button(_("Keep best"), teaching.finish, "done")
        self.stop = button(_("Stop"), teaching.stop, "cancel")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        for part in (self._title, self._bar, self._numbers):
            layout.addWidget(part)
        layout.addLayout(row(self.pause, self.finish, self.stop, 1, spacing=theme.GRID // 2))
        layout.addWidget(self.curves)
        self.refresh()

    @property
    def text(self) -> str:
        """What is said of the training."""
        return f"{self._title.text()} {self._numbers.text()}"

    def refresh(self) -> None:
        """Show the training as it is now."""
        job = self._teaching.job
        self.setVisible(job is not None)
        if job is None:
            return
        self._title.setText(job.request.title)
        self._bar.setValue(round(job.fraction * _STEPS))
        is_live = job.request.task == orders.LIVE
        self._bar.setVisible(not job.is_over and (not is_live or job.fraction > 0))
        self.finish.setToolTip(_FINISH_LIVE if is_live else _FINISH)
        self.stop.setToolTip(_STOP_LIVE if is_live else _STOP)
        self._numbers.setText(_progress(job))
        is_paused = job.state is JobState.PAUSED
        self.pause.setText(_("Go on") if is_paused else _("Pause"))
        self.pause.setIcon(icons.icon("resume" if is_paused else "pause"))
        for control in (self.pause, self.finish, self.stop):
            control.setVisible(not job.is_over)
            control.setEnabled(not job.is_cancelling)
        self.finish.setEnabled(not (job.is_cancelling or job.is_finishing))
        self.show_curve()

    def show_curve(self) -> None:
        """Show the curve as it is now."""
        self.curves.show_curve(self._teaching.curve)

    def _pause_or_resume(self) -> None:
        job = self._teaching.job
        if job is not None:
            (job.resume if job.state is JobState.PAUSED else job.pause)()


def _progress(job: Job) -> str:
    if job.state is JobState.QUEUED:
        return _("waits for another training")
    if job.is_over:
        return _ending(job)
    if job.is_cancelling:
        return _("stopping…")
    if job.is_finishing and job.request.task == orders.TRAIN:
        return _("Making a model of the best so far…")
    parts = [job.text] if job.text else []
    if (seconds := job.metrics.get("seconds")) is not None:
        parts.append(_("answered in {seconds:.1f} s").format(seconds=seconds))
    if job.state is JobState.PAUSED:
        parts.append(_("paused"))
    elif job.seconds_left is not None:
        parts.append(_("{time} left").format(time=duration_text(job.seconds_left)))
    if (speed := job.metrics.get("samples_per_s")) is not None:
        is_of_slides = orders.is_slide_training(job.request)
        text = _("{n:.0f} slides/s") if is_of_slides else _("{n:.0f} patches/s")
        parts.append(text.format(n=speed))
    return " · ".join(parts)


def _ending(job: Job) -> str:
    if job.state is JobState.DONE:
        seconds = float((job.result or {}).get("seconds", 0))
        return _("Trained in {time}.").format(time=duration_text(seconds))
    if job.state is JobState.CANCELLED:
        if job.request.task == orders.LIVE:
            return _("Stopped without a model. The labels are all there.")
        return _("Stopped. Started again with the same labels, it goes on from here.")
    return f"{job.error} {job.hint}".strip()

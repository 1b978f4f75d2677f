"""Which job works on which slide and result file, and what it says meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.jobs.runner import Job, JobRequest, JobRunner
from pathoview.session.endings import ending


@dataclass(slots=True)
class _Entry:
    job: Job
    slide_hash: str
    run_path: Path | None = None
    is_over: bool = False


class JobBook:
    """Follows jobs to their end. Signals are emitted where the runner emits its own."""

    job_changed = Signal(object)
    """(Job)"""
    notice = Signal(object)
    """(Notice): a job has ended."""
    run_started = Signal(str, object, str)
    """(hash of the slide, path of the result file, title)"""
    run_grew = Signal(object, bool)
    """(path, whether objects may have been dropped)"""
    unlike = Signal(object, str, dict)
    """(Job, hash of the slide, what is unlike): a model meets a slide that looks strange to it"""
    run_ended = Signal(object)
    """(path)"""

    def __init__(self, runner: JobRunner) -> None:
        self.runner = runner
        self._entries: list[_Entry] = []

    def submit(self, request: JobRequest, slide_hash: str) -> Job:
        """Start a job for a slide."""
        entry = _Entry(self.runner.submit(request), slide_hash)
        self._entries.append(entry)
        entry.job.event.connect(partial(self._on_event, entry))
        entry.job.changed.connect(partial(self._on_changed, entry))
        self._on_changed(entry, entry.job)
        return entry.job

    def live_runs(self, slide_hash: str) -> Sequence[Path]:
        """Return the result files of a slide that are being written."""
        return [
            entry.run_path
            for entry in self._entries
            if entry.slide_hash == slide_hash and entry.run_path and not entry.is_over
        ]

    def set_focus(self, slide_hash: str, rect_l0: Rect) -> None:
        """Tell all jobs of a slide where the person looks."""
        for entry in self._entries:
            if entry.slide_hash == slide_hash and not entry.is_over:
                entry.job.set_focus(rect_l0)

    def close(self) -> None:
        """Stop all jobs; finished tiles are kept."""
        self.runner.close()

    def _on_event(self, entry: _Entry, kind: str, data: dict[str, Any]) -> None:
        if kind == "started" and "run_file" in data:
            entry.run_path = Path(str(data["run_file"]))
            self.run_started.emit(entry.slide_hash, entry.run_path, entry.job.request.title)
        elif kind == "unlike":
            self.unlike.emit(entry.job, entry.slide_hash, data)
        elif kind in ("tile", "features", "finalised") and entry.run_path is not None:
            self.run_grew.emit(entry.run_path, bool(data.get("dropped")))

    def _on_changed(self, entry: _Entry, job: Job) -> None:
        self.job_changed.emit(job)
        if not job.is_over or entry.is_over:
            return
        entry.is_over = True
        if entry.run_path is not None:
            self.run_ended.emit(entry.run_path)
        self.notice.emit(replace(ending(job, entry.run_path), job_id=job.id))

"""May the window close? Not while jobs run or labels are not on disk, unless a person says so."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from pathoview.core.translation import _, ngettext
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.dialogs.confirm import ConfirmDialog


class ClosingGuard:
    """Asks without blocking, and closes the window again when it may."""

    def __init__(self, session: Session, window: QMainWindow) -> None:
        self._session = session
        self._window = window
        self._may_stop = False
        """Jobs may be stopped."""
        self._may_lose = False
        """What the disk refuses may be lost."""
        self._is_waiting = False
        session.studies.saving_changed.connect(self._on_saving_changed)

    def may_close(self) -> bool:
        """Whether the window may close now; else something is asked, or waited for."""
        n_running = sum(not job.is_over for job in self._session.jobs)
        if n_running and not self._may_stop:
            self._ask_to_stop(n_running)
            return False
        studies = self._session.studies
        n_unsaved = 0 if self._may_lose else studies.n_unsaved
        if n_unsaved and studies.error is not None:
            self._ask_to_lose(n_unsaved)
        elif n_unsaved:
            self._is_waiting = True
        return not n_unsaved

    def _on_saving_changed(self) -> None:
        """Close as soon as all is on disk."""
        studies = self._session.studies
        if self._is_waiting and (not studies.n_unsaved or studies.error is not None):
            self._is_waiting = False
            self._window.close()

    def _ask_to_stop(self, n_running: int) -> None:
        text = ngettext("{n} job is still running.", "{n} jobs are still running.", n_running)
        more = _("Finished tiles are kept: an analysis that is stopped now can be resumed later.")
        dialog = ConfirmDialog("PathoView", text.format(n=n_running), more, self._window)
        dialog.cancel.setText(_("Keep working"))
        dialog.add_way(_("Stop and close"), self._stop_and_close)
        dialog.open()

    def _stop_and_close(self) -> None:
        self._may_stop = True
        self._window.close()

    def _ask_to_lose(self, n_unsaved: int) -> None:
        text = ngettext("{n} step is not saved.", "{n} steps are not saved.", n_unsaved)
        error = self._session.studies.error
        more = "" if error is None else error.full_text
        dialog = ConfirmDialog("PathoView", text.format(n=n_unsaved), more, self._window)
        dialog.cancel.setText(_("Keep working"))
        dialog.add_way(_("Close and lose it"), self._lose_and_close)
        dialog.add_way(_("Save elsewhere…"), self._save_elsewhere)
        dialog.add_way(_("Try again"), self._try_again)
        dialog.open()

    def _lose_and_close(self) -> None:
        self._may_lose = True
        self._window.close()

    def _save_elsewhere(self) -> None:
        run_command(self._session, "study.save_elsewhere")

    def _try_again(self) -> None:
        self._session.studies.save_now()
        self._is_waiting = True

"""What keeps a study in order: merging, compacting, erasing, backups, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pathoview.core.translation import _, ngettext
from pathoview.session.notices import Notice
from pathoview.session.study_desk import StudyDesk
from pathoview.session.study_work import StudyWork
from pathoview.study.backups import Backup as Backup
from pathoview.study.backups import list_backups, restore
from pathoview.study.compacting import CompactPlan as CompactPlan
from pathoview.study.compacting import compact, plan_compact
from pathoview.study.erasing import ErasePlan as ErasePlan
from pathoview.study.erasing import delete_files, erase_case, plan_erase
from pathoview.study.integrity import check_study
from pathoview.study.merging import MergeReport, merge
from pathoview.study.study_file import StudyFile

AuditLine = tuple[str, str, str, str]
"""Time, author, hash of the slide, text."""


class StudyUpkeep:
    """Works on the named study, all of it in the background; notices tell how it ended."""

    def __init__(self, studies: StudyDesk, work: StudyWork) -> None:
        self._studies = studies
        self._work = work

    def merge(self, others: Sequence[Path]) -> None:
        """Take what copies of the study have that it has not."""
        if (path := self._work.path) is not None:
            work = partial(_merge_all, path, tuple(others), self._studies.author)
            self._work.alone(_("Merging"), work, path, _merged)

    def compact(self, plan: CompactPlan) -> None:
        """Drop old history, as was planned."""
        if (path := self._work.path) is not None:
            work = partial(compact, path, plan.before, self._studies.author)
            text = _("Dropped: {what}.")
            self._work.alone(
                _("Compacting"), work, path, lambda done: Notice(text.format(what=done.text))
            )

    def erase(self, plan: ErasePlan, *, with_files: bool = False) -> None:
        """Take a case out of everything, as was planned.

        A slide of the case is closed, or the study would know it again at once. ``with_files``:
        delete the files too that tell of the case.
        """
        if (path := self._work.path) is not None:
            files = (*plan.files, *plan.backups) if with_files else ()
            self._work.close_slide_of(plan.slides)
            work = partial(_erase, path, plan.case_id, self._studies.author, files)
            text = _("Erased: {what}.").format(what=plan.text)
            self._work.alone(_("Erasing"), work, path, lambda _done: Notice(text))

    def restore(self, backup: Backup) -> None:
        """Put a backup in the study's place; what was there is kept beside it."""
        if (path := self._work.path) is not None:
            work = partial(restore, backup.path, path, self._studies.author)
            text = _("The backup is in place; what was there lies beside it.")
            self._work.alone(_("Restoring"), work, path, lambda _aside: Notice(text))

    def check(self, then: Callable[[Sequence[str]], None]) -> None:
        """Look for damage; ``then`` gets a sentence for each."""
        if (study := self._studies.study) is not None and study.path.exists():
            work = partial(check_study, study.path)
            self._work.behind(_("Checking"), work, None, lambda found: then([*map(str, found)]))

    # -- what is asked before --------------------------------------------------------------------

    def plan_compact(self, before: str, then: Callable[[CompactPlan], None]) -> None:
        """Find out what compacting would drop."""
        if (path := self._work.path) is not None:
            self._work.behind("", partial(plan_compact, path, before), None, then)

    def plan_erase(self, case_id: str, then: Callable[[ErasePlan], None]) -> None:
        """Find out what erasing a case would take away."""
        if (path := self._work.path) is not None:
            self._work.behind("", partial(plan_erase, path, case_id), None, then)

    def read_audit(self, then: Callable[[list[AuditLine]], None]) -> None:
        """Read all lines of the audit trail, oldest first."""
        if (study := self._studies.study) is not None and study.path.exists():
            self._work.behind("", partial(_audit, study.path), None, then)

    def list_backups(self) -> Sequence[Backup]:
        return [] if self._work.path is None else list_backups(self._work.path)


def _merge_all(path: Path, others: Sequence[Path], author: str) -> list[MergeReport]:
    return [merge(path, other, author) for other in others]


def _merged(reports: Sequence[MergeReport]) -> Notice:
    """Say what has come; every conflict is in the details."""
    lines = [line for report in reports for line in report.lines()]
    n_conflicts = sum(len(report.conflicts) for report in reports)
    text = ngettext("Merged {n} study.", "Merged {n} studies.", len(reports)).format(n=len(reports))
    if n_conflicts:
        conflicts = ngettext(
            "{n} thing was changed in both: both are kept.",
            "{n} things were changed in both: both are kept.",
            n_conflicts,
        )
        text += " " + conflicts.format(n=n_conflicts)
    elif lines:
        text += " " + lines[0]
    return Notice(text, "warning" if n_conflicts else "info", details="\n".join(lines))


def _erase(path: Path, case_id: str, author: str, files: Sequence[Path]) -> None:
    erase_case(path, case_id, author)
    delete_files(files)


def _audit(path: Path) -> list[AuditLine]:
    with StudyFile.open(path) as file:
        return [*file.audit()]

"""Answers to the commands about studies and their slides that need a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from pathoview.core.translation import _, ngettext
from pathoview.session.notices import Notice
from pathoview.session.opener import SLIDE_SUFFIXES
from pathoview.session.session import Session
from pathoview.session.slide_search import ClipsFound
from pathoview.session.study_files import SUFFIX, with_suffix
from pathoview.ui.dialogs.confirm import ConfirmDialog
from pathoview.ui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from pathoview.ui.main_window import MainWindow

Show = Callable[[Dialog], None]
_NAMES = 8
"""Of clips that were found: so many are named."""


def study_answers(
    session: Session, window: MainWindow, show: Show
) -> Mapping[str, Callable[[], object]]:
    """Return what is done for each command, by its id; ``show`` shows a dialog."""
    commands = StudyCommands(session, window, show)
    return {
        "study.new": commands.new,
        "study.open": commands.open,
        "study.keep": commands.keep,
        "study.save_copy": commands.save_copy,
        "study.save_elsewhere": commands.save_elsewhere,
        "study.add_slides": commands.add_slides,
        "study.add_folder": commands.add_folder,
        "study.add_clips": commands.add_clips,
        "study.find_slides": commands.find_slides,
        "study.merge": commands.merge,
        "study.check": commands.check,
        "study.open_anyway": commands.open_anyway,
        "slides.list": commands.show_list,
        "slides.describe": commands.describe,
        "slides.import": commands.import_metadata,
        "slides.export": commands.export_list,
        **upkeep_answers(session, window, show),
    }


def upkeep_answers(
    session: Session, window: MainWindow, show: Show
) -> Mapping[str, Callable[[], object]]:
    """Return what shows the dialogs of the upkeep."""
    # Dialogs are imported when they are opened: the window's start does not wait for them.

    def audit() -> None:
        from pathoview.ui.dialogs.audit import AuditDialog

        show(AuditDialog(session, window))

    def backups() -> None:
        from pathoview.ui.dialogs.backups import BackupsDialog

        show(BackupsDialog(session, window))

    def compact() -> None:
        from pathoview.ui.dialogs.compact import CompactDialog

        show(CompactDialog(session, window))

    def erase() -> None:
        from pathoview.ui.dialogs.erase_case import EraseCaseDialog

        show(EraseCaseDialog(session, window))

    def leaks() -> None:
        from pathoview.ui.dialogs.leaks import LeaksDialog

        show(LeaksDialog(session, window))

    return {
        "study.leaks": leaks,
        "study.audit": audit,
        "study.backups": backups,
        "study.compact": compact,
        "study.erase_case": erase,
    }


class StudyCommands:
    """Asks for files and folders; nothing waits for the answer."""

    def __init__(self, session: Session, window: MainWindow, show: Show) -> None:
        self._session = session
        self._window = window
        self._show = show
        session.slides.search.clips_found.connect(self.ask_about_clips)

    # -- files -----------------------------------------------------------------------------------

    def new(self) -> None:
        self._ask_target(_("New study"), "study", self._session.study_files.create)

    def open(self) -> None:
        self._ask_files(_("Open study"), _studies(), lambda paths: self._session.open(paths[0]))

    def keep(self) -> None:
        """What a person has agreed to replace is replaced."""
        keep = partial(self._session.study_files.keep, replace=True)
        self._ask_target(_("Keep as study"), "study", keep)

    def save_copy(self) -> None:
        save = partial(self._session.study_files.save_copy, replace=True)
        name = self._session.study_files.name or "study"
        self._ask_target(_("Save a copy of the study"), f"{name}-copy", save)

    def save_elsewhere(self) -> None:
        save = self._session.study_files.save_elsewhere
        name = self._session.study_files.name or "study"
        self._ask_target(_("Save the study elsewhere"), name, save)

    def merge(self) -> None:
        merge = self._session.study_files.upkeep.merge
        self._ask_files(_("Merge copies"), _studies(), merge, many=True)

    def check(self) -> None:
        self._session.study_files.upkeep.check(self._tell_checked)

    def _tell_checked(self, problems: Sequence[str]) -> None:
        if not problems:
            notice = Notice(_("The study is sound."))
        else:
            way = (_("Backups…"), "study.backups") if self._session.studies.is_named else None
            notice = Notice(problems[0], "warning", way, details="\n".join(problems))
        self._session.notice.emit(notice)

    def open_anyway(self) -> None:
        """Ask first: two writers would damage each other's work."""
        study = self._session.studies.study
        holder = None if study is None else study.holder
        if holder is None:
            return
        text = _("{user} has this study open on {host}, since {since}.").format(
            user=holder.user, host=holder.host, since=holder.since
        )
        more = _(
            "Only go on when that program has crashed, or the machine is gone: if both write, "
            "work is lost. A copy can be worked in safely, and merged later."
        )
        open_it = self._session.study_files.open_anyway
        dialog = ConfirmDialog(_("Open for writing"), text, more, self._window)
        dialog.add_way(_("Save a copy…"), self.save_copy)
        dialog.add_way(_("Open anyway"), open_it)
        self._show(dialog)

    # -- slides ----------------------------------------------------------------------------------

    def add_slides(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in SLIDE_SUFFIXES)
        filters = [_("Slides ({types})").format(types=kinds)]
        filters += [_("QuPath projects (*.qpproj)"), _("All files (*)")]
        self._ask_files(_("Add slides"), filters, self._session.slides.search.add, many=True)

    def add_folder(self) -> None:
        self._ask_folder(_("Add all slides of a folder"), self._session.slides.search.add)

    def add_clips(self) -> None:
        self._ask_folder(_("Add all clips of a folder"), self._session.slides.search.add_clips_of)

    def ask_about_clips(self, found: ClipsFound) -> None:
        """Say what was found before it is added."""
        n, add = len(found.clips), self._session.slides.search.add
        dialog = ConfirmDialog(
            _("Add clips"),
            ngettext("{n} clip was found.", "{n} clips were found.", n).format(n=n),
            self._said_of(found),
            self._window,
        )
        if found.given:
            dialog.add_way(_("Each picture as a slide"), partial(add, found.given))
        text = ngettext("Add {n} clip", "Add {n} clips", n).format(n=n)
        dialog.add_way(text, partial(add, found.others, found.clips), primary=True)
        self._show(dialog)

    def _said_of(self, found: ClipsFound) -> str:
        said = [_("A folder of pictures is one clip: its pictures are the frames.")]
        if not self._session.slides.is_blinded:
            names = [clip.name for clip in found.clips[:_NAMES]]
            more = [_("…")] if len(found.clips) > _NAMES else []
            said.insert(0, ", ".join([*names, *more]))
        return "\n".join(said)

    def find_slides(self) -> None:
        find = self._session.slides.search.find_moved
        self._ask_folder(_("Where are the moved slides?"), find)

    def show_list(self) -> None:
        self._window.docks.bring_front("slides")
        self._window.slides.list.setFocus()

    def describe(self) -> None:
        if (slide := self._session.slide) is not None:
            self._window.slides.menu.describe([slide.content_hash])

    def import_metadata(self) -> None:
        filters = [_("Tables ({types})").format(types="*.csv *.tsv *.txt"), _("All files (*)")]
        self._ask_files(_("Import metadata of slides"), filters, self._show_import)

    def _show_import(self, paths: Sequence[Path]) -> None:
        from pathoview.ui.dialogs.metadata_import import MetadataImportDialog

        self._show(MetadataImportDialog(self._session, paths[0], self._window))

    def export_list(self) -> None:
        dialog = self._dialog(_("Export list of slides"), [_("CSV (*.csv)")])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(f"{self._session.study_files.name}-slides.csv")
        export = self._session.slides.editing.export_list
        dialog.fileSelected.connect(lambda name: export(Path(name)))
        dialog.open()

    # -- asking ----------------------------------------------------------------------------------

    def _dialog(self, title: str, filters: Sequence[str]) -> QFileDialog:
        folder = str(self._session.study_files.suggested_folder)
        dialog = QFileDialog(self._window, title, folder, ";;".join(filters))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    def _ask_target(self, title: str, name: str, take: Callable[[Path], object]) -> None:
        """Ask for the name of a study to be written; Qt asks whether it may be replaced."""
        dialog = self._dialog(title, _studies()[:1])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.removeprefix("."))
        dialog.selectFile(str(with_suffix(Path(name))))
        dialog.fileSelected.connect(lambda path: take(Path(path)))
        dialog.open()

    def _ask_files(
        self,
        title: str,
        filters: Sequence[str],
        take: Callable[[Sequence[Path]], object],
        *,
        many: bool = False,
    ) -> None:
        dialog = self._dialog(title, filters)
        mode = QFileDialog.FileMode
        dialog.setFileMode(mode.ExistingFiles if many else mode.ExistingFile)
        dialog.filesSelected.connect(lambda names: take([Path(name) for name in names]))
        dialog.open()

    def _ask_folder(self, title: str, take: Callable[[Sequence[Path]], object]) -> None:
        dialog = self._dialog(title, [])
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda name: take([Path(name)]))
        dialog.open()


def _studies() -> list[str]:
    return [_("Studies ({types})").format(types=f"*{SUFFIX}"), _("All files (*)")]

"""Commands about studies and their slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slides, has_study

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _has_any_study(session: Session) -> bool:
    return session.studies.study is not None


def _has_private_study(session: Session) -> bool:
    return session.study_files.is_private


def _is_held_by_others(session: Session) -> bool:
    study = session.studies.study
    return study is not None and study.holder is not None


def _is_not_saved(session: Session) -> bool:
    return session.studies.n_unsaved > 0


def _is_study_slide(session: Session) -> bool:
    slide = session.slide
    return slide is not None and session.slides.row(slide.content_hash) is not None


def _is_reviewed(session: Session) -> bool:
    row = None if session.slide is None else session.slides.row(session.slide.content_hash)
    return row is not None and row.record.is_reviewed


def _toggle_reviewed(session: Session) -> None:
    if session.slide is not None:
        key = session.slide.content_hash
        session.slides.editing.set_reviewed([key], on=not _is_reviewed(session))


COMMANDS: tuple[Command, ...] = (
    Command("study.new", _("New study…"), "Ctrl+Shift+N", "File"),
    Command("study.open", _("Open study…"), "Ctrl+Alt+O", "File"),
    Command("study.keep", _("Keep as study…"), "", "File", _has_private_study),
    Command("study.save_copy", _("Save a copy of the study…"), "", "File", _has_any_study),
    Command(
        "study.close",
        _("Close study"),
        "Ctrl+Shift+W",
        "File",
        has_study,
        lambda s: s.study_files.close(),
    ),
    Command("study.add_slides", _("Add slides…"), "", "Study", has_study),
    Command("study.add_folder", _("Add a folder of slides…"), "", "Study", has_study),
    Command("study.add_clips", _("Add a folder of clips…"), "", "Study", has_study),
    Command("study.find_slides", _("Find moved slides…"), "", "Study", has_slides),
    Command("slides.list", _("List of slides"), "Ctrl+Alt+L", "Study"),
    Command(
        "slides.next",
        _("Next slide"),
        "Ctrl+PgDown",
        "Study",
        has_slides,
        lambda s: s.slides.open_next(1),
    ),
    Command(
        "slides.previous",
        _("Previous slide"),
        "Ctrl+PgUp",
        "Study",
        has_slides,
        lambda s: s.slides.open_next(-1),
    ),
    Command(
        "slides.reviewed",
        _("Slide is reviewed"),
        "",
        "Study",
        _is_study_slide,
        _toggle_reviewed,
        _is_reviewed,
    ),
    Command("slides.describe", _("Describe slide…"), "Ctrl+Alt+I", "Study", _is_study_slide),
    Command(
        "slides.blinded",
        _("Hide names (blinded)"),
        "",
        "Study",
        has_study,
        lambda s: s.slides.set_blinded(on=not s.slides.is_blinded),
        lambda s: s.slides.is_blinded,
    ),
    Command("slides.import", _("Import metadata of slides…"), "", "Study", has_slides),
    Command("slides.export", _("Export list of slides…"), "", "Study", has_slides),
    Command("study.merge", _("Merge copies…"), "", "Study", has_study),
    Command("study.check", _("Check study"), "", "Study", _has_any_study),
    Command("study.leaks", _("Check for leaks…"), "", "Study"),
    Command("study.audit", _("Audit trail…"), "", "Study", _has_any_study),
    Command("study.backups", _("Backups…"), "", "Study", has_study),
    Command("study.compact", _("Compact…"), "", "Study", has_study),
    Command("study.erase_case", _("Erase a case…"), "", "Study", has_study),
    Command(
        "study.take_private",
        _("Take over what was drawn without the study"),
        "",
        "",
        _is_study_slide,
        lambda s: s.study_files.take_private(),
    ),
    Command("study.open_anyway", _("Open for writing anyway…"), "", "", _is_held_by_others),
    Command(
        "study.save_now",
        _("Try to save again"),
        "",
        "",
        _is_not_saved,
        lambda s: s.studies.save_now(),
    ),
    Command("study.save_elsewhere", _("Save elsewhere…"), "", "", _is_not_saved),
)

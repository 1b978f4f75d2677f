"""What a command is: its words, its key, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pathoview.core.translation import _

if TYPE_CHECKING:
    from pathoview.session.session import Session


def always(session: Session) -> bool:
    return True


def has_slide(session: Session) -> bool:
    return session.slide is not None


def has_results(session: Session) -> bool:
    return session.results is not None


def has_objects(session: Session) -> bool:
    return session.results is not None or session.exchange.n_annotations > 0


def has_annotations(session: Session) -> bool:
    return session.exchange.n_annotations > 0


def has_layer(session: Session) -> bool:
    return session.active_layer is not None


def has_bookmarks(session: Session) -> bool:
    return bool(session.places.bookmarks.all)


def has_study(session: Session) -> bool:
    return session.studies.is_named


def has_slides(session: Session) -> bool:
    return bool(session.slides.rows)


def can_teach(session: Session) -> bool:
    return session.slide is not None and not session.teaching.is_teaching


def is_taught(session: Session) -> bool:
    job = session.teaching.job
    return job is not None and not job.is_over


def has_rounds(session: Session) -> bool:
    return session.slide is not None and session.teaching.can_apply


def has_rounds_and_study(session: Session) -> bool:
    return session.teaching.can_apply_to_all and bool(session.teaching.rounds)


def can_undo(session: Session) -> bool:
    return bool(session.history.undo_name)


def can_redo(session: Session) -> bool:
    return bool(session.history.redo_name)


_MISSING: dict[Callable[[Session], bool], str] = {
    has_slide: _("needs a slide"),
    has_results: _("needs results"),
    has_objects: _("needs annotations or results"),
    has_annotations: _("needs annotations"),
    has_bookmarks: _("needs a bookmark"),
    has_layer: _("needs a layer"),
    has_study: _("needs a study"),
    has_slides: _("needs a study with slides"),
    can_teach: _("needs a slide, and no training that goes on"),
    is_taught: _("nothing is taught now"),
    has_rounds: _("needs a round of teaching"),
    has_rounds_and_study: _("needs a study with a round of teaching"),
    can_undo: _("nothing to take back"),
    can_redo: _("nothing was taken back"),
}
"""What one says of a condition that does not hold."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can ask for, by menu, key, button or palette."""

    id: str
    title: str
    """English; shown through ``_(title)``."""
    shortcut: str = ""
    """As Qt writes it; several are separated by ``; ``."""
    menu: str = ""
    """File, Study, Edit, View, Go, Layer, Annotate, Analyze, Learn, Window, Help; empty: only in
    the palette."""
    enabled: Callable[[Session], bool] = always
    run: Callable[[Session], object] | None = None
    """None: the window answers `Session.command_requested`."""
    checked: Callable[[Session], bool] | None = None
    """Whether a switch is on; None: it is no switch."""
    argument_run: Callable[[Session, str], object] | None = None
    """For commands that work on something named, such as the run of a notice."""
    submenu: str = ""
    """English title of the menu within the menu; empty: none."""

    def missing(self, session: Session) -> str:
        """Return in two words why it cannot be done now; empty: it can, or nobody knows."""
        return "" if self.enabled(session) else _(_MISSING.get(self.enabled, ""))

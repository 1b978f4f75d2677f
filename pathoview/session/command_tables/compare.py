"""Commands to see several things at once: views side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _is_split(session: Session) -> bool:
    return session.slide is not None and len(session.views.all) > 1


def _toggle_link(session: Session) -> None:
    session.views.is_linked = not session.views.is_linked


COMMANDS: tuple[Command, ...] = (
    Command(
        "compare.one",
        _("One view"),
        "Ctrl+Alt+1",
        "View",
        has_slide,
        lambda s: s.views.set_count(1),
        lambda s: len(s.views.all) == 1,
    ),
    Command(
        "compare.two",
        _("Two views"),
        "Ctrl+Alt+2",
        "View",
        has_slide,
        lambda s: s.views.set_count(2),
        lambda s: len(s.views.all) == 2,
    ),
    Command(
        "compare.four",
        _("Four views"),
        "Ctrl+Alt+4",
        "View",
        has_slide,
        lambda s: s.views.set_count(4),
        lambda s: len(s.views.all) == 4,
    ),
    Command(
        "compare.link",
        _("Link views"),
        "Ctrl+Alt+S",
        "View",
        _is_split,
        _toggle_link,
        lambda s: s.views.is_linked,
    ),
)

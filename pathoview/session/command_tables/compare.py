"""Commands to see several things at once: views side by side, and two layers in one view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide
from pathoview.session.healthy_comparison import (
    can_compare_healthy,
    is_compared_healthy,
    toggle_healthy,
)

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _is_split(session: Session) -> bool:
    return session.slide is not None and len(session.views.all) > 1


def _toggle_link(session: Session) -> None:
    session.views.is_linked = not session.views.is_linked


def _can_compare(session: Session) -> bool:
    curtain = session.views.active.curtain
    return session.slide is not None and (curtain.is_on or bool(curtain.candidates))


def _toggle_curtain(session: Session) -> None:
    curtain = session.views.active.curtain
    if curtain.is_drawn:
        curtain.end()
    else:
        curtain.draw(session.active_layer)


def _toggle_flicker(session: Session) -> None:
    curtain = session.views.active.curtain
    if curtain.is_flicked:
        curtain.unflick()
    else:
        curtain.flick(session.active_layer)


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
    Command(
        "compare.curtain",
        _("Curtain between two layers"),
        "Shift+W",
        "View",
        _can_compare,
        _toggle_curtain,
        lambda s: s.views.active.curtain.is_drawn,
    ),
    Command(
        "compare.flicker",
        _("Flicker: show the other picture"),
        "X",
        "View",
        _can_compare,
        _toggle_flicker,
        lambda s: s.views.active.curtain.is_flicked,
    ),
    Command(
        "compare.healthy",
        _("Pseudo-healthy picture by curtain"),
        "Shift+P",
        "View",
        can_compare_healthy,
        toggle_healthy,
        is_compared_healthy,
    ),
)

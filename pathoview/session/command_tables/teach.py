"""Commands that teach a method, and use what it has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import (
    Command,
    can_teach,
    has_rounds,
    has_rounds_and_study,
    has_slides,
    is_taught,
)

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _apply_to_all(session: Session) -> None:
    session.teaching.apply_to_all(session.teaching.rounds[0])


COMMANDS: tuple[Command, ...] = (
    Command("teach.panel", _("Teach…"), "Ctrl+Shift+P", "Learn"),
    Command(
        "teach.start",
        _("Start teaching"),
        "Ctrl+Shift+Return",
        "Learn",
        can_teach,
    ),
    Command("teach.finish", _("Keep best"), "", "Learn", is_taught, lambda s: s.teaching.finish()),
    Command("teach.stop", _("Stop teaching"), "", "Learn", is_taught, lambda s: s.teaching.stop()),
    Command(
        "teach.apply",
        _("Apply last round to slide"),
        "",
        "Learn",
        has_rounds,
        argument_run=lambda s, path: s.teaching.apply_file(path),
    ),
    Command(
        "teach.apply_all",
        _("Apply last round to all slides"),
        "",
        "Learn",
        has_rounds_and_study,
        _apply_to_all,
    ),
    Command(
        "teach.again",
        _("Start again"),
        "",
        "",
        argument_run=lambda s, job: s.teaching.again(job),
    ),
    Command("slides.train", _("Train on slide labels…"), "", "Learn", has_slides),
    Command(
        "slides.train_again",
        _("Start again"),
        "",
        "",
        has_slides,
        argument_run=lambda s, job: s.models.learning.again(job),
    ),
)

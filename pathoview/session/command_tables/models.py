"""Commands about models and the machine that computes them."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command

COMMANDS: tuple[Command, ...] = (
    Command("models.show", _("Models…"), "", "Learn"),
    Command("models.device", _("Device…"), "", "Window"),
    Command(
        "analyze.anyway",
        _("Apply anyway"),
        "",
        "",
        argument_run=lambda s, job: s.models.go_on(job),
    ),
)

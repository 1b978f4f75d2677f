"""Commands that take back and take away."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command, has_results

COMMANDS: tuple[Command, ...] = (
    Command(
        "edit.undo",
        _("Undo"),
        "Ctrl+Z",
        "Edit",
        lambda s: bool(s.history.undo_name),
        lambda s: s.undo(),
    ),
    Command(
        "edit.redo",
        _("Redo"),
        "Ctrl+Shift+Z",
        "Edit",
        lambda s: bool(s.history.redo_name),
        lambda s: s.redo(),
    ),
    Command(
        "results.remove",
        _("Remove results from view"),
        "",
        "Edit",
        has_results,
        lambda s: s.remove_results(),
    ),
)

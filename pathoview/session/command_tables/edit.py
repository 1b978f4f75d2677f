"""Commands that take back and take away."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command, can_redo, can_undo, has_results, has_slide

COMMANDS: tuple[Command, ...] = (
    Command(
        "edit.undo",
        _("Undo"),
        "Ctrl+Z",
        "Edit",
        can_undo,
        lambda s: s.undo(),
    ),
    Command(
        "edit.redo",
        _("Redo"),
        "Ctrl+Shift+Z",
        "Edit",
        can_redo,
        lambda s: s.redo(),
    ),
    Command("edit.copy_workflow", _("Copy history as command lines"), "", "Edit", has_slide),
    Command("view.copy", _("Copy view as image"), "Ctrl+Shift+C", "Edit", has_slide),
    Command(
        "results.remove",
        _("Remove results from view"),
        "",
        "Edit",
        has_results,
        lambda s: s.remove_results(),
    ),
)

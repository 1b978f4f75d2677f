"""Commands on tables of objects."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide

COMMANDS: tuple[Command, ...] = (
    Command("objects.show", _("Table of objects"), "Ctrl+M", "View"),
    Command("objects.export", _("Export table…"), "", "File", has_slide),
)

"""Commands on tables of objects."""

from __future__ import annotations

from pathoview.session.command import Command

COMMANDS: tuple[Command, ...] = ()

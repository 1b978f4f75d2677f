"""Commands about studies and their slides."""

from __future__ import annotations

from pathoview.session.command import Command

COMMANDS: tuple[Command, ...] = ()

"""Commands on annotations: what the chosen ones become."""

from __future__ import annotations

from pathoview.session.command import Command

COMMANDS: tuple[Command, ...] = ()

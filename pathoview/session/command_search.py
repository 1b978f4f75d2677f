"""Finds commands by a few letters: words of the title or the menu, or initials."""

from __future__ import annotations

import re

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.commands import COMMANDS
from pathoview.session.session import Session

_WORD = re.compile(r"\w+")
_SHORTEST_INITIALS = 2


def search(session: Session, text: str) -> list[Command]:
    """Return the commands that have all words of ``text``, the best first.

    Those that can be done now come before those that cannot, then those asked for of late, then
    those that fit best. Without a text all commands are returned.
    """
    recent = {name: place for place, name in enumerate(session.settings.recent_commands)}
    found = []
    for command in COMMANDS:
        rank = None if command.argument_run is not None else _rank(command, text)
        if rank is not None:
            place = (not command.enabled(session), recent.get(command.id, len(recent)), rank)
            found.append((place, command))
    return [command for _place, command in sorted(found, key=lambda entry: entry[0])]


def _rank(command: Command, text: str) -> int | None:
    """Return how well a command fits, 0 best; None: not at all."""
    title, menu = _(command.title).casefold(), _(command.menu).casefold()
    asked = text.casefold().split()
    words = _WORD.findall(title)
    initials = "".join(word[0] for word in words)
    if title.startswith(" ".join(asked)):
        return 0
    if all(any(word.startswith(part) for word in words) for part in asked):
        return 1
    if len(asked) == 1 and len(asked[0]) >= _SHORTEST_INITIALS and initials.startswith(asked[0]):
        return 2
    return 3 if all(part in f"{menu} {title}" for part in asked) else None

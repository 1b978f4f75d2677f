"""Every command of the program: its words, its key, and what it does.

Menus, tool bars, the command palette and the help are made from `COMMANDS`. A command without
``run`` is the window's own affair (a dialog, a dock): the session emits `command_requested`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.session.command import Command
from pathoview.session.command_tables import (
    annotate,
    compare,
    edit,
    file,
    layers,
    models,
    objects,
    places,
    quality,
    review,
    study,
    teach,
    tool,
    view,
    window,
)

if TYPE_CHECKING:
    from pathoview.session.session import Session

COMMANDS: tuple[Command, ...] = (
    *file.COMMANDS,
    *study.COMMANDS,
    *edit.COMMANDS,
    *view.COMMANDS,
    *places.COMMANDS,
    *compare.COMMANDS,
    *quality.COMMANDS,
    *layers.COMMANDS,
    *tool.COMMANDS,
    *annotate.COMMANDS,
    *review.COMMANDS,
    *teach.COMMANDS,
    *objects.COMMANDS,
    *models.COMMANDS,
    *file.LAST,
    *window.COMMANDS,
)
"""In the order in which they stand in their menus."""

_BY_ID = {command.id: command for command in COMMANDS}


def command(command_id: str) -> Command:
    """Return a command; KeyError when there is none of that id."""
    return _BY_ID[command_id]


def run_command(session: Session, command_id: str, argument: str = "") -> None:
    """Do a command, if it can be done now; the window's own ones are passed on to it."""
    wanted = command(command_id)
    if not wanted.enabled(session):
        return
    if wanted.argument_run is not None:
        wanted.argument_run(session, argument)
    elif wanted.run is not None:
        wanted.run(session)
    else:
        session.command_requested.emit(command_id)

"""Commands on tables of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.stain_measuring import measure_stains

if TYPE_CHECKING:
    from pathoview.session.session import Session


def has_chosen(session: Session) -> bool:
    return session.annotations.n_selected > 0


COMMANDS: tuple[Command, ...] = (
    Command("objects.show", _("Table of objects"), "Ctrl+M", "View"),
    Command("objects.stains", _("Measure stains"), "", "Annotate", has_chosen, measure_stains),
)

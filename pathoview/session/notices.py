"""What the program says to the person: one sentence, and at most one action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pathoview.core.errors import PathoViewError


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the bar in the window."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    action: tuple[str, str] | None = None
    """(label, command id) of the one next step; run it with `commands.run_command`."""
    details: str = ""
    argument: str = ""
    """What the command works on, given to `run_command` (the path of a run to resume)."""
    job_id: str = ""
    """The job whose end this tells, if any."""
    is_lasting: bool = False
    """It is about the study: it stays when another slide of it is opened."""


def from_error(error: BaseException, action: tuple[str, str] | None = None) -> Notice:
    """Return an error as a notice: its sentence with what to do next."""
    text = error.full_text if isinstance(error, PathoViewError) else str(error)
    return Notice(text, "error", action, details=repr(error))

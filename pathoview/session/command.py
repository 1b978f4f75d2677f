"""What a command is: its words, its key, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathoview.session.session import Session


def always(session: Session) -> bool:
    return True


def has_slide(session: Session) -> bool:
    return session.slide is not None


def has_results(session: Session) -> bool:
    return session.results is not None


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can ask for, by menu, key, button or palette."""

    id: str
    title: str
    """English; shown through ``_(title)``."""
    shortcut: str = ""
    """As Qt writes it; several are separated by ``; ``."""
    menu: str = ""
    """File, Edit, View, Layer, Annotate, Analyze, Window, Help; empty: in no menu, palette only."""
    enabled: Callable[[Session], bool] = always
    run: Callable[[Session], object] | None = None
    """None: the window answers `Session.command_requested`."""
    checked: Callable[[Session], bool] | None = None
    """Whether a switch is on; None: it is no switch."""
    argument_run: Callable[[Session, str], object] | None = None
    """For commands that work on something named, such as the run of a notice."""

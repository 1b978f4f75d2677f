"""Every command of the program: its words, its key, and what it does.

Menus, tool bars, the command palette and the help are made from `COMMANDS`. A command without
``run`` is the window's own affair (a dialog, a dock): the session emits `command_requested`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.core.translation import _

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _always(session: Session) -> bool:
    return True


def _has_slide(session: Session) -> bool:
    return session.slide is not None


def _has_results(session: Session) -> bool:
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
    """File, Edit, View, Annotate, Analyze, Window, Help; empty: in no menu, palette only."""
    enabled: Callable[[Session], bool] = _always
    run: Callable[[Session], object] | None = None
    """None: the window answers `Session.command_requested`."""
    checked: Callable[[Session], bool] | None = None
    """Whether a switch is on; None: it is no switch."""
    argument_run: Callable[[Session, str], object] | None = None
    """For commands that work on something named, such as the run of a notice."""


_PAN_PX = 120.0
_ZOOM = 1.25
_OPACITY_STEP = 0.1

COMMANDS: tuple[Command, ...] = (
    Command("file.open", _("Open slide…"), "Ctrl+O", "File"),
    Command("file.demo", _("Open the demo"), "", "File"),
    Command(
        "file.close", _("Close slide"), "Ctrl+W", "File", _has_slide, lambda s: s.close_slide()
    ),
    Command("file.import", _("Import GeoJSON…"), "Ctrl+I", "File", _has_slide),
    Command("file.export", _("Export GeoJSON…"), "Ctrl+E", "File", _has_results),
    Command("file.settings", _("Settings…"), "Ctrl+,", "File"),
    Command("file.quit", _("Quit"), "Ctrl+Q", "File"),
    Command(
        "edit.undo",
        _("Undo"),
        "Ctrl+Z",
        "Edit",
        lambda s: bool(s.history.undo_name),
        lambda s: s.undo(),
    ),
    Command(
        "edit.redo",
        _("Redo"),
        "Ctrl+Shift+Z",
        "Edit",
        lambda s: bool(s.history.redo_name),
        lambda s: s.redo(),
    ),
    Command(
        "results.remove",
        _("Remove results from view"),
        "",
        "Edit",
        _has_results,
        lambda s: s.remove_results(),
    ),
    Command(
        "view.zoom_in",
        _("Zoom in"),
        "+; =; Shift+Up",
        "View",
        _has_slide,
        lambda s: s.viewport.zoom(_ZOOM),
    ),
    Command(
        "view.zoom_out",
        _("Zoom out"),
        "-; Shift+Down",
        "View",
        _has_slide,
        lambda s: s.viewport.zoom(1 / _ZOOM),
    ),
    Command("view.fit", _("Whole slide"), "Ctrl+0", "View", _has_slide, lambda s: s.viewport.fit()),
    Command(
        "view.actual",
        _("One slide pixel a screen pixel"),
        "Ctrl+1",
        "View",
        _has_slide,
        lambda s: s.viewport.look_at(*s.viewport.center_l0, 1.0),
    ),
    Command(
        "view.left",
        _("Look left"),
        "Left",
        "View",
        _has_slide,
        lambda s: s.viewport.pan(_PAN_PX, 0),
    ),
    Command(
        "view.right",
        _("Look right"),
        "Right",
        "View",
        _has_slide,
        lambda s: s.viewport.pan(-_PAN_PX, 0),
    ),
    Command(
        "view.up", _("Look up"), "Up", "View", _has_slide, lambda s: s.viewport.pan(0, _PAN_PX)
    ),
    Command(
        "view.down",
        _("Look down"),
        "Down",
        "View",
        _has_slide,
        lambda s: s.viewport.pan(0, -_PAN_PX),
    ),
    Command(
        "view.detections",
        _("Show detections"),
        "D",
        "View",
        _has_slide,
        lambda s: s.overlay.toggle_detections(),
        lambda s: s.overlay.shows_detections,
    ),
    Command(
        "view.annotations",
        _("Show annotations"),
        "A",
        "View",
        _has_slide,
        lambda s: s.overlay.toggle_annotations(),
        lambda s: s.overlay.shows_annotations,
    ),
    Command(
        "view.overlays",
        _("Show everything on the slide"),
        "H",
        "View",
        _has_slide,
        lambda s: s.overlay.toggle_all(),
        lambda s: s.overlay.shows_any,
    ),
    Command(
        "view.fill",
        _("Fill detections"),
        "F",
        "View",
        _has_slide,
        lambda s: s.overlay.toggle_fill(),
        lambda s: s.settings.overlay.fill,
    ),
    Command(
        "view.fainter",
        _("Fainter detections"),
        "[",
        "View",
        _has_slide,
        lambda s: s.change_overlay_opacity(-_OPACITY_STEP),
    ),
    Command(
        "view.stronger",
        _("Stronger detections"),
        "]",
        "View",
        _has_slide,
        lambda s: s.change_overlay_opacity(_OPACITY_STEP),
    ),
    Command("view.scale", _("State the scale of the slide…"), "", "View", _has_slide),
    Command(
        "tool.move",
        _("Move"),
        "M",
        "Annotate",
        _has_slide,
        lambda s: s.set_tool("move"),
        lambda s: s.tool == "move",
    ),
    Command(
        "tool.rectangle",
        _("Region to analyze"),
        "R",
        "Annotate",
        _has_slide,
        lambda s: s.set_tool("rectangle"),
        lambda s: s.tool == "rectangle",
    ),
    Command("tool.cancel", _("Cancel"), "Esc", "", _has_slide, lambda s: s.cancel_tool()),
    Command("analyze.run", _("Analyze"), "Ctrl+Return", "Analyze", _has_slide),
    Command(
        "analyze.resume",
        _("Resume"),
        "",
        "",
        _has_slide,
        argument_run=lambda s, run: s.resume_run(Path(run)),
    ),
    Command("window.panels", _("Hide panels"), "F4; Tab", "Window"),
    Command("window.commands", _("All commands…"), "Ctrl+L", "Help"),
    Command("help.guide", _("Guide"), "F1", "Help"),
    Command("help.log", _("Show log"), "Ctrl+Shift+L", "Help"),
    Command("help.about", _("About PathoView"), "", "Help"),
)

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

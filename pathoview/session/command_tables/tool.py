"""Commands of the tools, and of analyses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide
from pathoview.session.pointing import leave
from pathoview.session.toolbox import Tool

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _tool(name: Tool, title: str, key: str) -> Command:
    return Command(
        f"tool.{name}",
        title,
        key,
        "Annotate",
        has_slide,
        lambda s: s.set_tool(name),
        lambda s: s.tool == name,
    )


def _toggle_selection(session: Session) -> None:
    kit = session.toolbox.kit
    kit.set_selecting(on=not kit.is_selecting)


COMMANDS: tuple[Command, ...] = (
    _tool("move", _("Move"), "M"),
    _tool("rectangle", _("Rectangle"), "R"),
    _tool("ellipse", _("Ellipse"), "O"),
    _tool("line", _("Line, arrow or ruler"), "L"),
    _tool("polygon", _("Polygon"), "P"),
    _tool("polyline", _("Polyline"), "V"),
    _tool("livewire", _("Along edges (live-wire)"), "I"),
    _tool("brush", _("Brush"), "B"),
    _tool("wand", _("Wand"), "W"),
    _tool("superpixel", _("Superpixel brush"), "G"),
    _tool("eraser", _("Eraser"), "E"),
    _tool("scissors", _("Scissors"), "K"),
    _tool("points", _("Points"), "."),
    _tool("nucleus", _("Nucleus at a click"), "N"),
    _tool("region", _("Region to analyze"), "Shift+R"),
    Command(
        "tool.selection",
        _("Selection mode"),
        "S",
        "Annotate",
        has_slide,
        _toggle_selection,
        lambda s: s.toolbox.kit.is_selecting,
    ),
    Command("tool.cancel", _("Cancel"), "Esc", "", has_slide, leave),
    Command("analyze.run", _("Analyze"), "Ctrl+Return", "Analyze", has_slide),
    Command("evaluate.show", _("Evaluate…"), "", "Analyze"),
    Command(
        "analyze.resume",
        _("Resume"),
        "",
        "",
        has_slide,
        argument_run=lambda s, run: s.resume_run(Path(run)),
    ),
)

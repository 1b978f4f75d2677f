"""Commands of the tools, and of analyses."""

from __future__ import annotations

from pathlib import Path

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide
from pathoview.session.toolbox import Tool


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


COMMANDS: tuple[Command, ...] = (
    _tool("move", _("Move"), "M"),
    _tool("rectangle", _("Rectangle"), "R"),
    _tool("polygon", _("Polygon"), "P"),
    _tool("brush", _("Brush"), "B"),
    _tool("points", _("Points"), "."),
    _tool("region", _("Region to analyze"), "Shift+R"),
    Command("tool.cancel", _("Cancel"), "Esc", "", has_slide, lambda s: s.cancel_tool()),
    Command("analyze.run", _("Analyze"), "Ctrl+Return", "Analyze", has_slide),
    Command(
        "analyze.resume",
        _("Resume"),
        "",
        "",
        has_slide,
        argument_run=lambda s, run: s.resume_run(Path(run)),
    ),
)

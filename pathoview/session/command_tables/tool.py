"""Commands of the tools, and of analyses."""

from __future__ import annotations

from pathlib import Path

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide

COMMANDS: tuple[Command, ...] = (
    Command(
        "tool.move",
        _("Move"),
        "M",
        "Annotate",
        has_slide,
        lambda s: s.set_tool("move"),
        lambda s: s.tool == "move",
    ),
    Command(
        "tool.rectangle",
        _("Region to analyze"),
        "R",
        "Annotate",
        has_slide,
        lambda s: s.set_tool("rectangle"),
        lambda s: s.tool == "rectangle",
    ),
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

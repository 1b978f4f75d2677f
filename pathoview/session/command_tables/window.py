"""Commands of the window itself, and of the help."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command

COMMANDS: tuple[Command, ...] = (
    Command("window.panels", _("Hide panels"), "F4; Tab", "Window"),
    Command("window.full_screen", _("Full screen"), "F11", "Window"),
    Command("window.reset", _("Reset layout"), "", "Window"),
    Command(
        "window.theme",
        _("Light theme"),
        "",
        "Window",
        checked=lambda s: s.settings.theme == "light",
    ),
    Command("window.commands", _("All commands…"), "Ctrl+L", "Help"),
    Command("help.guide", _("Guide"), "F1", "Help"),
    Command("help.keys", _("Keyboard shortcuts…"), "", "Help"),
    Command("help.log", _("Show log"), "Ctrl+Shift+L", "Help"),
    Command("help.about", _("About PathoView"), "", "Help"),
)

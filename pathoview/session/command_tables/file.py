"""Commands about files and settings."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command, has_annotations, has_objects, has_slide

COMMANDS: tuple[Command, ...] = (
    Command("file.open", _("Open slide…"), "Ctrl+O", "File"),
    Command("file.open_clip", _("Open folder as clip…"), "", "File"),
    Command("file.demo", _("Open the demo"), "", "File"),
    Command("file.close", _("Close slide"), "Ctrl+W", "File", has_slide, lambda s: s.close_slide()),
    Command("file.import", _("Import…"), "Ctrl+I", "File", has_slide),
    Command("file.export", _("Export…"), "Ctrl+E", "File", has_objects),
    Command("objects.export", _("Export table…"), "", "File", has_slide),
    Command("file.export_tiles", _("Export tiles…"), "", "File", has_annotations),
    Command("file.report", _("Slide report…"), "Ctrl+P", "File", has_slide),
    Command("view.export", _("Export view…"), "Ctrl+Shift+E", "File", has_slide),
)

LAST: tuple[Command, ...] = (
    Command("file.settings", _("Settings…"), "Ctrl+,", "File"),
    Command("file.quit", _("Quit"), "Ctrl+Q", "File"),
)

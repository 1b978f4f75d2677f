"""Commands that change what is seen."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide

_PAN_PX = 120.0
_ZOOM = 1.25
_OPACITY_STEP = 0.1

COMMANDS: tuple[Command, ...] = (
    Command(
        "view.zoom_in",
        _("Zoom in"),
        "+; =; Shift+Up",
        "View",
        has_slide,
        lambda s: s.viewport.zoom(_ZOOM),
    ),
    Command(
        "view.zoom_out",
        _("Zoom out"),
        "-; Shift+Down",
        "View",
        has_slide,
        lambda s: s.viewport.zoom(1 / _ZOOM),
    ),
    Command("view.fit", _("Whole slide"), "Ctrl+0", "View", has_slide, lambda s: s.viewport.fit()),
    Command(
        "view.actual",
        _("One slide pixel a screen pixel"),
        "Ctrl+1",
        "View",
        has_slide,
        lambda s: s.viewport.look_at(*s.viewport.center_l0, 1.0),
    ),
    Command(
        "view.left",
        _("Look left"),
        "Left",
        "View",
        has_slide,
        lambda s: s.viewport.pan(_PAN_PX, 0),
    ),
    Command(
        "view.right",
        _("Look right"),
        "Right",
        "View",
        has_slide,
        lambda s: s.viewport.pan(-_PAN_PX, 0),
    ),
    Command("view.up", _("Look up"), "Up", "View", has_slide, lambda s: s.viewport.pan(0, _PAN_PX)),
    Command(
        "view.down",
        _("Look down"),
        "Down",
        "View",
        has_slide,
        lambda s: s.viewport.pan(0, -_PAN_PX),
    ),
    Command(
        "view.detections",
        _("Show detections"),
        "D",
        "View",
        has_slide,
        lambda s: s.overlay.toggle_detections(),
        lambda s: s.overlay.shows_detections,
    ),
    Command(
        "view.annotations",
        _("Show annotations"),
        "A",
        "View",
        has_slide,
        lambda s: s.overlay.toggle_annotations(),
        lambda s: s.overlay.shows_annotations,
    ),
    Command(
        "view.overlays",
        _("Show everything on the slide"),
        "H",
        "View",
        has_slide,
        lambda s: s.overlay.toggle_all(),
        lambda s: s.overlay.shows_any,
    ),
    Command(
        "view.fill",
        _("Fill detections"),
        "F",
        "View",
        has_slide,
        lambda s: s.overlay.toggle_fill(),
        lambda s: s.settings.overlay.fill,
    ),
    Command(
        "view.fainter",
        _("Fainter detections"),
        "[",
        "View",
        has_slide,
        lambda s: s.overlay.change_opacity(-_OPACITY_STEP),
    ),
    Command(
        "view.stronger",
        _("Stronger detections"),
        "]",
        "View",
        has_slide,
        lambda s: s.overlay.change_opacity(_OPACITY_STEP),
    ),
    Command(
        "view.retry",
        _("Read marked tiles again"),
        "F5",
        "View",
        lambda s: s.scheduler.has_failures,
        lambda s: s.scheduler.retry_failed(),
    ),
    Command("view.scale", _("State the scale of the slide…"), "", "View", has_slide),
)

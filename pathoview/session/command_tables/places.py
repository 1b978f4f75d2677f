"""Commands that bring one somewhere: to a magnification, to a place, and turned."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_bookmarks, has_slide
from pathoview.session.going import zoom_to

if TYPE_CHECKING:
    from pathoview.session.session import Session

_QUARTER, _STEP = 90.0, 15.0


def _is_screening(session: Session) -> bool:
    return session.places.screening.is_active


_ZOOMS = tuple(
    Command(
        f"go.zoom_{power}",
        title,
        f"Alt+{number}",
        "Go",
        has_slide,
        partial(lambda power, s: zoom_to(s, power), power),
    )
    for number, (power, title) in enumerate(
        (
            (1, _("Zoom to 1×")),
            (2, _("Zoom to 2×")),
            (5, _("Zoom to 5×")),
            (10, _("Zoom to 10×")),
            (20, _("Zoom to 20×")),
            (40, _("Zoom to 40×")),
        ),
        start=1,
    )
)

COMMANDS: tuple[Command, ...] = (
    *_ZOOMS,
    Command("go.coordinates", _("Go to coordinates…"), "Ctrl+G", "Go", has_slide),
    Command(
        "bookmark.add",
        _("Bookmark this place"),
        "Ctrl+B",
        "Go",
        has_slide,
        lambda s: s.places.bookmarks.add(),
    ),
    Command(
        "bookmark.next",
        _("Next bookmark"),
        "Alt+PgDown",
        "Go",
        has_bookmarks,
        lambda s: s.places.bookmarks.go_next(1),
    ),
    Command(
        "bookmark.previous",
        _("Previous bookmark"),
        "Alt+PgUp",
        "Go",
        has_bookmarks,
        lambda s: s.places.bookmarks.go_next(-1),
    ),
    Command("bookmark.list", _("Bookmarks"), "Ctrl+Shift+B", "Go"),
    Command(
        "screening.toggle",
        _("Screen the tissue"),
        "Shift+S",
        "Go",
        has_slide,
        lambda s: s.places.screening.toggle(),
        lambda s: s.places.screening.is_active,
    ),
    Command(
        "screening.next",
        _("Next field"),
        "PgDown",
        "Go",
        _is_screening,
        lambda s: s.places.screening.go(1),
    ),
    Command(
        "screening.previous",
        _("Previous field"),
        "PgUp",
        "Go",
        _is_screening,
        lambda s: s.places.screening.go(-1),
    ),
    Command(
        "screening.forget",
        _("Forget what was seen"),
        "",
        "Go",
        _is_screening,
        lambda s: s.places.screening.forget(),
    ),
    Command(
        "view.grid",
        _("Measuring grid"),
        "Shift+G",
        "View",
        has_slide,
        lambda s: s.places.grid.toggle(),
        lambda s: s.places.grid.is_shown,
    ),
    Command(
        "turn.right_90",
        _("Turn right by 90°"),
        "Ctrl+Shift+Right",
        "View",
        has_slide,
        lambda s: s.viewport.turn(_QUARTER),
    ),
    Command(
        "turn.left_90",
        _("Turn left by 90°"),
        "Ctrl+Shift+Left",
        "View",
        has_slide,
        lambda s: s.viewport.turn(-_QUARTER),
    ),
    Command(
        "turn.right",
        _("Turn right by 15°"),
        "Ctrl+Right",
        "View",
        has_slide,
        lambda s: s.viewport.turn(_STEP),
    ),
    Command(
        "turn.left",
        _("Turn left by 15°"),
        "Ctrl+Left",
        "View",
        has_slide,
        lambda s: s.viewport.turn(-_STEP),
    ),
    Command("turn.any", _("Turn…"), "Shift+T", "View", has_slide),
    Command(
        "turn.flip",
        _("Mirror"),
        "Shift+X",
        "View",
        has_slide,
        lambda s: s.viewport.flip(),
        lambda s: s.viewport.is_flipped,
    ),
    Command(
        "turn.reset",
        _("Turn back upright"),
        "Alt+0",
        "View",
        has_slide,
        lambda s: s.viewport.set_turn(0, False),
    ),
)

"""Commands on annotations: what the chosen ones become, and which are chosen.

The digits are keys of classes: see `AnnotationOperations.press_digit` for what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide
from pathoview.session.command_tables import review

if TYPE_CHECKING:
    from pathoview.session.session import Session

_MENU = "Annotate"
_CHOOSE, _COMBINE, _SHAPE, _MARK, _MAKE = (
    _("Choose"),
    _("Combine"),
    _("Shape"),
    _("Mark"),
    _("New annotation"),
)


def has_chosen(session: Session) -> bool:
    return session.annotations.n_selected > 0


def has_several(session: Session) -> bool:
    return session.annotations.n_selected > 1


def has_annotations(session: Session) -> bool:
    document = session.annotations.document
    return document is not None and len(document) > 0


def _operation(
    what: str,
    title: str,
    submenu: str = "",
    key: str = "",
    enabled: Callable[[Session], bool] = has_chosen,
) -> Command:
    return Command(
        f"annotate.{what.replace('-', '_')}",
        title,
        key,
        _MENU,
        enabled,
        lambda s: s.operations.do(what),
        submenu=submenu,
    )


def _asked(what: str, title: str) -> Command:
    """Return an operation that a dialog asks a distance for."""
    return Command(f"annotate.{what}", title, "", _MENU, has_chosen, submenu=_SHAPE)


def _of_session(
    name: str,
    title: str,
    run: Callable[[Session], object],
    enabled: Callable[[Session], bool],
    submenu: str = "",
    key: str = "",
) -> Command:
    return Command(f"annotate.{name}", title, key, _MENU, enabled, run, submenu=submenu)


def _select_class(session: Session) -> None:
    chosen = session.annotations.drawing_class
    session.classes.select(0 if chosen is None else chosen.number)


_DIGITS = tuple(
    Command(
        f"class.{digit}",
        title,
        digit,
        "",
        has_slide,
        partial(lambda digit, s: s.operations.press_digit(digit), digit),
    )
    for digit, title in (
        ("1", _("Class with key 1")),
        ("2", _("Class with key 2")),
        ("3", _("Class with key 3")),
        ("4", _("Class with key 4")),
        ("5", _("Class with key 5")),
        ("6", _("Class with key 6")),
        ("7", _("Class with key 7")),
        ("8", _("Class with key 8")),
        ("9", _("Class with key 9")),
        ("0", _("No class")),
    )
)

COMMANDS: tuple[Command, ...] = (
    review.DELETE,
    _operation("duplicate", _("Duplicate selected annotations"), key="Shift+D"),
    _of_session(
        "copy", _("Copy annotations"), lambda s: s.operations.copy(), has_chosen, key="Ctrl+C"
    ),
    _of_session(
        "paste",
        _("Paste annotations"),
        lambda s: s.operations.paste(),
        lambda s: s.operations.can_paste,
        key="Ctrl+V",
    ),
    _of_session(
        "transfer",
        _("Transfer last annotation"),
        lambda s: s.operations.transfer_last(),
        lambda s: s.operations.can_transfer,
        key="Shift+E",
    ),
    Command("annotate.properties", _("Set properties…"), "Return", _MENU, has_chosen),
    _of_session(
        "select_all",
        _("Select all annotations"),
        lambda s: s.annotations.select_all(),
        has_annotations,
        _CHOOSE,
        "Ctrl+Alt+A",
    ),
    _of_session(
        "select_class",
        _("Select all of the class"),
        _select_class,
        has_annotations,
        _CHOOSE,
        "Ctrl+Alt+Shift+A",
    ),
    _of_session(
        "select_none",
        _("Reset selection"),
        lambda s: s.annotations.select(()),
        has_chosen,
        _CHOOSE,
        "Ctrl+Alt+R",
    ),
    _operation("merge", _("Merge selected"), _COMBINE, enabled=has_several),
    _operation("subtract", _("Subtract selected from the first"), _COMBINE, enabled=has_several),
    _operation("intersect", _("Intersect selected"), _COMBINE, enabled=has_several),
    _operation("exclusive", _("Exclude the overlap (XOR)"), _COMBINE, enabled=has_several),
    _operation("split", _("Split annotations"), _COMBINE),
    _operation("fill-holes", _("Fill holes"), _SHAPE),
    _asked("simplify", _("Simplify shape…")),
    _asked("smooth", _("Smooth shape…")),
    _asked("expand", _("Expand annotations…")),
    _asked("shrink", _("Shrink annotations…")),
    _operation("convex-hull", _("Convex hull"), _SHAPE),
    _of_session(
        "lock",
        _("Lock or unlock"),
        lambda s: s.operations.toggle("lock"),
        has_chosen,
        _MARK,
        "Ctrl+K",
    ),
    review.UNCERTAIN,
    _of_session(
        "disputed", _("Disputed"), lambda s: s.operations.toggle("disputed"), has_chosen, _MARK
    ),
    _of_session(
        "full",
        _("Fully labelled"),
        lambda s: s.operations.toggle_fully_labelled(),
        has_chosen,
        _MARK,
    ),
    _of_session(
        "hide", _("Hide annotations"), lambda s: s.operations.hide(), has_chosen, _MARK, "Ctrl+H"
    ),
    _of_session(
        "show_hidden",
        _("Show all hidden annotations"),
        lambda s: s.operations.show_hidden(),
        has_annotations,
        _MARK,
        "Ctrl+Alt+H",
    ),
    _of_session(
        "full_image",
        _("Full image annotation"),
        lambda s: s.operations.add_full_image(),
        has_slide,
        _MAKE,
        "Ctrl+Shift+A",
    ),
    _of_session(
        "tissue", _("Tissue annotation"), lambda s: s.operations.add_tissue(), has_slide, _MAKE
    ),
    _of_session(
        "take_regions",
        _("Regions of the map"),
        lambda s: s.exchange.take_regions(),
        lambda s: s.exchange.has_map,
        _MAKE,
    ),
    *_DIGITS,
)

"""Commands that correct what a run has found, and walk over the places that it is unsure of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.uncertainty_map import can_show_uncertainty, show_uncertainty

if TYPE_CHECKING:
    from pathoview.session.session import Session

_CORRECT, _LABEL_NEXT = _("Correct"), _("What to label next")


def can_answer(session: Session) -> bool:
    return session.review.can_answer or session.review.tiles.can_answer


def has_tiles(session: Session) -> bool:
    return session.review.tiles.run is not None


def can_delete(session: Session) -> bool:
    return session.annotations.n_selected > 0 or can_answer(session)


def _has_several(session: Session) -> bool:
    return session.review.corrections.n_chosen > 1


def _has_area(session: Session) -> bool:
    return session.annotations.n_selected > 0 and session.results is not None


def _has_questions(session: Session) -> bool:
    return bool(session.review.reasons)


def _has_places(session: Session) -> bool:
    is_asked = bool(session.review.queue.places) or _has_questions(session)
    return is_asked or session.review.tiles.is_active


# The keys of a review mean the tile that is chosen, if one is, else what else is chosen.


def _accept(session: Session) -> None:
    if not session.review.tiles.answer("agree"):
        session.review.accept()


def _delete(session: Session) -> None:
    if not session.review.tiles.answer("disagree") and not session.review.delete():
        session.operations.do("delete")


def _mark_uncertain(session: Session) -> None:
    if not session.review.tiles.answer("unsure") and not session.review.unsure():
        session.operations.toggle("uncertain")


def _go(session: Session, step: int) -> None:
    if session.review.tiles.is_active:
        session.review.tiles.go(step)
    else:
        session.review.go(step)


DELETE = Command(
    "annotate.delete",
    _("Delete what is selected"),
    "Del; Backspace",
    "Annotate",
    can_delete,
    _delete,
)
UNCERTAIN = Command(
    "annotate.uncertain",
    _("Uncertain"),
    "U",
    "Annotate",
    can_delete,
    _mark_uncertain,
    submenu=_("Mark"),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "review.accept",
        _("Accept: copy to annotations, or agree with the tile"),
        "Y; Ctrl+D",
        "Annotate",
        can_answer,
        _accept,
        submenu=_CORRECT,
    ),
    Command(
        "review.merge",
        _("Merge detections"),
        "J",
        "Annotate",
        _has_several,
        lambda s: s.review.merge(),
        submenu=_CORRECT,
    ),
    Command(
        "review.inside",
        _("Select the detections inside"),
        "Shift+J",
        "Annotate",
        _has_area,
        lambda s: s.review.corrections.choose_inside(),
        submenu=_CORRECT,
    ),
    Command(
        "review.find",
        _("Find places to label"),
        "",
        "Learn",
        _has_questions,
        lambda s: s.review.find(),
        submenu=_LABEL_NEXT,
    ),
    Command(
        "review.next",
        _("Next place to label"),
        "C",
        "Learn",
        _has_places,
        lambda s: _go(s, 1),
        submenu=_LABEL_NEXT,
    ),
    Command(
        "review.previous",
        _("Previous place to label"),
        "Shift+C",
        "Learn",
        _has_places,
        lambda s: _go(s, -1),
        submenu=_LABEL_NEXT,
    ),
    Command("review.tiles", _("Review tiles"), "Shift+Y", "Learn", has_tiles),
    Command(
        "review.map",
        _("Map of uncertainty"),
        "",
        "Learn",
        can_show_uncertainty,
        show_uncertainty,
        submenu=_LABEL_NEXT,
    ),
)

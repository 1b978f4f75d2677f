"""Looking elsewhere on purpose: at a true magnification, at coordinates, turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.place_text import parse_place

if TYPE_CHECKING:
    from pathoview.session.session import Session

UNSCALED_MPP = 0.5
"""Taken where the slide states no scale: its full size counts as 20×."""


def zoom_to(session: Session, magnification: float) -> None:
    """Look at the same place at a magnification, by the µm per pixel of the slide."""
    viewport = session.viewport
    viewport.look_at(*viewport.center_l0, scale_of(session, magnification))


def scale_of(session: Session, magnification: float) -> float:
    """Return the view px a level-0 px that a magnification means on the open slide."""
    slide = session.slide
    mpp = slide.mpp if slide is not None and slide.info.mpp is not None else UNSCALED_MPP
    return session.viewport.scale_of(magnification, mpp)


def go_to(session: Session, text: str) -> None:
    """Look at the place that a text names (`place_text`), and remember the text.

    Raises `UsageError` when it names none.
    """
    if session.slide is None:
        return
    place = parse_place(text, session.slide.info.mpp, session.viewport.slide_l0)
    power = place.magnification
    session.viewport.look_at(
        place.x_l0, place.y_l0, None if power is None else scale_of(session, power)
    )
    session.settings.last_place = text.strip()

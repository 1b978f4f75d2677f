"""Stain of the chosen annotations: read in the background, kept as one step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from pathoview.annotations.feature import Feature
from pathoview.core.translation import _, ngettext
from pathoview.session.notices import Notice, from_error
from pathoview.session.piecework import Piecework
from pathoview.session.stain_choice import stains_of
from pathoview.slides.stain_reading import level_for_shapes, measured_stains

if TYPE_CHECKING:
    from pathoview.session.session import Session


def measure_stains(session: Session) -> None:
    """Measure the stains of the chosen annotations that have an area; a notice tells the end."""
    slide = session.slide
    chosen = [one for one in session.annotations.selected if one.geometry.area > 0]
    if slide is None or not chosen:
        session.notice.emit(Notice(_("Choose annotations that have an area."), "warning"))
        return
    shapes = [one.geometry for one in chosen]
    level = level_for_shapes(slide, shapes)
    found: list[Mapping[str, float]] = []

    def on_end(error: BaseException | None) -> None:
        if slide is not session.slide:
            return
        if error is not None:
            session.notice.emit(from_error(error))
            return
        _keep(session, chosen, found)

    pieces = measured_stains(slide, shapes, stains_of(session), level, session.plane)
    Piecework(session.scheduler, pieces, found.extend, on_end)


def _keep(
    session: Session, chosen: Sequence[Feature], found: Sequence[Mapping[str, float]]
) -> None:
    """Keep what was measured with those annotations that still are as they were."""
    document = session.annotations.document
    numbers: dict[UUID, Mapping[str, float]] = {
        one.id: {name: value for name, value in measures.items() if not math.isnan(value)}
        for one, measures in zip(chosen, found, strict=True)
    }
    now = (None if document is None else document.get(one.id) for one in chosen)
    same = [
        one
        for one, before in zip(now, chosen, strict=True)
        if one is not None and one.geometry == before.geometry
    ]

    def measured(one: Feature) -> Feature:
        return replace(one, measurements={**one.measurements, **numbers[one.id]})

    n = len(same)
    if session.annotations.edit(_("Measure stains"), same, measured):
        text = ngettext(
            "Stains of {n} annotation measured.", "Stains of {n} annotations measured.", n
        )
        session.notice.emit(Notice(text.format(n=n), action=(_("Show table"), "objects.show")))

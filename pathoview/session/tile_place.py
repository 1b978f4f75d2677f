"""A tile of any slide, and its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.layers.frame import Frame, Look
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba, TileSource
from pathoview.layers.thumbnail import place_thumbnail
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide
from pathoview.study.model import SlideRecord

if TYPE_CHECKING:
    from pathoview.session.session import Session

MARGIN = 0.15
"""Of a tile's side, on each side of it, that its picture shows beside it."""


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a tile lies; level-0 px of its slide, or of the strip of its pictures in a row."""

    slide_hash: str
    rect_l0: Rect
    n_columns: int = 0
    """Of the grid that the tile is of, over all pictures; 0: as many as fit."""

    def seen(self, slide: Slide, plane: Plane = Plane()) -> tuple[Plane, Rect]:
        """Return on which plane of its slide a tile is seen, and where there.

        Of pictures in a row each is a plane; else it is ``plane``.
        """
        info, rect_l0 = slide.info, self.rect_l0
        if not slide.is_series:
            return plane, rect_l0
        n_columns = self.n_columns // info.size_t or max(1, int(info.width // rect_l0.width))
        width_l0 = n_columns * rect_l0.width
        t = int(rect_l0.center[0] // width_l0)
        return plane._replace(t=t), rect_l0.moved(-t * width_l0, 0)


def picture_work(session: Session, place: TilePlace, side_px: int) -> Callable[[], Rgba] | None:
    """Return what makes the picture of a tile with a margin, ``side_px`` square.

    For another thread; it raises `SlideError`. None: its slide is neither open nor known.
    """
    slide = session.slide
    if slide is not None and slide.content_hash == place.slide_hash:
        base = session.layer_desk.base
        seen = place.seen(slide, session.plane)
        return None if base is None else partial(_picture, base.source, *seen, side_px)
    record = session.studies.records.get(SlideRecord, place.slide_hash)
    if record is None or not record.path:
        return None
    return partial(_picture_from_file, Path(record.path), place, side_px)


def _picture_from_file(path: Path, place: TilePlace, side_px: int) -> Rgba:
    with open_slide(path) as slide:
        return _picture(SlideSource(slide), *place.seen(slide), side_px)


def _picture(source: TileSource, plane: Plane, rect_l0: Rect, side_px: int) -> Rgba:
    look = Look(side_px / ((1 + 2 * MARGIN) * max(rect_l0.width, rect_l0.height)))
    return place_thumbnail(source, Frame.around(rect_l0.center, look, side_px, side_px), plane)

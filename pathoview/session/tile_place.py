"""A tile of any slide, and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.layers.frame import Frame, Look
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba, TileSource
from pathoview.layers.thumbnail import place_thumbnail
from pathoview.slides.opening import open_slide
from pathoview.study.model import SlideRecord

if TYPE_CHECKING:
    from pathoview.session.session import Session

MARGIN = 0.15
"""Of a tile's side, on each side of it, that its picture shows beside it."""


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a tile lies; level-0 px of its slide."""

    slide_hash: str
    rect_l0: Rect


def tile_picture(source: TileSource | Path, rect_l0: Rect, side_px: int, plane: Plane) -> Rgba:
    """Return the picture of a tile with a margin, ``side_px`` square; a file is opened for it.

    For another thread. Raises `SlideError`.
    """
    if isinstance(source, Path):
        with open_slide(source) as slide:
            return tile_picture(SlideSource(slide), rect_l0, side_px, plane)
    look = Look(side_px / ((1 + 2 * MARGIN) * max(rect_l0.width, rect_l0.height)))
    return place_thumbnail(source, Frame.around(rect_l0.center, look, side_px, side_px), plane)


def picture_source(session: Session, slide_hash: str) -> TileSource | Path | None:
    """Return what a slide's tiles are read from: the open slide or its file; None: neither is."""
    slide = session.slide
    if slide is not None and slide.content_hash == slide_hash:
        return session.layer_desk.base.source if session.layer_desk.base else None
    record = session.studies.records.get(SlideRecord, slide_hash)
    return Path(record.path) if record is not None and record.path else None

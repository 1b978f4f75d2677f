"""A small picture of a slide that is not open."""

from __future__ import annotations

from pathlib import Path

from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba
from pathoview.layers.thumbnail import thumbnail
from pathoview.slides.opening import open_slide


def slide_picture(path: Path, side_px: int) -> Rgba:
    """Open a slide for a moment and return its picture, the longer side ``side_px``.

    It is made of the slide's own pixels: stored thumbnails may show its label. Raises `SlideError`.
    """
    with open_slide(path) as slide:
        return thumbnail(SlideSource(slide), side_px)

"""What tools work with: annotations, pixels, and settings that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.annotation_desk import AnnotationDesk
from pathoview.session.drawing.patch import Patch
from pathoview.session.settings import DrawingSettings
from pathoview.slides.rgb import rgb_rule
from pathoview.slides.slide import Slide

_LARGEST_PATCH_PX = 2048
_TILE_PX = 256


class ToolKit:
    """Given to every drawing tool."""

    changed = Signal()
    """A setting, such as the size of the brush, or `is_selecting`."""

    def __init__(
        self, annotations: AnnotationDesk, scheduler: TileScheduler, settings: DrawingSettings
    ) -> None:
        self.annotations = annotations
        self.settings = settings
        self.slide: Slide | None = None
        self.plane = Plane()
        self.is_selecting = False
        """Selection mode: what is drawn chooses the annotations in it; see `set_selecting`."""
        self._scheduler = scheduler

    @property
    def mpp(self) -> tuple[float, float] | None:
        """µm per level-0 px (x, y) of the open slide; None: not known."""
        return None if self.slide is None else self.slide.info.mpp

    @property
    def bounds_l0(self) -> Rect:
        """The whole slide."""
        if self.slide is None:
            return Rect(0, 0, 0, 0)
        return Rect(0, 0, self.slide.info.width, self.slide.info.height)

    def set_brush(self, diameter_view: float) -> None:
        """Make the brush larger or smaller, px of the view."""
        self.settings.brush_view = min(500.0, max(2.0, diameter_view))
        self.changed.emit()

    def set_selecting(self, *, on: bool) -> None:
        """Choose by what is drawn, or draw again."""
        if on != self.is_selecting:
            self.is_selecting = on
            self.changed.emit()

    def set(self, name: str, value: object) -> None:
        """Change one of `settings`; raises `ValidationError` where it cannot be so."""
        setattr(self.settings, name, value)
        self.changed.emit()

    def read_patch(
        self,
        rect_l0: Rect,
        downsample: float,
        then: Callable[[Patch], None],
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Read pixels around a place in another thread; ``then`` follows on this one.

        ``downsample``: level-0 px a px of the patch, at least; it is never larger than 2,048 px.
        """
        slide = self.slide
        if slide is None:
            return
        inside = rect_l0.intersection(self.bounds_l0)
        if inside.is_empty:
            return
        least = max(inside.width, inside.height) / _LARGEST_PATCH_PX

        def done(patch: Patch | None, error: BaseException | None) -> None:
            if patch is not None and slide is self.slide:
                then(patch)
            elif error is not None and failed is not None:
                failed(error)

        work = partial(read_patch, slide, inside, max(downsample, least), self.plane)
        self._scheduler.submit(work, done)


def read_patch(slide: Slide, rect_l0: Rect, downsample: float, plane: Plane) -> Patch:
    """Read a rectangle at the nearest level not coarser than asked; raises `SlideError`."""
    pyramid = slide.pyramid(_TILE_PX)
    level = pyramid.level_for(downsample)
    of_level = pyramid.levels[level].downsample
    x, y, width, height = rect_l0.scaled(1 / of_level).as_ints()
    pixels = rgb_rule(slide).apply(slide.read(level, x, y, width, height, plane))
    return Patch(np.ascontiguousarray(pixels), (x * of_level, y * of_level), of_level)

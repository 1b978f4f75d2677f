"""Opening slides in the background: of several asked for at once, the last one comes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from psygnal import Signal

from pathoview.core.byte_cache import ByteCache
from pathoview.core.privacy import hide
from pathoview.layers.scheduler import TileScheduler
from pathoview.slides.finding import SUFFIXES
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.slides.video_slide import VIDEO_SUFFIXES
from pathoview.study.scales import remembered_scale

SLIDE_SUFFIXES = (*SUFFIXES, *VIDEO_SUFFIXES)
"""How names of slides end, as a rule."""


class SlideOpener:
    """Opens one slide at a time."""

    changed = Signal()
    """`is_opening`"""
    opened = Signal(object)
    """(Slide)"""
    failed = Signal(object)
    """(exception)"""

    def __init__(self, scheduler: TileScheduler, memory: ByteCache) -> None:
        self.is_opening = False
        self._scheduler = scheduler
        self._memory = memory
        self._n_asked = 0
        """Counts what was asked for, so that a slide that comes too late is not shown."""

    def open(self, path: Path) -> None:
        """Open a slide; `opened` or `failed` follows, unless another one is asked for."""
        self._n_asked += 1
        self._set_opening(True)
        self._scheduler.submit(
            partial(opened, path, self._memory), partial(self._on_opened, self._n_asked)
        )

    def cancel(self) -> None:
        """Forget the slide that is being opened, if any."""
        self._n_asked += 1
        self._set_opening(False)

    def _on_opened(self, number: int, slide: Slide | None, error: BaseException | None) -> None:
        if number != self._n_asked:
            if slide is not None:
                slide.close()
            return
        self._set_opening(False)
        if slide is None:
            self.failed.emit(error)
        else:
            self.opened.emit(slide)

    def _set_opening(self, is_opening: bool) -> None:
        if is_opening != self.is_opening:
            self.is_opening = is_opening
            self.changed.emit()


def opened(path: Path, memory: ByteCache) -> Slide:
    """Open a slide with the scale that was remembered for it, if any; raises `SlideError`.

    Its decoded tiles count to ``memory``.
    """
    hide(path)
    slide = open_slide(path)
    hide(path, slide.pseudonym)
    slide.use_memory(memory)
    remembered = remembered_scale(slide.content_hash)
    return with_scale(slide, remembered) if remembered else slide

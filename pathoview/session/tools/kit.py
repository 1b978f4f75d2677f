"""What tools work with: annotations, pixels, and settings that all of them share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from psygnal import Signal
from shapely.geometry.base import BaseGeometry

from pathoview.core.errors import PathoViewError
from pathoview.session.annotation_desk import AnnotationDesk
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.drawing.stain import Stained
from pathoview.session.notices import Notice, from_error
from pathoview.session.settings import DrawingSettings
from pathoview.session.stain_choice import stains_of
from pathoview.slides.stains import StainMatrix

if TYPE_CHECKING:
    from pathoview.session.session import Session

_logger = logging.getLogger(__name__)

T = TypeVar("T")


class ToolKit:
    """Given to every drawing tool."""

    changed = Signal()
    """A setting, such as the size of the brush, or `is_selecting`."""
    committed = Signal()
    """An annotation was added by one gesture."""

    def __init__(self, session: Session) -> None:
        self.annotations: AnnotationDesk = session.annotations
        self.settings: DrawingSettings = session.settings.drawing
        self.is_selecting = False
        """Selection mode: what is drawn chooses the annotations in it; see `set_selecting`."""
        self._session = session

    # -- the open slide --------------------------------------------------------------------------

    @property
    def mpp(self) -> tuple[float, float] | None:
        """µm per level-0 px (x, y) of the open slide; None: not known."""
        slide = self._session.slide
        return None if slide is None else slide.info.mpp

    @property
    def mean_mpp(self) -> float | None:
        """µm per level-0 px; None: not known."""
        return None if self.mpp is None else sum(self.mpp) / 2

    @property
    def pixels(self) -> PatchReader | None:
        """The open slide, for work in another thread; None: no slide is open."""
        slide = self._session.slide
        return None if slide is None else PatchReader(slide, self._session.plane)

    @property
    def stains(self) -> StainMatrix:
        """The stains of the open slide, as far as is known."""
        return stains_of(self._session)

    @property
    def stained(self) -> Stained:
        """Which of the stains nuclei have: in immunohistochemistry they may have the other one."""
        return "any" if self.stains.stains[1] == "DAB" else "first"

    def split_detections(self, line: BaseGeometry) -> None:
        """Cut what a run has found along a line; see `Corrections.split`."""
        self._session.review.corrections.split(line)

    # -- settings --------------------------------------------------------------------------------

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

    # -- other threads, and words ----------------------------------------------------------------

    def run(
        self, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]
    ) -> None:
        """Do short work in another thread; ``done(result, error)`` follows on this one."""
        self._session.scheduler.submit(work, done)

    def say(self, text: str, action: tuple[str, str] | None = None) -> None:
        """Tell the person something in one sentence; ``action`` as in `Notice`."""
        self._session.notice.emit(Notice(text, action=action))

    def say_error(self, error: BaseException) -> None:
        """Tell the person what went wrong."""
        if not isinstance(error, PathoViewError):
            _logger.error("unforeseen", exc_info=error)
        self._session.notice.emit(from_error(error))

"""Looking at all of the tissue, field by field, and knowing what was seen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.affine import Point
from pathoview.core.translation import _
from pathoview.core.undo import Step
from pathoview.layers.coverage_source import CoverageSource, cell_size, cells_shape
from pathoview.layers.frame import Look
from pathoview.layers.layer import Layer
from pathoview.session.going import scale_of
from pathoview.session.notices import Notice, from_error
from pathoview.session.screening_plan import Field, plan_fields, tissue_cells
from pathoview.slides.tissue import tissue_mask
from pathoview.study.coverage import Codes, code_of, keep_coverage, kept_coverage

if TYPE_CHECKING:
    from pathoview.session.keeper import Keeper
    from pathoview.session.session import Session
    from pathoview.slides.slide import Slide

SEEN_S = 0.5
"""So long a place is looked at until it counts as seen."""
_SEEN_SHARE = 0.9
"""A field of which that much was seen before is passed over at the start."""
_LONGEST_STAY_S = 120.0
"""Longer stays at a field are breaks, and no measure of the pace."""
_SIZE_SHARE = 0.02
"""A view that is larger or smaller by less than that needs no other plan."""
_N_STAYS = 20
_FEWEST_STAYS = 3


@dataclass(frozen=True, slots=True)
class _Order:
    """What a plan is made for."""

    slide: Slide
    look: Look
    size_view: tuple[float, float]
    overlap: float
    least: int
    codes: Codes | None = field(compare=False)
    """None: as they are on disk."""

    def is_like(self, other: _Order) -> bool:
        """Whether the plan for another order does for this one, in a view about as large."""
        pairs = zip(self.size_view, other.size_view, strict=True)
        is_same_size = all(abs(ours - theirs) <= _SIZE_SHARE * theirs for ours, theirs in pairs)
        return is_same_size and replace(self, size_view=other.size_view) == other


@dataclass(frozen=True, slots=True)
class _Plan:
    order: _Order
    fields: tuple[Field, ...]
    codes: Codes
    tissue: npt.NDArray[np.bool_]


class Screening:
    """The walk over the open slide. All methods are called on the session's thread."""

    changed = Signal()
    """The field, what was seen, the pace, or whether there is a walk at all."""

    def __init__(
        self, session: Session, keeper: Keeper, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._keeper = keeper
        self._clock = clock
        self.settings = session.settings.screening
        self.is_preparing = False
        self.index = 0
        """The field that is looked at."""
        self.seen_share = 0.0
        """How much of the tissue was seen (0–1)."""
        self._slide: Slide | None = None
        self._plan: _Plan | None = None
        self._layer: Layer | None = None
        self._source: CoverageSource | None = None
        self._stays: deque[float] = deque(maxlen=_N_STAYS)
        self._came_at = 0.0
        self._view: tuple[tuple[Point, ...], int] | None = None
        """Corners and code of what is looked at, until it is taken in."""
        self._view_since = 0.0
        session.slide_changed.connect(self._on_slide_changed)
        session.viewport_changed.connect(self._on_moved)

    @property
    def is_active(self) -> bool:
        return self._plan is not None

    @property
    def n_fields(self) -> int:
        return 0 if self._plan is None else len(self._plan.fields)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace of late; None: not known yet."""
        if len(self._stays) < _FEWEST_STAYS:
            return None
        return sum(self._stays) / len(self._stays) * (self.n_fields - self.index - 1)

    # -- what a person does ----------------------------------------------------------------------

    def toggle(self) -> None:
        if self.is_active or self.is_preparing:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Find the tissue, plan the way, and go to the first field that was not seen yet."""
        self._prepare(self._go_to_unseen)

    def plan_again(self) -> None:
        """Go on in the way that the settings say now."""
        if self._plan is not None:
            self._prepare(partial(self._go_on_from, self._plan.fields[self.index].center_l0, 0))

    def stop(self) -> None:
        """Leave the walk; what was seen stays, on disk too."""
        self.rest()
        self._plan, self._view, self.is_preparing = None, None, False
        if self._layer is not None and self._layer in self._session.layers:
            self._session.layers.remove(self._layer)
            self._session.scheduler.remove(self._layer.source)
        self._layer = self._source = None
        self.changed.emit()

    def go(self, step: int) -> None:
        """Go to the next field (``step`` 1) or the one before (-1)."""
        if self._plan is None:
            return
        order = self._order(None)
        if order is None or not order.is_like(self._plan.order):  # the window is larger now, say
            here_l0 = self._plan.fields[self.index].center_l0
            self._prepare(partial(self._go_on_from, here_l0, step))
            return
        now = self._clock()
        if step > 0:
            self._stays.append(min(now - self._came_at, _LONGEST_STAY_S))
        self._go_to(min(self.n_fields - 1, max(0, self.index + step)))

    def forget(self) -> None:
        """Begin anew: nothing of the slide was seen."""
        source = self._source
        if source is not None:
            nothing = np.zeros_like(source.codes)
            self._session.history.do(
                Step(
                    _("Forget what was seen"),
                    partial(self._set_codes, nothing),
                    partial(self._set_codes, source.codes),
                )
            )

    def rest(self) -> None:
        """Take in what is looked at if that was long enough; call it now and then."""
        if self._view is None or self._source is None:
            return
        if self._clock() - self._view_since < SEEN_S:
            return
        (corners_l0, code), self._view = self._view, None
        if self._source.see(corners_l0, code):
            self._on_codes_changed()

    # -- the plan --------------------------------------------------------------------------------

    def _order(self, codes: Codes | None) -> _Order | None:
        slide, viewport = self._session.slide, self._session.viewport
        if slide is None:
            return None
        scale = scale_of(self._session, self.settings.magnification)
        look = Look(scale, viewport.rotation, viewport.is_flipped)
        least = code_of(self.settings.magnification)
        return _Order(slide, look, viewport.size_view, self.settings.overlap, least, codes)

    def _prepare(self, then: Callable[[], None]) -> None:
        order = self._order(self._source.codes if self._source is not None else None)
        if order is None or self.is_preparing:
            return
        self.is_preparing = True
        self._session.scheduler.submit(partial(_planned, order), partial(self._on_planned, then))
        self.changed.emit()

    def _on_planned(
        self, then: Callable[[], None], plan: _Plan | None, error: BaseException | None
    ) -> None:
        if not self.is_preparing or (plan is not None and plan.order.slide is not self._slide):
            return
        self.is_preparing = False
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif plan is not None and not plan.fields:
            self._session.notice.emit(Notice(_("No tissue was found on this slide."), "warning"))
        elif plan is not None:
            self._take(plan)
            then()
        self.changed.emit()

    def _take(self, plan: _Plan) -> None:
        self._plan = plan
        info = plan.order.slide.info
        if self._source is None:
            self._source = CoverageSource(info.width, info.height, plan.codes, plan.order.least)
            self._layer = Layer(_("Seen"), self._source)
            chosen = self._session.layer_desk.active
            self._session.layers.add(self._layer)
            self._session.scheduler.add(self._source)
            self._session.layer_desk.active = chosen
        self._source.least = plan.order.least
        self.seen_share = self._source.share_of(plan.tissue)

    def _go_to_unseen(self) -> None:
        fields = self._plan.fields if self._plan is not None else ()
        unseen = (n for n, stop in enumerate(fields) if stop.seen_share < _SEEN_SHARE)
        self._stays.clear()
        self._go_to(next(unseen, 0))

    def _go_on_from(self, here_l0: Point, step: int) -> None:
        fields = self._plan.fields if self._plan is not None else ()
        way = [np.hypot(f.center_l0[0] - here_l0[0], f.center_l0[1] - here_l0[1]) for f in fields]
        self._go_to(min(len(fields) - 1, max(0, int(np.argmin(way)) + step)))

    def _go_to(self, index: int) -> None:
        if self._plan is None:
            return
        self.index, self._came_at = index, self._clock()
        self._session.viewport.look_at(
            *self._plan.fields[index].center_l0, self._plan.order.look.scale
        )
        self.changed.emit()

    # -- what was seen ---------------------------------------------------------------------------

    def _on_moved(self) -> None:
        self.rest()
        if self._source is None:
            return
        viewport = self._session.viewport
        power = viewport.scale / scale_of(self._session, 1.0)
        self._view, self._view_since = (viewport.corners_l0, code_of(power)), self._clock()

    def _set_codes(self, codes: Codes) -> None:
        if self._source is not None and codes.shape == self._source.codes.shape:
            self._source.codes = codes
            self._on_codes_changed()

    def _on_codes_changed(self) -> None:
        if self._plan is None or self._source is None:
            return
        self.seen_share = self._source.share_of(self._plan.tissue)
        slide_hash = self._plan.order.slide.content_hash
        keep = partial(keep_coverage, slide_hash, self._source.codes)
        self._keeper.keep(f"coverage {slide_hash}", keep)
        self.changed.emit()

    def _on_slide_changed(self) -> None:
        if self._session.slide is not self._slide:
            self._slide = self._session.slide
            self.stop()


def _planned(order: _Order) -> _Plan:
    """Find the tissue and plan the way; takes seconds on a large slide."""
    info = order.slide.info
    shape, cell_l0 = cells_shape(info.width, info.height), cell_size(info.width, info.height)
    codes = order.codes
    if codes is None:
        codes = kept_coverage(order.slide.content_hash, shape)
    tissue = tissue_mask(order.slide)
    fields = plan_fields(
        tissue, order.look, order.size_view, order.overlap, codes, cell_l0, order.least
    )
    return _Plan(order, fields, codes, tissue_cells(tissue, shape, cell_l0))

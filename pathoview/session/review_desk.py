"""Corrections, and the walk over places where a person's answer teaches most.

An answer is an annotation, or several: with author and time, learned from like any other. Whether
a place is answered is told by the annotations alone, so undo asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psygnal import Signal

from pathoview.annotations.change import Change
from pathoview.annotations.detections import CONFIDENCE, DetectionClass
from pathoview.core.translation import _
from pathoview.session.correcting import Corrections
from pathoview.session.going import UNSCALED_MPP, scale_of
from pathoview.session.keeper import Keeper
from pathoview.session.notices import Notice, from_error
from pathoview.session.review_marks import ReviewMarks
from pathoview.session.review_search import FIELD_UM, Search
from pathoview.session.run_comparison import RunComparison
from pathoview.session.run_desk import RunDesk
from pathoview.session.runs import RunView
from pathoview.session.selection import choose_detection
from pathoview.session.similar_cases import SimilarCases
from pathoview.session.similar_tiles import SimilarTiles
from pathoview.session.tile_map import TileMap
from pathoview.session.tile_review import TileReview
from pathoview.slides.slide import Slide
from pathoview.study.review_queue import Reason, ReviewPlace, ReviewQueue, keep_queue, kept_queue

if TYPE_CHECKING:
    from pathoview.session.session import Session

_POWERS = {"confidence": 40.0, "disagreement": 40.0, "map": 20.0}
"""Magnification at which a place is looked at."""
_NEAR = 2.0
"""A zoom that differs by less than that is left as it is."""
_MARK_UM = {"confidence": 12.0, "disagreement": 12.0, "map": FIELD_UM / 4}
"""Radius of the rings round places."""


class ReviewDesk:
    """The review of the open slide. All methods are called on the session's thread."""

    changed = Signal()
    """`queue`, what was answered of it, `reasons`, what is chosen, or what `tiles` tells of."""

    def __init__(self, session: Session, runs: RunDesk, keeper: Keeper) -> None:
        self._session = session
        self._keeper = keeper
        self.corrections = Corrections(session)
        self.tiles = TileReview(session)
        self.similar = SimilarTiles(session, self.tiles, runs)
        self.cases = SimilarCases(session, self.tiles, runs)
        self.map = TileMap(session, self.tiles, runs)
        self.comparison = RunComparison(session, self.tiles, runs)
        self.queue = ReviewQueue()
        self.is_searching = False
        self.is_walking = False
        """A place of the queue was gone to."""
        self._reason: Reason | None = None
        self._slide: Slide | None = None
        self._could_answer = False
        self._marks = ReviewMarks(session)
        self.tiles.changed.connect(self.changed)
        session.slide_changed.connect(self._on_slide_changed)
        session.runs_changed.connect(self.changed)
        session.selection_changed.connect(self.changed)
        session.viewport_changed.connect(self._on_moved)
        session.annotations.changed.connect(self._on_annotations_changed)

    # -- what can be asked -----------------------------------------------------------------------

    @property
    def reasons(self) -> Sequence[Reason]:
        """What the shown runs give to ask about."""
        run = self._session.results
        if run is None:
            return ()
        if run.map is not None:
            return ("map",)
        found: list[Reason] = []
        if CONFIDENCE in run.measurement_names:
            found.append("confidence")
        if len(self._comparable) > 1:
            found.append("disagreement")
        return found

    @property
    def reason(self) -> Reason | None:
        """What is asked about next; None: no shown run gives anything."""
        reasons = self.reasons
        return self._reason if self._reason in reasons else next(iter(reasons), None)

    def choose_reason(self, reason: Reason) -> None:
        self._reason = reason
        self.changed.emit()

    @property
    def _comparable(self) -> list[RunView]:
        """The last two runs with objects, the newer one first."""
        runs = [
            one
            for one in reversed(self._session.runs)
            if one.record.has_objects and one.record.kind != "preview" and len(one.source)
        ]
        return runs[:2]

    def find(self) -> None:
        """Look for places to ask about, and go to the first; a notice says if there are none."""
        session, reason, slide = self._session, self.reason, self._session.slide
        run, document = session.results, session.annotations.document
        if slide is None or run is None or document is None or self.is_searching:
            return
        if reason is None:
            session.notice.emit(
                Notice(_("No run that is shown says where it is unsure."), "warning")
            )
            return
        search = Search(
            reason,
            tuple(self._comparable) if reason == "disagreement" else (run,),
            tuple(document),
            tuple(session.studies.records.classes),
            self._mpp,
        )
        self.is_searching = True
        session.scheduler.submit(search.find, partial(self._on_found, slide, reason))
        self.changed.emit()

    def _on_found(
        self,
        slide: Slide,
        reason: Reason,
        places: list[ReviewPlace] | None,
        error: BaseException | None,
    ) -> None:
        self.is_searching = False
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif slide is self._slide:
            self.queue = ReviewQueue(reason=reason, places=tuple(places or ()))
            self._keep()
            self._mark()
            if places:
                self._go_to(0)
            else:
                self._session.notice.emit(Notice(_("There is nothing left to ask here.")))
        self.changed.emit()

    @property
    def _mpp(self) -> float:
        slide = self._session.slide
        return slide.mpp if slide is not None and slide.info.mpp is not None else UNSCALED_MPP

    # -- the walk --------------------------------------------------------------------------------

    @property
    def place(self) -> ReviewPlace | None:
        """The place where one is; None: there is none."""
        places = self.queue.places
        return places[self.queue.index] if self.queue.index < len(places) else None

    @property
    def run_of_place(self) -> RunView | None:
        """The run that is asked about; None: it is not shown."""
        place = self.place
        runs = (one for one in self._session.runs if place and one.record.id == place.run_id)
        return next(runs, None)

    def is_answered(self, place: ReviewPlace) -> bool:
        return UUID(place.object_id).bytes in self.corrections.covered

    @property
    def n_answered(self) -> int:
        return sum(map(self.is_answered, self.queue.places))

    def go(self, step: int) -> None:
        """Go to the next place (``step`` 1) or the one before (-1); at first, to where one was."""
        if not self.queue.places:
            self.find()
        else:
            index = self.queue.index + (step if self.is_walking else 0)
            self._go_to(min(len(self.queue.places) - 1, max(0, index)))

    def _go_to(self, index: int) -> None:
        session = self._session
        self.queue = self.queue.model_copy(update={"index": index})
        self.is_walking = True
        self._mark()
        place = self.queue.places[index]
        scale = scale_of(session, _POWERS[self.queue.reason])
        is_near = 1 / _NEAR < session.viewport.scale / scale < _NEAR
        session.viewport.look_at(place.x_l0, place.y_l0, None if is_near else scale)
        session.annotations.select(())
        run = self.run_of_place
        row = None if run is None else run.source.find(UUID(place.object_id).bytes)
        session.clear_selection()
        if run is not None and row is not None:
            choose_detection(session, run.source, row)
        self._keep()
        self.changed.emit()

    def _go_on(self) -> None:
        """Go to the next place without an answer, whether it comes later or was passed over."""
        places, index = self.queue.places, self.queue.index
        order = (*range(index + 1, len(places)), *range(index))
        following = next((n for n in order if not self.is_answered(places[n])), None)
        if following is None:
            self._session.notice.emit(Notice(_("All places are answered.")))
        else:
            self._go_to(following)

    # -- answers ---------------------------------------------------------------------------------

    @property
    def can_answer(self) -> bool:
        """Whether detections are chosen, or a place of a map is asked about and seen."""
        return self.corrections.n_chosen > 0 or self._asked_of_map() is not None

    def accept(self) -> bool:
        """Take what is chosen as it is, or the map's class at the place."""
        return self._answer(self.corrections.accept, yields=False)

    def delete(self) -> bool:
        """Say that what is chosen is no nucleus, or that the map is wrong at the place."""
        return self._answer(self.corrections.delete, is_disputed=True)

    def unsure(self) -> bool:
        """Take what is chosen as uncertain: no method learns from it."""
        accept = partial(self.corrections.accept, is_uncertain=True)
        return self._answer(accept, is_uncertain=True)

    def reclass(self, number: int) -> bool:
        """Take what is chosen in a class (0: none), or say which it is at the place of a map."""
        known = self._session.classes.get(number) if number else None
        reclass = partial(self.corrections.reclass, number)
        return self._answer(reclass, classification=None if known is None else known.drawn)

    def merge(self) -> bool:
        """Make one nucleus of those that are chosen."""
        return self._answer(self.corrections.merge)

    def _answer(self, correct: Callable[[], bool], *, yields: bool = True, **members: Any) -> bool:
        """Correct what is chosen, or else add a point at the place of a map; then go on.

        ``yields``: chosen annotations are meant rather than the place.
        """
        place = self.place if self.is_walking else None
        was_open = place is not None and not self.is_answered(place)
        asked = self._asked_of_map()
        if self.corrections.n_chosen:
            is_done = correct()
        elif asked is None or (yields and self._session.annotations.n_selected):
            return False
        else:
            is_done = self.corrections.point_at(
                *(asked.run_id, UUID(asked.object_id), (asked.x_l0, asked.y_l0)),
                **{"classification": self._class_of(asked), **members},
            )
        if is_done and place is not None and was_open and self.is_answered(place):
            self._go_on()
        return is_done

    def _asked_of_map(self) -> ReviewPlace | None:
        """Return the place of a map that is asked about; None: none is, or it is not seen."""
        place = self.place
        if not self.is_walking or place is None or self.queue.reason != "map":
            return None
        seen = self._session.viewport.visible_l0
        is_seen = seen.x <= place.x_l0 <= seen.right and seen.y <= place.y_l0 <= seen.bottom
        return place if is_seen and not self.is_answered(place) else None

    def _class_of(self, place: ReviewPlace) -> DetectionClass | None:
        run = self.run_of_place
        known = () if run is None else run.record.classes
        return next((one for one in known if one.name == place.class_name), None)

    # -- what is kept and shown ------------------------------------------------------------------

    def _keep(self) -> None:
        if self._slide is not None:
            key = self._slide.content_hash
            self._keeper.keep(f"review {key}", partial(keep_queue, key, self.queue))

    def _mark(self) -> None:
        open_ones = [one for one in self.queue.places if not self.is_answered(one)]
        self._marks.show(open_ones, _MARK_UM[self.queue.reason] / self._mpp)

    def _on_moved(self) -> None:
        """Tell when the place of a map comes into view, or leaves it."""
        if self.can_answer != self._could_answer:
            self._could_answer = self.can_answer
            self.changed.emit()

    def _on_annotations_changed(self, _change: Change | None) -> None:
        if self.is_walking:
            self._mark()
        self.changed.emit()

    def _on_slide_changed(self) -> None:
        slide = self._session.slide
        if slide is self._slide:
            return
        self._slide = slide
        self._marks.remove()
        self.queue, self.is_walking, self.is_searching = ReviewQueue(), False, False
        if slide is not None:
            self._session.scheduler.submit(
                partial(kept_queue, slide.content_hash), partial(self._on_kept, slide)
            )
        self.changed.emit()

    def _on_kept(
        self, slide: Slide, queue: ReviewQueue | None, error: BaseException | None
    ) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif slide is self._slide and queue is not None and not self.queue.places:
            self.queue = queue
            self.changed.emit()

"""What a person does with the chosen annotations, and annotations that the slide itself gives.

Each is one named step of the history, with the command line that repeats it where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import shapely

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import (
    OPERATIONS,
    Distance,
    Given,
    Outcome,
    operate,
    step_name,
)
from pathoview.annotations.whole_slide import MADE, full_image, tissue
from pathoview.core.errors import PathoViewError
from pathoview.core.translation import _, ngettext
from pathoview.session.annotation_clipboard import CopiedAnnotations
from pathoview.session.annotation_desk import class_name
from pathoview.session.notices import Notice, from_error
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.study.records import now

if TYPE_CHECKING:
    from pathoview.session.session import Session

_MANY = 300
"""Shapes of more annotations are worked on by another thread."""
_MOST_IDS = 100
"""A command names at most so many annotations one by one."""
_MOST_REMEMBERED = 1000
"""So many annotations can be transferred without having been copied."""
_TOGGLES: Mapping[str, tuple[str, str, str]] = {
    "lock": ("is_locked", "lock", "unlock"),
    "uncertain": ("is_uncertain", "uncertain", "certain"),
    "disputed": ("is_disputed", "disputed", "agreed"),
}


class AnnotationOperations:
    """Works on a session's annotations. All methods are called on the session's thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._desk = session.annotations
        self._copied: CopiedAnnotations | None = None
        self._last: CopiedAnnotations | None = None
        """Those chosen last, on whatever slide."""
        self._desk.selection_changed.connect(self._remember)
        self._desk.changed.connect(self._remember)

    # -- the chosen ones -------------------------------------------------------------------------

    def do(
        self,
        what: str,
        distance: Distance | None = None,
        classification: DetectionClass | None = None,
    ) -> None:
        """Do an operation of `OPERATIONS` with the chosen annotations, as one step.

        With many it is done a little later. A notice says what could not be done.
        """
        features = self._desk.selected
        if not features:
            return
        given = self._given(distance, classification)
        work = partial(operate, what, features, given)
        if not OPERATIONS[what].is_quick and len(features) > _MANY:
            text = _("{n:,} annotations are being worked on…").format(n=len(features))
            self._session.notice.emit(Notice(text))
            self._session.scheduler.submit(work, partial(self._on_done, what, features, given))
            return
        try:
            outcome = work()
        except PathoViewError as error:
            self._session.notice.emit(from_error(error))
            return
        self._apply(what, features, given, outcome)

    def _given(
        self,
        distance: Distance | None = None,
        classification: DetectionClass | None = None,
    ) -> Given:
        slide = self._session.slide
        mpp = None if slide is None else slide.info.mpp
        return Given(mpp, distance, classification, now(), self._session.studies.author)

    def _on_done(
        self,
        what: str,
        features: Sequence[Feature],
        given: Given,
        outcome: Outcome | None,
        error: BaseException | None,
    ) -> None:
        if outcome is not None:
            self._apply(what, features, given, outcome)
        elif error is not None:
            self._session.notice.emit(from_error(error))

    def _apply(
        self, what: str, features: Sequence[Feature], given: Given, outcome: Outcome
    ) -> None:
        document = self._desk.document
        if document is None or any(document.get(one.id) is not one for one in features):
            text = _("The annotations have changed meanwhile: nothing was done.")
            self._session.notice.emit(Notice(text, "warning"))
            return
        command = self._command(what, features, given)
        is_done = self._desk.apply(step_name(what, given), outcome.change, command)
        if is_done and outcome.chosen:
            self._desk.select(outcome.chosen)
        if is_done or not outcome.change:
            self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        said = []
        if outcome.n_locked:
            n = outcome.n_locked
            text = ngettext(
                "{n:,} annotation is locked and stays as it is.",
                "{n:,} annotations are locked and stay as they are.",
                n,
            )
            said.append(text.format(n=n))
        if outcome.n_refused:
            n = outcome.n_refused
            text = ngettext(
                "{n:,} annotation stays as it is: nothing would be left of it.",
                "{n:,} annotations stay as they are: nothing would be left of them.",
                n,
            )
            said.append(text.format(n=n))
        if not outcome.change and not said:
            self._session.notice.emit(Notice(_("There was nothing to change.")))
        elif said:
            self._session.notice.emit(Notice(" ".join(said), "warning"))

    def _command(self, what: str, features: Sequence[Feature], given: Given) -> Mapping[str, Any]:
        """Return how to repeat an operation; empty: there is no saying on what."""
        on = self._said(what, features)
        return {"verb": "annotate", "what": what, **on, **given.said} if on else {}

    def _said(self, what: str, features: Sequence[Feature]) -> Mapping[str, Any]:
        """Return what was chosen: all of some classes, or some annotations by their ids."""
        names = {class_name(one) for one in features}
        n = sum(self._session.classes.count_named(name) for name in names)
        if n == len(features) and what != "subtract":  # there it matters which comes first
            return {"class": sorted(names)}
        if len(features) > _MOST_IDS:
            return {}
        return {"id": [str(one.id) for one in features]}

    def toggle(self, what: str) -> None:
        """Set a mark of the chosen annotations (lock, uncertain, disputed), or clear it of all."""
        member, on, off = _TOGGLES[what]
        is_on = all(getattr(feature, member) for feature in self._desk.selected)
        self.do(off if is_on else on)

    def toggle_fully_labelled(self) -> None:
        """Say of the chosen areas that everything in them is labelled, or no longer."""
        areas = [one for one in self._desk.selected if shapely.get_dimensions(one.geometry) == 2]
        is_on = bool(areas) and all(one.role == "full" for one in areas)
        self.do("not-fully-labelled" if is_on else "fully-labelled")

    def hide(self) -> None:
        """Hide the chosen annotations, which are chosen no more."""
        self.do("hide")
        self._desk.select(one.id for one in self._desk.selected if not one.is_hidden)

    def show_hidden(self) -> None:
        """Show all annotations that were hidden one by one, and choose them."""
        hidden = [one.id for one in self._desk.document or () if one.is_hidden]
        self._desk.select(hidden)
        self.do("show")

    def set_class(self, number: int) -> None:
        """Give the chosen annotations a class; 0: none."""
        found = self._session.classes.get(number) if number else None
        self.do("set-class", classification=None if found is None else found.drawn)

    def press_digit(self, digit: str) -> None:
        """Take a class by its key; 0: none.

        It is drawn in from now on. With the Move tool in hand, what is chosen gets it too.
        Other tools leave chosen what was drawn last: it gets the class only if it has none yet.
        """
        found = self._session.classes.with_key(digit)
        if found is None and digit != "0":
            text = _("No class has the key {digit}.").format(digit=digit)
            self._session.notice.emit(Notice(text))
            return
        number, name = (0, "") if found is None else (found.number, found.name)
        self._desk.choose_class(number)
        chosen = self._desk.selected
        is_moving = self._session.tool == "move"
        if is_moving and self._session.review.reclass(number):
            return
        takes_it = is_moving or not any(map(class_name, chosen))
        if takes_it and any(class_name(one) != name for one in chosen):
            self.set_class(number)

    def edit(self, members: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
        """Give members of the chosen annotations these values, as one step.

        ``metadata`` is added to theirs; an empty text takes an entry away. Locked ones change only
        when they are unlocked by it.
        """
        chosen = self._desk.selected
        is_unlocking = members.get("is_locked") is False
        free = [one for one in chosen if is_unlocking or not one.is_locked]
        n = len(free)
        name = ngettext("Edit annotation", "Edit {n} annotations", n).format(n=n)

        def edited(one: Feature) -> Feature:
            said = {**one.metadata, **(metadata or {})}
            kept = {key: text for key, text in said.items() if text}
            return replace(one, **members, metadata=kept if metadata else one.metadata)

        self._desk.edit(name, free, edited)
        if n < len(chosen):
            self._tell(Outcome(Change(), n_locked=len(chosen) - n))

    # -- from the slide itself -------------------------------------------------------------------

    def add_full_image(self) -> None:
        """Add an annotation of the whole slide, of the class that is drawn in."""
        slide = self._session.slide
        if slide is not None:
            given = self._given(classification=self._drawn_in())
            feature = full_image(slide.info.width, slide.info.height, given)
            self._add("full-image", feature, given)

    def add_tissue(self) -> None:
        """Add an annotation of all tissue of the slide; it comes when the tissue is found."""
        slide = self._session.slide
        if slide is not None:
            given = self._given(classification=self._drawn_in())
            work = partial(_tissue_of, slide, given)
            self._session.scheduler.submit(work, partial(self._on_tissue, slide, given))

    def _on_tissue(
        self, slide: Slide, given: Given, feature: Feature | None, error: BaseException | None
    ) -> None:
        if slide is not self._session.slide:
            return
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif feature is None:
            self._session.notice.emit(Notice(_("No tissue was found on this slide."), "warning"))
        else:
            self._add("tissue", feature, given)

    def _drawn_in(self) -> DetectionClass | None:
        chosen = self._desk.drawing_class
        return None if chosen is None else chosen.drawn

    def _add(self, what: str, feature: Feature, given: Given) -> None:
        command = {"verb": "annotate", "what": what, **given.said}
        if self._desk.apply(_(MADE[what]), Change.adding([feature]), command):
            self._desk.select([feature.id])

    # -- from slide to slide ---------------------------------------------------------------------

    @property
    def can_paste(self) -> bool:
        return self._copied is not None and self._session.slide is not None

    @property
    def can_transfer(self) -> bool:
        return self._last is not None and self._session.slide is not None

    def copy(self) -> None:
        """Remember the chosen annotations, to be pasted on this slide or another."""
        slide = self._session.slide
        if slide is not None and self._desk.n_selected:
            self._copied = CopiedAnnotations.of(self._desk.selected, slide)
            n = self._desk.n_selected
            text = ngettext("{n:,} annotation copied.", "{n:,} annotations copied.", n)
            self._session.notice.emit(Notice(text.format(n=n)))

    def paste(self) -> None:
        """Put copies of the remembered annotations on the open slide, where they were."""
        if self._copied is not None:
            self._paste(self._copied, _("Paste annotations"))

    def transfer_last(self) -> None:
        """Put the annotations chosen last on another slide; or back on the same, if deleted."""
        slide, last = self._session.slide, self._last
        if slide is None or last is None:
            return
        if last.slide_hash == slide.content_hash:
            there = self._desk.document or ()
            gone = tuple(one for one in last.features if one.id not in there)
            last = replace(last, features=gone)
            if not gone:
                self._session.notice.emit(Notice(_("They are on this slide already.")))
                return
        self._paste(last, _("Transfer annotations"))

    def _paste(self, copied: CopiedAnnotations, step: str) -> None:
        slide = self._session.slide
        if slide is None:
            return
        pasted = copied.on(slide, now(), self._session.studies.author)
        n_beside = len(copied.features) - len(pasted)
        if pasted:
            self._bring(step, pasted)
        if n_beside:
            text = ngettext(
                "{n:,} annotation would lie beside this slide and was left out.",
                "{n:,} annotations would lie beside this slide and were left out.",
                n_beside,
            )
            self._session.notice.emit(Notice(text.format(n=n_beside), "warning"))

    def _bring(self, step: str, features: Sequence[Feature]) -> bool:
        """Add annotations, and their classes to the palette where it lacks them; choose them."""
        classes = self._session.classes
        own = [classes.adopted(feature) for feature in features]
        records = classes.missing(feature.classification for feature in own)
        if not self._session.studies.do(step, Change.adding(own), records):
            return False
        self._desk.select(feature.id for feature in own)
        return True

    def _remember(self, _change: object = None) -> None:
        slide = self._session.slide
        if slide is not None and 0 < self._desk.n_selected <= _MOST_REMEMBERED:
            self._last = CopiedAnnotations.of(self._desk.selected, slide)


def _tissue_of(slide: Slide, given: Given) -> Feature | None:
    found = tissue_mask(slide)
    return tissue(found.mask, found.downsample, slide.info.width, slide.info.height, given)

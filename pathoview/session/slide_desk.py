"""The slides of the study: listed, ordered, found, opened, and what is said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from pathoview.core.privacy import scrub
from pathoview.core.translation import _
from pathoview.session.notices import Notice, from_error
from pathoview.session.slide_editing import SlideEditing
from pathoview.session.slide_search import SlideSearch, locate, places_near
from pathoview.study.model import SLIDE_SORTS as SLIDE_SORTS
from pathoview.study.model import STAINS as STAINS
from pathoview.study.model import Block, Case, SlideOrder, SlideRecord, SlideSort
from pathoview.study.slide_list import SlideFacts, matching, slide_rows, stands_alike
from pathoview.study.slide_list import SlideRow as SlideRow
from pathoview.study.slide_reading import read_facts
from pathoview.study.study import Study
from pathoview.study.study_file import StudyFile

if TYPE_CHECKING:
    from pathoview.session.session import Session

_FEW = 20
"""Slides of which something else is said at once."""
_KINDS = (SlideRecord.kind, Case.kind, Block.kind, SlideOrder.kind)


class SlideDesk:
    """All methods are called on the session's thread."""

    changed = Signal()
    """`rows`: others, or in another order."""
    row_changed = Signal(str)
    """(hash): what is said or counted of one slide, which stays in its place."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._studies = session.studies
        self._study: Study | None = None
        self._rows: list[SlideRow] | None = None
        self._by_hash: dict[str, SlideRow] = {}
        self._facts: dict[str, SlideFacts] = {}
        self.search = SlideSearch(session)
        self.editing = SlideEditing(session, self)
        self._studies.changed.connect(self._on_study_changed)
        self._studies.records_changed.connect(self._on_records_changed)
        session.classes.changed.connect(self._on_classes_changed)
        session.runs_changed.connect(self._on_runs_changed)

    # -- the list --------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[SlideRow]:
        """All slides of the study in order; none while no study is open."""
        if self._rows is None:
            records = self._studies.records
            self._rows = slide_rows(
                records.all(SlideRecord) if self._studies.is_named else (),
                records.all(Case),
                records.all(Block),
                self._facts,
                self.order,
            )
            self._by_hash = {row.slide_hash: row for row in self._rows}
        return self._rows

    def row(self, slide_hash: str) -> SlideRow | None:
        """Return what is said of a slide, with what is counted now."""
        _rows = self.rows
        row = self._by_hash.get(slide_hash)
        facts = self._facts.get(slide_hash)
        return row if row is None or facts is None else replace(row, facts=facts)

    def found(self, query: str) -> list[SlideRow]:
        """Return the slides that have all words of a query, in order."""
        return matching(self.rows, query, is_blinded=self.is_blinded)

    @property
    def order(self) -> SlideOrder:
        return self._studies.records.get(SlideOrder, "") or SlideOrder()

    @property
    def is_blinded(self) -> bool:
        """Whether names of files and patients must not be shown."""
        return self._studies.is_named and self.order.is_blinded

    def set_sort(self, sort: SlideSort, seed: int | None = None) -> None:
        """Put the slides in another order; ``seed`` of the random one, the last by itself."""
        update = {"sort": sort} | ({} if seed is None else {"seed": seed})
        self._studies.note(self.order.model_copy(update=update))

    def set_blinded(self, *, on: bool) -> None:
        """Show pseudonyms instead of names, or names again."""
        self._studies.note(self.order.model_copy(update={"is_blinded": on}))

    @property
    def open_name(self) -> str:
        """What the open slide may be called on screen; empty: none is open."""
        slide = self._session.slide
        if slide is None:
            return ""
        return slide.pseudonym if self.is_blinded else slide.path.name

    @property
    def shown_path(self) -> Path:
        """Where the open slide lies, under the name that may be shown: for names of exports."""
        path = self._session.path
        if path is None:
            return Path("slide")
        return path.with_name(self.open_name) if self.is_blinded else path

    def shown(self, text: str) -> str:
        """Return a text as it may be shown: a blinded study names no slide."""
        return scrub(text) if self.is_blinded else text

    # -- opening ---------------------------------------------------------------------------------

    def open(self, slide_hash: str) -> None:
        """Show a slide; one that is not where it lay is looked for beside the study."""
        record, study = self._studies.records.get(SlideRecord, slide_hash), self._study
        if record is None or study is None:
            return
        self._session.scheduler.submit(
            partial(locate, record, study.path.parent), partial(self._on_located, study, record)
        )

    def _on_located(
        self, study: Study, record: SlideRecord, path: Path | None, error: BaseException | None
    ) -> None:
        if study is not self._study:
            return
        if path is not None:
            self._session.open(path)
            self._set_facts(record.slide_hash, is_missing=False)
            return
        row = self.row(record.slide_hash)
        name = record.pseudonym if row is None else row.name
        text = _("“{name}” is not where it lay, nor beside the study.").format(name=name)
        way = (_("Find moved slides…"), "study.find_slides")
        self._session.notice.emit(from_error(error) if error else Notice(text, "warning", way))
        self._set_facts(record.slide_hash, is_missing=True)

    def open_next(self, step: int) -> None:
        """Show the slide that comes so many places after the open one."""
        slide, rows = self._session.slide, self.rows
        if not rows:
            return
        places = {row.slide_hash: place for place, row in enumerate(rows)}
        place = None if slide is None else places.get(slide.content_hash)
        place = 0 if place is None else place + step
        if 0 <= place < len(rows):
            self.open(rows[place].slide_hash)

    # -- what is counted -------------------------------------------------------------------------

    def _on_study_changed(self) -> None:
        study = self._studies.study if self._studies.is_named else None
        if study is self._study:
            return
        self._study = study
        self.search.forget()
        self._facts = {}
        self._show()
        file = None if study is None else study.file
        if study is not None and file is not None:
            self._session.scheduler.submit(
                partial(_read_facts, file, self._studies.records.all(SlideRecord)),
                partial(self._on_facts, study),
            )

    def _on_facts(
        self,
        study: Study,
        read: tuple[dict[str, SlideFacts], dict[str, Path]] | None,
        error: BaseException | None,
    ) -> None:
        if study is not self._study:
            return
        if read is None:
            self._session.notice.emit(from_error(error or RuntimeError()))
            return
        facts, moved = read
        slide = self._session.slide
        if slide is not None and slide.content_hash in self._facts:
            facts[slide.content_hash] = self._facts[slide.content_hash]  # newer
        self._facts = facts
        self.search.take_places(moved)
        self._show()

    def _on_records_changed(self, kind: str) -> None:
        if kind in _KINDS and not (kind == SlideRecord.kind and self._alter_rows()):
            self._show()

    def _alter_rows(self) -> bool:
        """Take over what is said of a few slides; False: the list must be made anew."""
        records = self._studies.records.all(SlideRecord)
        if self._rows is None or len(records) != len(self._rows):
            return False
        known = ((self._by_hash.get(one.slide_hash), one) for one in records)
        others = [(row, one) for row, one in known if row is None or row.record is not one]
        if len(others) > _FEW:
            return False
        sort, altered = self.order.sort, []
        for row, record in others:
            if row is None or not stands_alike(row, replace(row, record=record), sort):
                return False
            altered.append((row, replace(row, record=record)))
        for row, after in altered:
            self._rows[self._rows.index(row)] = self._by_hash[row.slide_hash] = after
            self.row_changed.emit(row.slide_hash)
        return True

    def _show(self) -> None:
        self._rows = None
        self.changed.emit()

    def _on_classes_changed(self) -> None:
        slide, document = self._session.slide, self._session.annotations.document
        if slide is not None and document is not None:
            n_classes = self._session.classes.n_used
            self._set_facts(slide.content_hash, n_annotations=len(document), n_classes=n_classes)

    def _on_runs_changed(self) -> None:
        slide = self._session.slide
        if slide is not None and self._session.runs:
            self._set_facts(slide.content_hash, has_runs=True)

    def _set_facts(self, slide_hash: str, **members: Any) -> None:
        before = self._facts.get(slide_hash, SlideFacts())
        after = replace(before, **members)
        if after != before and self._study is not None:
            self._facts[slide_hash] = after
            self.row_changed.emit(slide_hash)


def _read_facts(
    file: StudyFile, records: Sequence[SlideRecord]
) -> tuple[dict[str, SlideFacts], dict[str, Path]]:
    """Count what is on disk of each slide, and find those that moved along with the study."""
    facts = read_facts(file)
    places = places_near(records, file.path.parent)
    for key in (key for key, place in places.items() if place is None):
        facts[key] = replace(facts.get(key, SlideFacts()), is_missing=True)
    return facts, {key: place for key, place in places.items() if place is not None}

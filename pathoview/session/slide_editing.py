"""What a person says of slides: cases, stains, tags, labels, tables. Each time one step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathoview.core.errors import PathoViewError
from pathoview.core.translation import _, ngettext
from pathoview.session.notices import Notice, from_error
from pathoview.study.case_book import CaseBook
from pathoview.study.metadata_csv import MEANINGS as MEANINGS
from pathoview.study.metadata_csv import Match as Match
from pathoview.study.metadata_csv import MetadataPlan as MetadataPlan
from pathoview.study.metadata_csv import Table as Table
from pathoview.study.metadata_csv import plan_import, write_list
from pathoview.study.metadata_csv import read_table as read_table
from pathoview.study.model import LABEL_KINDS as LABEL_KINDS
from pathoview.study.model import Block, Case
from pathoview.study.model import SlideLabel as SlideLabel
from pathoview.study.model import SlideRecord as SlideRecord
from pathoview.study.records import now
from pathoview.study.slide_labels import labelled as labelled
from pathoview.study.slide_labels import parse_label as parse_label
from pathoview.study.slide_labels import unlabelled as unlabelled
from pathoview.study.step import RecordChange

if TYPE_CHECKING:
    from pathoview.session.session import Session
    from pathoview.session.slide_desk import SlideDesk


class SlideEditing:
    """All methods are called on the session's thread."""

    def __init__(self, session: Session, desk: SlideDesk) -> None:
        self._session = session
        self._desk = desk
        self._studies = session.studies

    def alter(
        self, hashes: Iterable[str], name: str, to: Callable[[SlideRecord], SlideRecord]
    ) -> bool:
        """Say something else of slides, as one step; whether anything has changed."""
        changes = [RecordChange.of(*pair) for pair in self._altered(hashes, to)]
        return bool(changes) and self._studies.put(changes, name)

    def edit(self, hashes: Iterable[str], name: str, **members: Any) -> bool:
        """Give slides other members of their records, as one step."""
        return self.alter(hashes, name, lambda record: record.model_copy(update=members))

    def _altered(
        self, hashes: Iterable[str], to: Callable[[SlideRecord], SlideRecord]
    ) -> list[tuple[SlideRecord, SlideRecord]]:
        found = (self._studies.records.get(SlideRecord, key) for key in dict.fromkeys(hashes))
        pairs = ((record, to(record)) for record in found if record is not None)
        return [(before, after) for before, after in pairs if before != after]

    def remove(self, hashes: Iterable[str]) -> bool:
        """Take slides out of the study; their annotations stay in its history."""
        records = self._studies.records
        found = (records.get(SlideRecord, key) for key in dict.fromkeys(hashes))
        gone = [RecordChange.of(record, None) for record in found if record is not None]
        name = ngettext("Remove slide", "Remove {n} slides", len(gone)).format(n=len(gone))
        return bool(gone) and self._studies.put(gone, name)

    def set_reviewed(self, hashes: Iterable[str], *, on: bool) -> bool:
        name = _("Mark as reviewed") if on else _("Mark as not reviewed")
        return self.edit(hashes, name, is_reviewed=on)

    def set_stain(self, hashes: Iterable[str], stain: str) -> bool:
        name = _("Set stain {name}").format(name=stain) if stain else _("Take stain away")
        return self.edit(hashes, name, stain=stain)

    def assign(self, hashes: Iterable[str], case: str, block: str = "") -> bool:
        """Give slides to a block of a case, made when there is none; no case: to none."""
        name = _("Assign to case {name}").format(name=case) if case else _("Take out of the case")
        return self.describe(hashes, name, lambda record: record, place=(case, block))

    def describe(
        self,
        hashes: Iterable[str],
        name: str,
        to: Callable[[SlideRecord], SlideRecord],
        place: tuple[str | None, str | None],
    ) -> bool:
        """Say much of slides as one step.

        ``place``: names of their case and block, which are made where there are none; None: as is.
        """
        records = self._studies.records
        book = CaseBook(records.all(Case), records.all(Block))

        def placed(record: SlideRecord) -> SlideRecord:
            names = zip(place, book.names(record.block_id), strict=True)
            case, block = (old if new is None else new.strip() for new, old in names)
            return to(record).model_copy(update={"block_id": book.block_id(case, block)})

        altered = self._altered(hashes, placed)
        changes = [*book.made, *(RecordChange.of(*pair) for pair in altered)]
        return bool(altered) and self._studies.put(changes, name)

    def rename_case(self, case: Case, name: str) -> bool:
        return self._rename(case, name, _("Rename case"))

    def rename_block(self, block: Block, name: str) -> bool:
        return self._rename(block, name, _("Rename block"))

    def _rename(self, said: Case | Block, name: str, title: str) -> bool:
        if said.name == name.strip():
            return False
        renamed = said.model_copy(update={"name": name.strip()})
        return self._studies.put([RecordChange.of(said, renamed)], title)

    def place_of(self, slide_hash: str) -> tuple[Case, Block] | None:
        """Return the case and block of a slide, if it has any."""
        records = self._studies.records
        record = records.get(SlideRecord, slide_hash)
        block = None if record is None else records.get(Block, record.block_id)
        case = None if block is None else records.get(Case, block.case_id)
        return None if block is None or case is None else (case, block)

    @property
    def cases(self) -> Sequence[Case]:
        """By their names."""
        return sorted(self._studies.records.all(Case), key=lambda case: case.name.casefold())

    def blocks(self, case: Case) -> Sequence[Block]:
        """Return the blocks of a case by their names."""
        found = (one for one in self._studies.records.all(Block) if one.case_id == case.id)
        return sorted(found, key=lambda block: block.name.casefold())

    def label(self, hashes: Iterable[str], label: SlideLabel) -> bool:
        """Say something of whole slides; it takes the place of an earlier answer."""
        said = [self.signed(label)]
        return self.alter(hashes, _("Label slide"), lambda record: labelled(record, said))

    def signed(self, label: SlideLabel) -> SlideLabel:
        """Return a label with who gives it, and when."""
        author = label.author or self._studies.author
        return label.model_copy(update={"author": author, "created": label.created or now()})

    def unlabel(self, hashes: Iterable[str], label: SlideLabel) -> bool:
        """Take a label of whole slides away."""
        name = _("Take slide’s label away")
        return self.alter(hashes, name, lambda record: unlabelled(record, label))

    # -- tables ----------------------------------------------------------------------------------

    def plan_import(self, table: Table, meanings: Mapping[str, Any]) -> MetadataPlan:
        """Return what reading a table would do; ``meanings`` by column, see `metadata_csv`."""
        records = self._studies.records
        return plan_import(
            table,
            *(records.all(SlideRecord), records.all(Case), records.all(Block), meanings),
            author=self._studies.author,
            time=now(),
        )

    def import_metadata(self, plan: MetadataPlan) -> bool:
        """Do what was planned, as one step."""
        return bool(plan.changes) and self._studies.put(plan.changes, _("Import metadata"))

    def export_list(self, path: Path) -> bool:
        """Write the list as CSV, in its order."""
        try:
            rows = [self._desk.row(row.slide_hash) or row for row in self._desk.rows]
            write_list(path, rows, is_blinded=self._desk.is_blinded)
        except PathoViewError as error:
            self._session.notice.emit(from_error(error))
            return False
        self._session.notice.emit(Notice(_("“{name}” is written.").format(name=path.name)))
        return True

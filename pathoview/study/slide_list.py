"""The list of a study's slides: what is said of each, in which order, and which are looked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from pathoview.core.errors import InputError
from pathoview.core.natural import natural
from pathoview.core.translation import _
from pathoview.study.model import Block, Case, SlideOrder, SlideRecord, SlideSort
from pathoview.study.records import now
from pathoview.study.slide_labels import label_text

Status = Literal["unlabelled", "labelled", "analysed", "reviewed"]
STATUSES: tuple[Status, ...] = get_args(Status)

_SHORTEST_HASH = 6
"""Digits of a hash that name a slide, at least."""


@dataclass(frozen=True, slots=True)
class SlideFacts:
    """What is counted of a slide, beside its record."""

    n_annotations: int = 0
    n_classes: int = 0
    """Classes of which there are annotations."""
    has_runs: bool = False
    is_missing: bool = False
    """There is no file where it lay last."""


@dataclass(frozen=True, slots=True)
class SlideRow:
    """A slide as it stands in the list."""

    record: SlideRecord
    facts: SlideFacts
    name: str
    """Of its file; its pseudonym when the list is blinded."""
    group: str
    """Case and block; empty when the list is not grouped."""
    case: str = ""
    block: str = ""

    @property
    def slide_hash(self) -> str:
        return self.record.slide_hash

    @property
    def status(self) -> Status:
        return status_of(self.record, self.facts)


def status_of(record: SlideRecord, facts: SlideFacts) -> Status:
    """Return how far one has come with a slide."""
    if record.is_reviewed:
        return "reviewed"
    if facts.has_runs:
        return "analysed"
    return "labelled" if facts.n_annotations or record.labels else "unlabelled"


def file_name(record: SlideRecord) -> str:
    """Return the name of a slide's file, wherever it was written; its pseudonym without one."""
    return re.split(r"[/\\]", record.path)[-1] or record.pseudonym or record.slide_hash


def seen_slide(
    known: SlideRecord | None,
    slide_hash: str,
    pseudonym: str,
    path: Path,
    size_l0: tuple[int, int],
    mpp: tuple[float, float] | None,
) -> SlideRecord:
    """Return the record of a slide whose file was seen: a new one, or with its place of today."""
    said = known or SlideRecord(slide_hash=slide_hash, pseudonym=pseudonym, added=now())
    width, height = size_l0
    place = str(path.absolute())
    facts = {"path": place, "width_l0": width, "height_l0": height, "mpp": mpp}
    return said.model_copy(update=facts)


def slide_rows(
    records: Iterable[SlideRecord],
    cases: Iterable[Case],
    blocks: Iterable[Block],
    facts: Mapping[str, SlideFacts],
    order: SlideOrder,
) -> list[SlideRow]:
    """Return all slides in order; those of a case and block together, unless that tells much."""
    case_names = {case.id: case.name for case in cases}
    places = {block.id: (case_names.get(block.case_id, ""), block.name) for block in blocks}
    is_grouped = bool(places) and order.sort != "random" and not order.is_blinded
    none = SlideFacts()
    rows = []
    for record in records:
        case, block = places.get(record.block_id, ("", ""))
        name = record.pseudonym if order.is_blinded else file_name(record)
        group = group_text(case, block) if is_grouped else ""
        rows.append(SlideRow(record, facts.get(record.slide_hash, none), name, group, case, block))
    return in_order(rows, order, is_grouped=is_grouped)


def group_text(case: str, block: str) -> str:
    """Return the heading of the slides of a block."""
    return " · ".join(part for part in (case or _("No case"), block) if part)


def in_order(rows: Iterable[SlideRow], order: SlideOrder, *, is_grouped: bool) -> list[SlideRow]:
    """Return rows as a person wants them; equal ones by their names."""
    ordered = sorted(rows, key=lambda row: natural(row.name))
    if order.sort == "added":
        ordered.sort(key=lambda row: row.record.added)
    elif order.sort == "status":
        ordered.sort(key=lambda row: STATUSES.index(row.status))
    elif order.sort == "random":
        ordered.sort(key=lambda row: _drawn_lot(order.seed, row.slide_hash))
    if is_grouped:
        ordered.sort(key=lambda row: (not row.case, natural(row.case), natural(row.block)))
    return ordered


def stands_alike(row: SlideRow, after: SlideRow, sort: SlideSort) -> bool:
    """Whether a slide stays in its place in the list when something else is said of it."""
    old, new = row.record, after.record
    said = (
        (one.path, one.pseudonym, one.block_id, one.added, sort == "status" and each.status)
        for one, each in ((old, row), (new, after))
    )
    return len(set(said)) == 1


@lru_cache(maxsize=1 << 16)
def _drawn_lot(seed: int, slide_hash: str) -> bytes:
    """Return the place in a random order: it stays when other slides come and go."""
    return hashlib.blake2b(f"{seed} {slide_hash}".encode(), digest_size=8).digest()


def matching(rows: Sequence[SlideRow], query: str, *, is_blinded: bool) -> list[SlideRow]:
    """Return the rows that have every word of a query somewhere.

    A blinded list is not searched by what is hidden.
    """
    words = query.casefold().split()
    if not words:
        return list(rows)
    return [row for row in rows if all(word in _said(row, is_blinded) for word in words)]


def _said(row: SlideRow, is_blinded: bool) -> str:
    record = row.record
    parts = [record.pseudonym, record.stain, row.status, *map(label_text, record.labels)]
    if not is_blinded:
        parts += [row.name, row.case, row.block, record.patient_id, record.site_id, record.notes]
        parts += [record.slide_hash, *record.tags, *record.metadata.values()]
    return "\n".join(parts).casefold()


class SlideFinder:
    """Finds slides by what a person calls them: file name, with or without ending, or more."""

    def __init__(self, records: Iterable[SlideRecord]) -> None:
        self._by_word: dict[str, list[SlideRecord]] = {}
        self._hashes: list[SlideRecord] = []
        for record in records:
            name = file_name(record)
            words = {name, Path(name).stem, record.pseudonym, record.slide_hash, record.path}
            for word in {word.casefold() for word in words} - {""}:
                self._by_word.setdefault(word, []).append(record)
            self._hashes.append(record)

    def find(self, said: str) -> list[SlideRecord]:
        """Return all slides that may be meant; a whole name goes before the start of a hash."""
        word = said.strip().casefold()
        found = self._by_word.get(word) or self._by_word.get(re.split(r"[/\\]", word)[-1], [])
        if found or len(word) < _SHORTEST_HASH:
            return found
        return [record for record in self._hashes if record.slide_hash.startswith(word)]

    def one(self, said: str) -> SlideRecord:
        """Return the slide that is meant; raise `InputError` when none is, or several may be."""
        found = self.find(said)
        if not found:
            raise InputError(
                _("The study has no slide “{name}”.").format(name=said),
                _("Give the file's name, the pseudonym, or the first digits of the hash."),
            )
        if len(found) > 1:
            raise InputError(
                _("“{name}” may be {n} slides of the study.").format(name=said, n=len(found)),
                _("Give the pseudonym instead."),
            )
        return found[0]

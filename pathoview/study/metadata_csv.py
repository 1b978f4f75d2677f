"""What is known of slides from elsewhere: a table with one row a slide, read and written as CSV.

Columns are known by their names; whatever is not known becomes metadata under its own name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pathoview.core.errors import InputError, UsageError
from pathoview.core.files import replacing
from pathoview.core.translation import _
from pathoview.study.case_book import CaseBook
from pathoview.study.model import STAINS, Block, Case, SlideRecord
from pathoview.study.slide_labels import label_text, labelled, parse_label
from pathoview.study.slide_list import SlideFinder, SlideRow
from pathoview.study.step import RecordChange

Meaning = Literal[
    "slide", "patient_id", "site_id", "case", "block", "stain", "tags", "notes", "labels",
    "reviewed", "metadata", "ignored",
]  # fmt: skip
"""What a column says."""
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)

_NAMES: Mapping[Meaning, tuple[str, ...]] = {
    "slide": ("slide", "file", "filename", "image", "path", "pseudonym", "hash", "slidehash"),
    "patient_id": ("patient", "patientid"),
    "site_id": ("site", "siteid", "center", "centre"),
    "case": ("case", "caseid"),
    "block": ("block", "blockid"),
    "stain": ("stain", "staining"),
    "tags": ("tag", "tags"),
    "notes": ("note", "notes", "comment", "comments"),
    "labels": ("label", "labels"),
    "reviewed": ("reviewed", "isreviewed"),
    "ignored": ("status", "annotations", "classes", "added"),
}
"""Names of columns, without capitals and signs; the ignored ones are those that follow by
themselves."""
_YES = ("1", "yes", "true", "y", "x")
_NO = ("0", "no", "false", "n")
_SEPARATOR = ";"
"""Between tags, and between labels."""
_MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    @property
    def meanings(self) -> dict[str, Meaning]:
        """What each column seems to say; without a column of slides the first one is it."""
        known = {column: meaning_of(column) for column in self.columns}
        if "slide" not in known.values() and self.columns:
            known[self.columns[0]] = "slide"
        return known


@dataclass(frozen=True, slots=True)
class Match:
    """A row of the table, and the slide it speaks of."""

    said: str
    before: SlideRecord
    after: SlideRecord
    place: tuple[str, str] = ("", "")
    """Names of the case and block that it then belongs to."""


@dataclass(frozen=True, slots=True)
class MetadataPlan:
    """What reading a table into a study would do."""

    matches: tuple[Match, ...]
    unknown: tuple[str, ...]
    """Names of slides that the study does not have."""
    doubtful: tuple[str, ...]
    """Names that may be several slides; nothing is done with them."""
    problems: tuple[str, ...]
    """Sentences about cells that are left out."""
    changes: tuple[RecordChange, ...]

    def all_problems(self) -> Iterator[str]:
        """Yield a sentence for each row and cell that is left out."""
        yield from (_("Not in the study: {name}").format(name=name) for name in self.unknown)
        yield from (_("May be several slides: {name}").format(name=name) for name in self.doubtful)
        yield from self.problems


def meaning_of(column: str) -> Meaning:
    """Return what a column says, by its name."""
    word = re.sub(r"[^a-z]", "", column.casefold())
    return next((meaning for meaning, names in _NAMES.items() if word in names), "metadata")


def read_table(path: Path) -> Table:
    """Read a CSV file with a line of names; separator and encoding are found out.

    Raises `InputError`.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(_("“{name}” is too large for a table.").format(name=path.name))
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            _("“{name}” cannot be read: {why}.").format(name=path.name, why=error.strerror)
        ) from error
    text = _decoded(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise InputError(
            _("“{name}” is not a table: {why}.").format(name=path.name, why=error),
            _("Save it as CSV with commas, semicolons or tabs."),
        ) from error
    columns = tuple(cell.strip() for cell in lines[0]) if lines else ()
    if len(lines) < 2 or len(set(columns)) < len(columns):
        raise InputError(
            _("“{name}” has no line of different names with rows below.").format(name=path.name),
            _("The first line names the columns; each other line is a slide."),
        )
    cells = ([cell.strip() for cell in line] for line in lines[1:])
    return Table(columns, tuple(dict(zip(columns, line, strict=False)) for line in cells))


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """Return the sign that divides the names of the columns most often."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def plan_import(
    table: Table,
    slides: Iterable[SlideRecord],
    cases: Iterable[Case],
    blocks: Iterable[Block],
    meanings: Mapping[str, Meaning] | None = None,
    *,
    author: str = "",
    time: str = "",
) -> MetadataPlan:
    """Find the slide of each row and what it becomes; an empty cell says nothing.

    ``meanings`` of columns are taken instead of `Table.meanings`. Labels get author and time.
    """
    chosen = {**table.meanings, **(meanings or {})}
    keys = [column for column in table.columns if chosen[column] == "slide"]
    planner = _Planner(chosen, CaseBook(cases, blocks), author, time)
    finder = SlideFinder(slides)
    unknown: list[str] = []
    doubtful: list[str] = []
    befores: dict[str, tuple[str, SlideRecord]] = {}
    afters: dict[str, SlideRecord] = {}
    for row in table.rows:
        said = next((row[key] for key in keys if row.get(key)), "")
        found = _found(finder, [row[key] for key in keys if row.get(key)])
        if len(found) != 1:
            (doubtful if found else unknown).append(said)
            continue
        slide_hash = found[0].slide_hash
        befores.setdefault(slide_hash, (said, found[0]))
        afters[slide_hash] = planner.filled(afters.get(slide_hash, found[0]), row)
    matches = tuple(
        Match(said, before, afters[key], planner.book.names(afters[key].block_id))
        for key, (said, before) in befores.items()
    )
    changed = [one for one in matches if one.after != one.before]
    changes = (
        *planner.book.made,
        *(RecordChange.of(match.before, match.after) for match in changed),
    )
    return MetadataPlan(
        *(matches, tuple(unknown), tuple(doubtful), tuple(dict.fromkeys(planner.problems))),
        changes=changes,
    )


def _found(finder: SlideFinder, names: Sequence[str]) -> list[SlideRecord]:
    """Return the slides that a row may mean: the first of its names that means one decides."""
    every = [finder.find(name) for name in names]
    return next((found for found in every if len(found) == 1), next(filter(None, every), []))


class _Planner:
    """Fills slides in from rows."""

    def __init__(
        self, meanings: Mapping[str, Meaning], book: CaseBook, author: str, time: str
    ) -> None:
        self.book = book
        self.problems: list[str] = []
        self._meanings = meanings
        self._author = author
        self._time = time

    def filled(self, record: SlideRecord, row: Mapping[str, str]) -> SlideRecord:
        """Return a slide with what a row says of it."""
        said: dict[Meaning, str] = {}
        metadata = dict(record.metadata)
        for column, cell in row.items():
            meaning = self._meanings[column]
            if cell and meaning == "metadata":
                metadata[column] = cell
            elif cell:
                said.setdefault(meaning, cell)
        update: dict[str, Any] = {"metadata": metadata}
        update |= {name: said[name] for name in _TEXTS if name in said}
        if "tags" in said:
            new = (tag.strip() for tag in re.split(r"[;,|]", said["tags"]))
            update["tags"] = tuple(dict.fromkeys((*record.tags, *filter(None, new))))
        if "stain" in said:
            update["stain"] = stain_of(said["stain"])
        update |= self._reviewed(said.get("reviewed", ""))
        update |= self._block(record, said)
        return self._labelled(record.model_copy(update=update), said.get("labels", ""))

    def _reviewed(self, cell: str) -> dict[str, Any]:
        word = cell.casefold()
        if word and word not in (*_YES, *_NO):
            self.problems.append(_("“{cell}” is neither yes nor no.").format(cell=cell))
        return {"is_reviewed": word in _YES} if word in (*_YES, *_NO) else {}

    def _block(self, record: SlideRecord, said: Mapping[Meaning, str]) -> dict[str, Any]:
        if "case" not in said and "block" not in said:
            return {}
        case, block = self.book.names(record.block_id)
        case = said.get("case") or case or said.get("patient_id") or record.patient_id
        if not case:
            sentence = _("Block “{name}” has no case: give a column “case” too.")
            self.problems.append(sentence.format(name=said["block"]))
            return {}
        return {"block_id": self.book.block_id(case, said.get("block", block))}

    def _labelled(self, record: SlideRecord, cell: str) -> SlideRecord:
        labels = []
        for text in filter(None, (part.strip() for part in cell.split(_SEPARATOR))):
            try:
                labels.append(parse_label(text, self._author, self._time))
            except UsageError as error:
                self.problems.append(str(error))
        known = [label_text(label) for label in record.labels]
        return labelled(record, [label for label in labels if label_text(label) not in known])


_TEXTS: tuple[Meaning, ...] = ("patient_id", "site_id", "notes")


def stain_of(text: str) -> str:
    """Return the stain that a text names, written as we write it; other words stay."""
    word = re.sub(r"[^a-z]", "", text.casefold())
    return next(
        (stain for stain in STAINS if stain and re.sub(r"[^a-z]", "", stain.casefold()) == word),
        text,
    )


def write_list(path: Path, rows: Sequence[SlideRow], *, is_blinded: bool = False) -> None:
    """Write a list of slides as CSV that `read_table` reads; raise `StorageError`.

    A blinded list has pseudonyms and what one has found, nothing that tells of the patient.
    """
    extra = [] if is_blinded else sorted({key for row in rows for key in row.record.metadata})
    shown = [_blinded(row) if is_blinded else _cells(row, extra) for row in rows]
    names = list(shown[0]) if shown else ["slide"]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(shown)
    with replacing(path) as file:
        file.write(text.getvalue().encode("utf-8-sig"))  # so that spreadsheets see it is UTF-8


def _blinded(row: SlideRow) -> dict[str, str | int]:
    return {
        "pseudonym": row.record.pseudonym,
        "status": row.status,
        "stain": row.record.stain,
        "labels": _SEPARATOR.join(map(label_text, row.record.labels)),
        "annotations": row.facts.n_annotations,
        "classes": row.facts.n_classes,
        "reviewed": "yes" if row.record.is_reviewed else "no",
    }


def _cells(row: SlideRow, extra: Iterable[str]) -> dict[str, str | int]:
    record = row.record
    return {
        "slide": row.name,
        **_blinded(row),
        "case": row.case,
        "block": row.block,
        "patient_id": record.patient_id,
        "site_id": record.site_id,
        "tags": _SEPARATOR.join(record.tags),
        "notes": record.notes,
        "added": record.added,
        "hash": record.slide_hash,
        **{key: record.metadata.get(key, "") for key in extra},
    }

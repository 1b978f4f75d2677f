"""The verbs ``slides …``: the slides of a study added, listed, described, labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from pathoview.cli_options import (
    AuthorOption,
    ClipsOption,
    DryRunFlag,
    JsonFlag,
    hidden,
    with_series,
)
from pathoview.cli_progress import terminal_progress
from pathoview.core.errors import UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _, ngettext

if TYPE_CHECKING:
    from pathoview.study.model import SlideRecord
    from pathoview.study.slide_list import SlideRow

app = typer.Typer(
    help=_("Work on the slides of a study: add, list, describe, label."), no_args_is_help=True
)


StudyArgument = Annotated[
    Path,
    typer.Argument(metavar="STUDY.pathoview", help=_("The study’s file."), callback=hidden),
]
SlidesArgument = Annotated[
    list[str],
    typer.Argument(metavar="SLIDE…", help=_("File name, pseudonym, or first digits of the hash.")),
]


@app.command(help=_("Add slides, and all in folders; the study is made where there is none."))
def add(
    study: StudyArgument,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[SLIDE|FOLDER]…")] = None,
    clips: ClipsOption = None,
    author: AuthorOption = "",
) -> None:
    from pathoview.tasks.study_slides import add_slides

    named = with_series(paths, clips, None)
    n_paths = len(paths or ())
    with terminal_progress(_("Add slides")) as progress:
        done = add_slides(study, named[:n_paths], author, progress, clips=named[n_paths:])
    for problem in done.problems:
        typer.echo(problem, err=True)
    n = done.n_added
    text = ngettext("{n} slide added.", "{n} slides added.", n).format(n=n)
    if done.n_known:
        known = ngettext("{n} was there already.", "{n} were there already.", done.n_known)
        text += " " + known.format(n=done.n_known)
    typer.echo(text)
    if done.problems and not (done.n_added or done.n_known):
        raise typer.Exit(3)


@app.command("list", help=_("List the slides, in the order of the study or another one."))
def list_slides(
    study: StudyArgument,
    search: Annotated[
        str, typer.Option(metavar="WORDS", help=_("Only slides that have all of these words."))
    ] = "",
    sort: Annotated[
        str | None, typer.Option(metavar="ORDER", help=_("name, added, status or random"))
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help=_("Of the random order; else the study’s."))
    ] = None,
    blinded: Annotated[
        bool | None,
        typer.Option(help=_("Pseudonyms only; without it as the study says.")),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="OUT.csv", help=_("Write a table instead."))
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    from pathoview.study.metadata_csv import write_list
    from pathoview.study.model import SLIDE_SORTS, SlideOrder
    from pathoview.study.slide_list import matching
    from pathoview.study.slide_reading import read_rows
    from pathoview.study.study_file import StudyFile

    if sort is not None and sort not in SLIDE_SORTS:
        raise UsageError(_("“{name}” is no order.").format(name=sort), ", ".join(SLIDE_SORTS))
    wanted = {"sort": sort, "seed": seed, "is_blinded": blinded}
    order = {name: value for name, value in wanted.items() if value is not None}
    with StudyFile.open(study) as file:
        said = next(iter(file.records(SlideOrder)), SlideOrder())
        rows = read_rows(file, order)
    is_blinded = said.is_blinded if blinded is None else blinded
    rows = matching(rows, search, is_blinded=is_blinded)
    if csv_file is not None:
        write_list(csv_file, rows, is_blinded=is_blinded)
        typer.echo(str(csv_file))
    elif as_json:
        facts = [_facts(row, is_blinded=is_blinded) for row in rows]
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
    else:
        for row in rows:
            typer.echo(_line(row))


def _line(row: SlideRow) -> str:
    from pathoview.study.slide_labels import label_text

    parts = [row.name, row.group, row.status, row.record.stain, str(row.facts.n_annotations)]
    return "\t".join([*parts, "; ".join(map(label_text, row.record.labels))])


def _facts(row: SlideRow, *, is_blinded: bool) -> dict[str, Any]:
    from pathoview.study.slide_labels import label_text

    facts = {
        "name": row.name,
        "pseudonym": row.record.pseudonym,
        "status": row.status,
        "stain": row.record.stain,
        "annotations": row.facts.n_annotations,
        "classes": row.facts.n_classes,
        "labels": [*map(label_text, row.record.labels)],
    }
    more = row.record.model_dump(include={"patient_id", "site_id", "tags", "notes", "metadata"})
    place = {"hash": row.slide_hash, "case": row.case, "block": row.block, "path": row.record.path}
    return facts if is_blinded else {**facts, **place, **more}


@app.command(help=_("Label whole slides, or take labels away."))
def label(
    study: StudyArgument,
    slides: SlidesArgument,
    add_labels: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="LABEL",
            help=_(
                "Tumor, grade:ISUP=3, number:Ki-67=0.2 or survival:OS=34.5,event (or censored);"
                " @0-9 at the end: only these frames. May be given again."
            ),
        ),
    ] = None,
    remove_labels: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="LABEL", help=_("Written as “slides list” shows it.")),
    ] = None,
    uncertain: Annotated[bool, typer.Option("--uncertain", help=_("They are in doubt."))] = False,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.lock import user_name
    from pathoview.study.records import now
    from pathoview.study.slide_labels import labelled, parse_label, unlabelled

    who = author or user_name()
    made = [parse_label(text, who, now()) for text in add_labels or []]
    made = [one.model_copy(update={"is_uncertain": uncertain}) for one in made]
    gone = [parse_label(text) for text in remove_labels or []]
    if not made and not gone:
        raise UsageError(_("Say which label: --add or --remove."))

    def to(record: SlideRecord) -> SlideRecord:
        for one in gone:
            record = unlabelled(record, one)
        return labelled(record, made) if made else record

    _describe(study, slides, _("Label slide"), to, author)


@app.command(help=_("Say what slides are: case, stain, patient, tags, metadata …"))
def describe(
    study: StudyArgument,
    slides: SlidesArgument,
    case: Annotated[str | None, typer.Option(help=_("The case’s name; “” is none."))] = None,
    block: Annotated[str | None, typer.Option(help=_("The block of the case."))] = None,
    stain: Annotated[str | None, typer.Option(help=_("H&E, PAS …"))] = None,
    patient: Annotated[str | None, typer.Option(metavar="ID")] = None,
    site: Annotated[str | None, typer.Option(metavar="ID")] = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", help=_("One more tag; may be given again."))
    ] = None,
    notes: Annotated[str | None, typer.Option()] = None,
    metadata: Annotated[list[str] | None, typer.Option("--metadata", metavar="NAME=VALUE")] = None,
    reviewed: Annotated[bool | None, typer.Option("--reviewed/--not-reviewed")] = None,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.metadata_csv import stain_of

    said = {
        "stain": None if stain is None else stain_of(stain),
        "patient_id": patient,
        "site_id": site,
        "notes": notes,
        "is_reviewed": reviewed,
    }
    members = {name: value for name, value in said.items() if value is not None}
    pairs = dict(_pair(text) for text in metadata or [])

    def to(record: SlideRecord) -> SlideRecord:
        more = {
            "tags": tuple(dict.fromkeys((*record.tags, *(tags or ())))),
            "metadata": {**record.metadata, **pairs},
        }
        return record.model_copy(update={**members, **more})

    _describe(study, slides, _("Describe slide"), to, author, (case, block))


def _describe(
    study: Path,
    slides: Sequence[str],
    name: str,
    to: Any,
    author: str,
    place: tuple[str | None, str | None] = (None, None),
) -> None:
    from pathoview.tasks.study_slides import describe_slides

    n = describe_slides(study, slides, name, to, author, place)
    typer.echo(ngettext("{n} slide changed.", "{n} slides changed.", n).format(n=n))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(_("“{text}” is not NAME=VALUE.").format(text=text))
    return name.strip(), value.strip()


@app.command(help=_("Take slides out; their annotations stay in the history."))
def remove(study: StudyArgument, slides: SlidesArgument, author: AuthorOption = "") -> None:
    from pathoview.tasks.study_slides import remove_slides

    n = remove_slides(study, slides, author)
    typer.echo(ngettext("{n} slide removed.", "{n} slides removed.", n).format(n=n))


@app.command(help=_("Look in folders for slides that were moved or renamed."))
def find(
    study: StudyArgument,
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…")],
) -> None:
    from pathoview.tasks.study_slides import find_moved

    with terminal_progress(_("Find slides")) as progress:
        n, n_missing = find_moved(study, folders, progress)
    found = ngettext("{n} slide was found again.", "{n} slides were found again.", n).format(n=n)
    missing = ngettext("{n} is missing.", "{n} are missing.", n_missing).format(n=n_missing)
    typer.echo(f"{found} {missing}" if n_missing else found)


@app.command("import-metadata", help=_("Read a CSV with one row a slide."))
def import_metadata(
    study: StudyArgument,
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv")],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=MEANING",
            help=_(
                "What a column means: slide, patient_id, site_id, case, block, stain, tags, notes,"
                " labels, reviewed, metadata or ignored; else its name tells."
            ),
        ),
    ] = None,
    dry_run: DryRunFlag = False,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.metadata_csv import MEANINGS
    from pathoview.tasks.study_slides import import_metadata as task

    hide(table, "a-table")
    meanings: dict[str, Any] = dict(_pair(text) for text in columns or [])
    for meaning in meanings.values():
        if meaning not in MEANINGS:
            raise UsageError(_("“{name}” is no meaning.").format(name=meaning), ", ".join(MEANINGS))
    plan = task(study, table, meanings, author, is_dry=dry_run)
    for problem in plan.all_problems():
        typer.echo(problem, err=True)
    n_changed = sum(match.after != match.before for match in plan.matches)
    n = len(plan.matches)
    text = ngettext("{n} slide found", "{n} slides found", n).format(n=n)
    would = _("{found}, {changed} would change.") if dry_run else _("{found}, {changed} changed.")
    typer.echo(would.format(found=text, changed=n_changed))

"""The verbs ``study …``: what a study is, its copies and backups, and what makes it smaller."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from pathoview.cli_options import AuthorOption, DryRunFlag, JsonFlag, hidden
from pathoview.core.errors import InputError, UsageError
from pathoview.core.translation import _, ngettext

if TYPE_CHECKING:
    from pathoview.study.slide_list import SlideRow

app = typer.Typer(
    help=_("Look after a study: copy, check, compact, erase, merge."), no_args_is_help=True
)


FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE.pathoview", help=_("The study's file."), callback=hidden),
]
TargetArgument = Annotated[Path, typer.Argument(metavar="NEW.pathoview", callback=hidden)]
YesFlag = Annotated[bool, typer.Option("--yes", help=_("Do it; else it is only said."))]


# -- looking -------------------------------------------------------------------------------------


@app.command(help=_("Say what is in a study, and who has it open."))
def info(file: FileArgument, as_json: JsonFlag = False) -> None:
    from pathoview.study.lock import holder_of
    from pathoview.study.model import Case, SlideRecord
    from pathoview.study.study_file import StudyFile

    with StudyFile.open(file) as study:
        said = study.info
        holder = holder_of(file)
        facts = {
            "name": said.name,
            "id": said.id,
            "created": said.created,
            "private": said.is_private,
            "format": study.version,
            "bytes": file.stat().st_size,
            "cases": len(study.records(Case)),
            "slides": len(study.records(SlideRecord)),
            "classes": [one.name for one in study.classes() if one.is_listed],
            "annotations": sum(study.count_annotations().values()),
            "steps": study.count_steps(),
            "open": "" if holder is None else f"{holder.user}@{holder.host}, {holder.since}",
        }
    if as_json:
        _print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:<12} {', '.join(value) if isinstance(value, list) else value}")


@app.command(help=_("List the slides, with case, status and number of annotations."))
def slides(
    file: FileArgument,
    as_json: JsonFlag = False,
    blinded: Annotated[
        bool, typer.Option("--blinded", help=_("Pseudonyms, and nothing of the patient."))
    ] = False,
) -> None:
    from pathoview.study.slide_reading import read_rows
    from pathoview.study.study_file import StudyFile

    with StudyFile.open(file) as study:
        read = read_rows(study, {"is_blinded": blinded, "sort": "name"})
    rows = [_slide_facts(row, is_blinded=blinded) for row in read]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        typer.echo("\t".join(str(value) for value in row.values()))


def _slide_facts(row: SlideRow, *, is_blinded: bool) -> dict[str, object]:
    facts: dict[str, object] = {
        "slide": row.slide_hash[:12],
        "name": row.name,
        "status": row.status,
        "annotations": row.facts.n_annotations,
        "stain": row.record.stain,
    }
    return facts if is_blinded else facts | {"case": row.case, "block": row.block}


@app.command(help=_("Print the audit trail: when, who, on which slide, what."))
def audit(file: FileArgument, as_json: JsonFlag = False) -> None:
    from pathoview.study.study_file import StudyFile

    with StudyFile.open(file) as study:
        lines = [*study.audit()]
    if as_json:
        names = ("time", "author", "slide", "text")
        _print_json([dict(zip(names, line, strict=True)) for line in lines])
        return
    for time, author, slide, text in lines:
        typer.echo(f"{time}\t{author}\t{slide[:12]}\t{text}")


@app.command(help=_("Say what is wrong with a study, and what to do (exit code 3)."))
def check(file: FileArgument) -> None:
    from pathoview.study.integrity import check_study

    problems = check_study(file)
    for problem in problems:
        typer.echo(str(problem))
    if problems:
        raise typer.Exit(InputError.exit_code)
    typer.echo(_("The study is sound."))


# -- files ---------------------------------------------------------------------------------------


@app.command(help=_("Make a new study."))
def new(file: TargetArgument) -> None:
    from pathoview.study.default_classes import default_classes
    from pathoview.study.model import StudyInfo
    from pathoview.study.study_file import create_study

    create_study(file, StudyInfo(name=file.stem), default_classes())
    typer.echo(str(file))


@app.command(help=_("Save a copy, also while the study is open; copies can be merged."))
def copy(
    file: FileArgument,
    target: TargetArgument,
    replace: Annotated[
        bool, typer.Option("--replace", help=_("Replace a study that is there already."))
    ] = False,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.copying import save_copy

    save_copy(file, target, _author(author), replace=replace)
    typer.echo(str(target))


@app.command(help=_("Write what can be read of a damaged study to a new one."))
def rescue(file: FileArgument, target: TargetArgument, author: AuthorOption = "") -> None:
    from pathoview.study.rescue import rescue as task

    report = task(file, target, _author(author))
    for line in report.lost:
        typer.echo(line, err=True)
    n = report.n_annotations
    typer.echo(
        ngettext("{n} annotation: {path}", "{n} annotations: {path}", n).format(n=n, path=target)
    )


@app.command(help=_("List the backups of a study, the newest first; --now makes one."))
def backups(
    file: FileArgument,
    now: Annotated[bool, typer.Option("--now", help=_("Make the backup of today."))] = False,
) -> None:
    from pathoview.study.backups import back_up_daily, list_backups

    if now:
        back_up_daily(file)
    for backup in list_backups(file):
        when = backup.time.isoformat(timespec="seconds")
        typer.echo(f"{when}\t{backup.sort}\t{backup.n_bytes}\t{backup.path}")


@app.command(help=_("Put a backup in the place of a study; what was there is kept beside it."))
def restore(
    file: FileArgument,
    backup: Annotated[
        Path | None, typer.Argument(metavar="[BACKUP]", help=_("Else the newest one."))
    ] = None,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.backups import list_backups
    from pathoview.study.backups import restore as task

    chosen = backup or next((one.path for one in list_backups(file)), None)
    if chosen is None:
        raise InputError(
            _("There is no backup of “{name}”.").format(name=file.name),
            _("Rescue what can be read of it: pathoview study rescue."),
        )
    aside = task(chosen, file, _author(author))
    typer.echo(str(file))
    if aside is not None:
        typer.echo(_("What was there is now {path}").format(path=aside))


# -- what cannot be taken back ------------------------------------------------------------------


@app.command(help=_("Drop old history: says what, and does it with --yes."))
def compact(
    file: FileArgument,
    before: Annotated[
        str, typer.Option(metavar="DATE", help=_("Steps older than this day go: 2026-01-31."))
    ],
    yes: YesFlag = False,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.compacting import compact as task
    from pathoview.study.compacting import plan_compact

    day = _day(before)
    plan = task(file, day, _author(author)) if yes else plan_compact(file, day)
    size = f"{plan.n_bytes / 1e6:.1f} MB"
    if yes:
        typer.echo(_("Dropped: {what}.").format(what=plan.text))
    else:
        said = _("It would drop {what}, about {size}. Do it with --yes.")
        typer.echo(said.format(what=plan.text, size=size))


@app.command("erase-case", help=_("Erase a case for good: says what, and does it with --yes."))
def erase_case(
    file: FileArgument,
    case: Annotated[str, typer.Argument(metavar="CASE", help=_("Its name or its id."))],
    yes: YesFlag = False,
    with_files: Annotated[
        bool,
        typer.Option(
            "--with-files",
            help=_("Delete results, bookmarks and backups of the study too, which tell of it."),
        ),
    ] = False,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.erasing import delete_files, plan_erase
    from pathoview.study.erasing import erase_case as task

    plan = task(file, case, _author(author)) if yes else plan_erase(file, case)
    said = _("Erased: {what}.") if yes else _("It would erase {what}. Do it with --yes.")
    typer.echo(said.format(what=plan.text))
    files = (*plan.files, *plan.backups)
    if yes and with_files:
        delete_files(files)
    elif files:
        typer.echo(_("These files tell of the case, too; --with-files deletes them:"))
        for path in files:
            typer.echo(f"  {path}")


@app.command(help=_("Bring what a copy says into a study; what both changed stays twice."))
def merge(
    file: FileArgument,
    copy_file: Annotated[Path, typer.Argument(metavar="COPY.pathoview", callback=hidden)],
    dry_run: DryRunFlag = False,
    author: AuthorOption = "",
) -> None:
    from pathoview.study.merging import merge as task
    from pathoview.study.merging import plan_merge

    if dry_run:
        report = plan_merge(file, copy_file).report
    else:
        report = task(file, copy_file, _author(author))
    for line in report.lines():
        typer.echo(line)


def _author(given: str) -> str:
    from pathoview.study.lock import user_name

    return given or user_name()


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(
            _("“{text}” is no date.").format(text=text), _("Write it like 2026-01-31.")
        ) from None


def _print_json(data: object) -> None:
    typer.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())

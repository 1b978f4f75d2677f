"""The verb ``measure``: all objects of a slide as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pathoview.cli_options import MppOption, SlideArgument, StudyOption
from pathoview.cli_progress import terminal_progress
from pathoview.core.privacy import hide
from pathoview.core.translation import _, ngettext


def measure(
    slide: SlideArgument,
    output: Annotated[
        Path,
        typer.Option(metavar="OUT.csv|.tsv|.parquet", help=_("The ending says in which form.")),
    ],
    study: StudyOption = None,
    run: Annotated[
        str, typer.Option(metavar="RUN", help=_("newest, none, or the id of a run."))
    ] = "newest",
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME", help=_("Only these columns; repeatable.")),
    ] = None,
    mpp: MppOption = None,
) -> None:
    """Write what was drawn on a slide and what a run has found, with all measurements."""
    from pathoview.tasks import measure as task

    hide(slide)
    request = {
        "slide": str(slide),
        "output": str(output),
        "study": "" if study is None else str(study),
        "run": run,
        "columns": columns or None,
        "mpp": mpp,
    }
    with terminal_progress(output.name) as progress:
        result = task.run(request, progress)
    n = int(result["n_objects"])
    text = ngettext("{n} object written: {path}", "{n} objects written: {path}", n)
    typer.echo(text.format(n=n, path=output))

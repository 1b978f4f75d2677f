"""The verb ``report``: what a slide is and what was found on it, as an HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pathoview.cli_each import hidden_slide
from pathoview.cli_options import MppOption, SlideArgument, hidden
from pathoview.cli_progress import terminal_progress
from pathoview.core.translation import _


def report(
    slide: SlideArgument,
    output: Annotated[Path, typer.Argument(metavar="OUT.html")],
    study: Annotated[
        Path | None,
        typer.Option("--study", metavar="STUDY.pathoview", help=_("Tell its labels and verdicts.")),
    ] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            metavar="ID",
            help=_("A result; repeatable. Else the newest of each method and model."),
        ),
    ] = None,
    tiles: Annotated[
        int, typer.Option(min=0, max=100, help=_("How many of the tiles that counted most."))
    ] = 8,
    mpp: MppOption = None,
) -> None:
    """Write the report of a slide; it needs no other file, and names the slide by its pseudonym."""
    from pathoview.tasks import slide_report

    request = {
        "slide": str(hidden_slide(slide)),
        "mpp": mpp,
        "study": "" if study is None else str(hidden(study)),
        "runs": runs or [],
        "n_tiles": tiles,
        "report": str(output),
    }
    with terminal_progress(output.name) as progress:
        slide_report.run(request, progress)
    typer.echo(str(output))

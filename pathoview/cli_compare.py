"""The verb ``compare``: two results of a whole slide, and where they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pathoview.cli_each import hidden_slide
from pathoview.cli_options import JsonFlag, MppOption
from pathoview.cli_progress import terminal_progress
from pathoview.core.translation import _


def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN RUN", help=_("Files of results, or the beginnings of ids.")),
    ] = None,
    slide: Annotated[
        Path | None,
        typer.Option("--slide", metavar="SLIDE", help=_("Else the newest results of this slide.")),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help=_("Twice: the methods whose newest results of the slide are compared."),
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--of",
            metavar="attention|CLASS",
            help=_("Twice: what of each result is compared; of a class its evidence."),
        ),
    ] = None,
    n: Annotated[
        int, typer.Option("--n", min=0, max=100_000, help=_("Tiles that they disagree on most."))
    ] = 12,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="OUT.csv", help=_("A table of all tiles of both.")),
    ] = None,
    mpp: MppOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare what two models for whole slides say of the tiles of one slide."""
    from pathoview.tasks import compare_runs

    request = {
        "runs": runs or [],
        "slide": "" if slide is None else str(hidden_slide(slide)),
        "mpp": mpp,
        "methods": methods or [],
        "values": values or [],
        "n_most": n,
        "table": "" if output is None else str(output),
    }
    with terminal_progress(_("Compare")) as progress:
        result = compare_runs.run(request, progress)
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
        return
    for text in _lines(result):
        typer.echo(text)


def _lines(result: Mapping[str, Any]) -> list[str]:
    """Return what is printed, a text a line."""
    words = _("{title} ({id}, {started}): {words}")
    told = [words.format(**{**one, "id": one["id"][:8]}) for one in _both(result)]
    spearman, pearson = (_figure(result[name]) for name in ("spearman", "pearson"))
    text = _("{n:,} tiles in both: Spearman {spearman}, Pearson {pearson}")
    told.append(text.format(n=result["n_shared"], spearman=spearman, pearson=pearson))
    words = _(
        "{x_l0:,.0f}, {y_l0:,.0f}: first above {first_rank:.0%}, second above {second_rank:.0%}"
    )
    return [*told, *(words.format(**one) for one in result["most_different"])]


def _both(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [result["first"], result["second"]]


def _figure(correlation: float | None) -> str:
    return "–" if correlation is None else f"{correlation:.2f}"

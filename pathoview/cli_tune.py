"""The verb ``tune``: measure the ways to compute networks, and take the fastest that is exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import typer

from pathoview.cli_options import JsonFlag
from pathoview.cli_progress import terminal_progress
from pathoview.core.translation import _
from pathoview.session.settings import load_settings


def tune(
    model: Annotated[
        str, typer.Option(metavar="MODEL", help=_("A file, or a library name; else the first."))
    ] = "",
    with_compile: Annotated[
        bool, typer.Option("--compile", help=_("Measure torch.compile too; it may take minutes."))
    ] = False,
    only_measure: Annotated[
        bool, typer.Option("--only-measure", help=_("Leave the settings as they are."))
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help=_("Measure nothing; take float32 again."))
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure how networks are computed fastest here, and pin that for all analyses to come."""
    from pathoview.tasks import tune as task

    if reset:
        _pin(task.REFERENCE)
        typer.echo(_("Networks are computed by {path}.").format(path=task.REFERENCE))
        return
    with terminal_progress(_("Tune")) as progress:
        result = task.run({"model": model, "compile": with_compile}, progress)
    if not only_measure:
        _pin(result["fastest"])
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(f"{result['model']}: {result['reason']}")
    for row in result["paths"]:
        typer.echo(_line(row))
    said = _("The fastest is {path}.") if only_measure else _("{path} is taken from now on.")
    typer.echo(said.format(path=result["fastest"]))


def pinned_numerics() -> str:
    """Return the path that was pinned: what models are computed by on the command line."""
    return load_settings().numerics


def _pin(path: str) -> None:
    settings = load_settings()
    settings.numerics = path  # type: ignore[assignment]  # checked when it is assigned
    settings.save()


def _line(row: Mapping[str, Any]) -> str:
    if row["seconds"] is None:
        return f"  {row['path']:<8}  {row['problem']}"
    numbers = _(
        "{seconds:8.3f} s  {speed_up:5.2f} ×  off by {max_error:.2g} (allowed: {tolerance:g})"
    )
    problem = row["problem"] and f"  {row['problem']}"
    return f"  {row['path']:<8}{numbers.format(**row)}{problem}"

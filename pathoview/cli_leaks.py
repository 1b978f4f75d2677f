"""``pathoview leaks``: whether training sees what is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pathoview.cli_options import JsonFlag, TogetherOption, hidden
from pathoview.cli_progress import terminal_progress
from pathoview.core.translation import _, ngettext

LEAKS_FOUND = 5
"""What the command leaves with when it has found leaks."""


def leaks(
    study: Annotated[
        Path | None, typer.Option(metavar="FILE.pathoview", help=_("The slides of a study."))
    ] = None,
    tiles: Annotated[
        Path | None, typer.Option(metavar="DIR", help=_("Tiles that export-tiles has written."))
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="DIR", help=_("Pictures to train on."))
    ] = None,
    val: Annotated[
        Path | None, typer.Option(metavar="DIR", help=_("Pictures to choose by."))
    ] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="DIR", help=_("Pictures to measure on."))
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE.csv",
            help=_("Columns: image (or slide), and any of patient, block, site, date, label."),
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="NAME=SHARE,…", help=_("For slides in no split yet."))
    ] = "train=0.8,val=0.2",
    by: TogetherOption = "patient",
    seed: Annotated[int, typer.Option(min=0, help=_("Another one gives other splits."))] = 1,
    alike: Annotated[
        bool, typer.Option(help=_("Look for alike pictures too, not only for copies."))
    ] = True,
    names: Annotated[
        bool, typer.Option("--names", help=_("File names and patients instead of pseudonyms."))
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT.html", help=_("Write what was found, with pictures.")),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check splits for leaks. Exit code 5: leaks were found; 0: none were."""
    from pathoview.tasks import leaks as task

    folders = {"train": train, "val": val, "test": test}
    request = {
        "study": "" if study is None else str(hidden(study)),
        "tiles": "" if tiles is None else str(tiles),
        "folders": {name: str(folder) for name, folder in folders.items() if folder is not None},
        "groups": "" if groups is None else str(groups),
        "params": {"split": split, "by": by, "seed": seed, "alike": alike, "names": names},
        "report": "" if report is None else str(report),
    }
    with terminal_progress(_("Check for leaks")) as progress:
        result = task.run(request, progress)
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
    else:
        _say(result)
    if result["n_errors"]:
        raise typer.Exit(LEAKS_FOUND)


def _say(result: Mapping[str, Any]) -> None:
    for warning in result["warnings"]:
        typer.echo(warning, err=True)
    n = int(result["n_items"])
    compared = ngettext("{n} picture compared.", "{n} pictures compared.", n).format(n=n)
    typer.echo(f"{compared} {result['summary']}")
    for finding in result["findings"]:
        kind = _("LEAK") if finding["severity"] == "error" else _("warning")
        typer.echo(f"{kind}: {finding['sentence']}")
        for pair in finding["pairs"]:
            one, other = (f"{side['split']}/{side['name']}" for side in pair["items"])
            typer.echo(f"  {one}  {other}  {pair['note']}".rstrip())
    if result["report"]:
        typer.echo(result["report"])

"""The verb ``cases``: pictures of a study or a folder that a model takes for most like a slide."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import typer

from pathoview.cli_each import hidden_slide
from pathoview.cli_options import JsonFlag, MppOption, SlideArgument, hidden
from pathoview.cli_progress import terminal_progress
from pathoview.core.statement import EVIDENCE_ONLY
from pathoview.core.translation import _

_COLUMNS = ("rank", "similarity", "state", "slide", "slide_hash")


def cases(
    slide: SlideArgument,
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help=_("A file, or a library name."))
    ],
    study: Annotated[
        Path | None,
        typer.Option("--study", metavar="STUDY.pathoview", help=_("Search among its slides.")),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help=_("Search among the pictures of a folder.")),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE.csv",
            help=_("What is known of the pictures: slide,label[,patient]"),
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help=_("How many are wanted."))] = 20,
    metric: Annotated[
        Literal["forest", "vector"],
        typer.Option(
            "--metric", help=_("Alike by the trees of the forest, or by what the network sees.")
        ),
    ] = "forest",
    patient: Annotated[
        str,
        typer.Option(
            "--patient", metavar="ID", help=_("Of the slide, where nothing else says it.")
        ),
    ] = "",
    describe: Annotated[
        bool,
        typer.Option("--describe", help=_("Describe pictures that never were; may take long.")),
    ] = False,
    names: Annotated[
        bool,
        typer.Option("--names", help=_("Tell names of files too, which may name a patient.")),
    ] = False,
    mpp: MppOption = None,
    as_json: JsonFlag = False,
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE.csv", help=_("Write the list as a table."))
    ] = None,
) -> None:
    """Find the cases most like a slide, none of its own patient; evidence, not a diagnosis."""
    from pathoview.tasks import similar_cases

    request = {
        "slide": str(hidden_slide(slide)),
        "model": model,
        "study": "" if study is None else str(hidden(study)),
        "images": "" if images is None else str(images),
        "labels": "" if labels is None else str(labels),
        "n": n,
        "metric": metric,
        "mpp": mpp,
        "patient": patient,
        "describe": describe,
        "names": names,
    }
    with terminal_progress(_("Similar cases")) as progress:
        result = similar_cases.run(request, progress)
    if table is not None:
        _write_table(table, result["similar"], names=names)
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(result, is_described=describe)


def _print(result: Mapping[str, Any], *, is_described: bool) -> None:
    """Print the list, and on stderr what there is to know about it."""
    found = result["similar"]
    width = max(len(one["state"]) for one in found)
    for rank, one in enumerate(found, start=1):
        cells = f"{one['similarity']:.3f}", f"{one['state'] or '–':<{width}}", one["pseudonym"]
        typer.echo("  ".join((f"{rank:>4}", *cells, one.get("name", ""))).rstrip())
    words = result["words"]
    notes = [words["first"], words["count"], *words["notes"], words["precision"]]
    if result["n_without"] and not is_described:
        notes.append(_("--describe has them described."))
    for note in (*filter(None, notes), EVIDENCE_ONLY):
        typer.echo(note, err=True)


def _write_table(path: Path, found: Sequence[Mapping[str, Any]], *, names: bool) -> None:
    """Write the list; raise `StorageError`."""
    from pathoview.core.files import replacing

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow((*_COLUMNS, *(("name",) if names else ())))
    for rank, one in enumerate(found, start=1):
        cells = rank, one["similarity"], one["state"], one["pseudonym"], one["slide_hash"]
        writer.writerow((*cells, *((one["name"],) if names else ())))
    with replacing(path) as file:
        file.write(text.getvalue().encode())

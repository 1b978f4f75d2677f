"""The verb ``evaluate``: score a method, or two, against what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pathoview.cli_options import (
    BagsOption,
    ClipsOption,
    MethodOption,
    ModelOption,
    ParametersOption,
    hidden,
    images_of,
)
from pathoview.cli_progress import terminal_progress
from pathoview.cli_tune import pinned_numerics
from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.translation import _


def evaluate(
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help=_("x.png, x.jpg or x.tif; or slides."))
    ] = None,
    clips: ClipsOption = None,
    bags: BagsOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE.csv",
            help=_(
                "x.png or x.tif (instance ids, or classes by classes.json), or x.csv (x,y); of "
                "slides a table: slide,label[,patient]"
            ),
        ),
    ] = None,
    mpp: Annotated[
        float | None, typer.Option(metavar="MICRONS", min=0.001, help=_("µm per pixel"))
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(metavar="STUDY.pathoview", help=_("Score against its labels instead.")),
    ] = None,
    slides: Annotated[
        list[Path] | None,
        typer.Option(
            "--slide",
            metavar="SLIDE",
            help=_("Only this slide's labels; else those that were not learned from."),
        ),
    ] = None,
    method: MethodOption = None,
    model: ModelOption = None,
    against: Annotated[
        str,
        typer.Option(metavar="NAME|MODEL", help=_("A second one, compared image by image.")),
    ] = "",
    positive: Annotated[
        str,
        typer.Option(metavar="CLASS", help=_("What label images without classes.json show.")),
    ] = "",
    parameters: ParametersOption = None,
    seed: Annotated[int, typer.Option(min=0, help=_("Of the intervals."))] = 0,
    worst: Annotated[
        int, typer.Option(min=0, max=1000, help=_("How many of the worst places are told."))
    ] = 50,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help=_("Write the scores here."))
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help=_("Write a report with pictures."))
    ] = None,
    tables: Annotated[
        Path | None, typer.Option("--csv", metavar="DIR", help=_("Write tables into a folder."))
    ] = None,
) -> None:
    """Score a method against images or a study whose truth is known."""
    from pathoview.tasks import evaluate as task

    if method and model:
        raise UsageError(_("Give either --method or --model, not both."))
    folder, items = images_of(images, clips, bags)
    request: dict[str, Any] = {
        "images": folder,
        "items": items,
        "labels": _text(labels),
        "mpp": mpp,
        "study": "" if study is None else str(hidden(study)),
        "slides": [str(slide) for slide in slides or []],
        "method": method,
        "model": model,
        "against": against,
        "positive": positive,
        "params": _pairs(parameters or []),
        "numerics": pinned_numerics(),
        "seed": seed,
        "n_worst": worst,
        "report": _text(report),
        "csv": _text(tables),
    }
    with terminal_progress(_("Evaluate")) as progress:
        scores = task.run(request, progress)
    data = orjson.dumps(scores, option=orjson.OPT_INDENT_2)
    if json_file:
        with replacing(json_file) as file:
            file.write(data + b"\n")
        typer.echo(str(json_file))
    else:
        typer.echo(data.decode())
    for written in (report, tables):
        if written is not None:
            typer.echo(str(written), err=True)


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = (text.partition("=") for text in texts)
    return {key: value for key, _equals, value in pairs}

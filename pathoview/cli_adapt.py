"""The verb ``models adapt``: a model at home with other slides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pathoview.cli_options import MppOption, SlideFilesArgument
from pathoview.cli_progress import terminal_progress
from pathoview.core.translation import _


def adapt(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_("A file, or a library name."))],
    slides: SlideFilesArgument,
    mpp: MppOption = None,
    tiles: Annotated[
        int, typer.Option(min=2, max=100_000, help=_("Of all slides together, at random."))
    ] = 500,
    seed: Annotated[int, typer.Option(help=_("The same seed draws the same tiles."))] = 0,
    title: Annotated[str, typer.Option(metavar="TEXT", help=_("What the model is called."))] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL.safetensors", help=_("Where the model goes; else into the library.")
        ),
    ] = None,
) -> None:
    """Adapt a model that was taught end to end to slides of another stain, without labels."""
    from pathoview.tasks import adapt_model

    request = {
        "model": model,
        "slides": [str(slide) for slide in slides],
        "mpp": mpp,
        "n_tiles": tiles,
        "seed": seed,
        "title": title,
        "output": "" if output is None else str(output),
    }
    with terminal_progress(_("Adapt")) as progress:
        result = adapt_model.run(request, progress)
    typer.echo(result["model"])

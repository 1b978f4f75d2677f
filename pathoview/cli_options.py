"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pathoview.core.privacy import hide
from pathoview.core.translation import _


def hidden(file: Path) -> Path:
    """Keep the name of a study's file out of the log from now on."""
    hide(file, "a-study")
    return file


SlideArgument = Annotated[Path, typer.Argument(metavar="SLIDE", help=_("The slide's file."))]
MppOption = Annotated[
    float | None,
    typer.Option(
        "--mpp",
        metavar="MICRONS",
        min=0.001,
        help=_("µm per pixel at full resolution, where the file states none or a wrong one."),
    ),
]
AuthorOption = Annotated[
    str, typer.Option("--author", metavar="NAME", help=_("Who does it; else you."))
]

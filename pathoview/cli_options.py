"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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
StudyOption = Annotated[
    Path | None,
    typer.Option(
        "--study",
        metavar="STUDY.pathoview",
        help=_("The study; without it the private one of the slide."),
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help=_("Print JSON."))]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help=_("Only say what would be done."))]
TogetherOption = Annotated[
    Literal["patient", "slide"], typer.Option("--by", help=_("What is never in two splits."))
]

# -- of what looks for something on slides, or learns to ------------------------------------------

SlideFilesArgument = Annotated[list[Path], typer.Argument(metavar="SLIDE…")]
MethodOption = Annotated[
    str | None, typer.Option("--method", metavar="NAME", help=_("See “pathoview methods”."))
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help=_("A model's file, or a library name.")),
]
RegionOption = Annotated[
    str | None,
    typer.Option("--region", metavar="X,Y,W,H", help=_("Only this rectangle, level-0 pixels.")),
]
ParametersOption = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="KEY=VALUE", help=_("A parameter of the method.")),
]
GeoJsonOption = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="OUT.geojson", help=_("A file (.gz compresses), or a folder.")
    ),
]
OverviewOption = Annotated[
    Path | None,
    typer.Option("--overview", metavar="OUT.png", help=_("A picture with the result drawn on it.")),
]
ResumeFlag = Annotated[
    bool, typer.Option("--resume", help=_("Go on from the finished tiles of a stopped run."))
]

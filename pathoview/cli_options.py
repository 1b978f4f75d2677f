"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pathoview.core.errors import UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _


def hidden(file: Path) -> Path:
    """Keep the name of a study's file out of the log from now on."""
    hide(file, "a-study")
    return file


def images_of(
    images: Path | None, clips: Path | None, bags: Path | None
) -> tuple[str, Literal["slides", "clips", "bags"]]:
    """Return the folder that was named, if any, and what lies in it; raise `UsageError`."""
    if sum(one is not None for one in (images, clips, bags)) > 1:
        raise UsageError(_("Give one of --images, --clips and --bags."))
    if clips is not None:
        return str(clips), "clips"
    if bags is not None:
        return str(bags), "bags"
    return "" if images is None else str(images), "slides"


def with_series(slides: list[Path] | None, clips: Path | None, bags: Path | None) -> list[Path]:
    """Return the slides, clips and bags that were named; raise `UsageError` when there are none."""
    from pathoview.slides.finding import series_at

    found = list(slides or [])
    for folder, is_of_clips in ((clips, True), (bags, False)):
        if folder is not None:
            found += series_at(folder, videos=is_of_clips)
    if not found:
        raise UsageError(_("Nothing is named that could be opened."), _("Name a slide or a clip."))
    return found


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

ClipsOption = Annotated[
    Path | None,
    typer.Option(
        "--clips",
        metavar="DIR|VIDEO",
        help=_("Each video, and each folder of frames in it, is one clip."),
    ),
]
BagsOption = Annotated[
    Path | None,
    typer.Option(
        "--bags", metavar="DIR", help=_("Each folder of pictures in it is one bag of tiles.")
    ),
]
SlideFilesArgument = Annotated[list[Path], typer.Argument(metavar="SLIDE…")]
SlidesOrSeriesArgument = Annotated[list[Path] | None, typer.Argument(metavar="[SLIDE]…")]
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

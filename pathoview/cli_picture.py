"""The verb ``picture``: a place on a slide as PNG or SVG."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pathoview.cli_progress import terminal_progress
from pathoview.core.errors import UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _


def picture(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE", help=_("The slide's file."))],
    output: Annotated[Path, typer.Argument(metavar="OUT.png|OUT.svg")],
    center: Annotated[
        str,
        typer.Option(metavar="X,Y", help=_("The place in the middle: px, or “3100 µm; 1700 µm”.")),
    ] = "",
    magnification: Annotated[
        float | None,
        typer.Option(metavar="POWER", min=0.001, help=_("20 is 0.5 µm per px of the picture.")),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(metavar="FACTOR", min=1e-6, help=_("Px of the picture a slide pixel.")),
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="W,H", help=_("Width and height of the picture, px."))
    ] = "1600,1200",
    rotate: Annotated[float, typer.Option(metavar="DEGREES", help=_("Turn clockwise."))] = 0.0,
    flip: Annotated[bool, typer.Option("--flip", help=_("Mirror left to right."))] = False,
    results: Annotated[
        bool | None,
        typer.Option(help=_("Draw the newest result, as is done where there is one; or not.")),
    ] = None,
    colour_by: Annotated[
        str, typer.Option("--colour-by", metavar="NAME", help=_("A measurement of the results."))
    ] = "",
    scale_bar: Annotated[bool, typer.Option(help=_("Draw a scale bar."))] = True,
    legend: Annotated[bool, typer.Option("--legend", help=_("Say what the colours mean."))] = False,
    grid: Annotated[bool, typer.Option("--grid", help=_("Draw the measuring grid."))] = False,
    mpp: Annotated[
        float | None,
        typer.Option(metavar="MICRONS", min=0.001, help=_("µm per pixel at full resolution.")),
    ] = None,
) -> None:
    """Draw what is asked for, and say where it is."""
    from pathoview.tasks.opening import open_scaled
    from pathoview.tasks.picture import PictureRequest, write_picture

    if magnification is not None and scale is not None:
        raise UsageError(_("Give either --magnification or --scale, not both."))
    request = PictureRequest(
        size=_size(size),
        center=center,
        magnification=magnification,
        scale=scale,
        rotation=rotate,
        is_flipped=flip,
        results=results,
        colour_by=colour_by,
        scale_bar=scale_bar,
        legend=legend,
        grid=grid,
    )
    hide(slide)
    with open_scaled(slide, mpp) as opened, terminal_progress(output.name) as progress:
        write_picture(opened, request, output, [], progress)
    typer.echo(str(output))


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d{1,6})\s*[,x×]\s*(\d{1,6})\s*", text)
    if found is None:
        raise UsageError(_("“{text}” is no size.").format(text=text), _("Write it like 1600,1200."))
    return int(found[1]), int(found[2])

"""The verb ``picture``: a place on a slide as PNG or SVG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pathoview.cli_options import MppOption, SlideArgument
from pathoview.cli_progress import terminal_progress
from pathoview.core.errors import UsageError
from pathoview.core.place_text import parse_offset
from pathoview.core.privacy import hide
from pathoview.core.translation import _

if TYPE_CHECKING:
    from pathoview.layers.synthesis_source import SynthesisName
    from pathoview.tasks.picture import LayerFile

T = TypeVar("T")


def picture(
    slide: SlideArgument,
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
    show: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=_(
                "Of a run that shows tissue as if it were healthy: pathology, pseudo-healthy "
                "(with its badge), difference or brightness."
            ),
        ),
    ] = "",
    layers: Annotated[
        list[Path] | None,
        typer.Option("--layer", metavar="FILE", help=_("Draw a file over the slide; repeatable.")),
    ] = None,
    layer_kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--layer-kind",
            metavar="KIND",
            help=_("slide, heatmap, class-map, labels or synthetic; else it is guessed."),
        ),
    ] = None,
    layer_scales: Annotated[
        list[float] | None,
        typer.Option("--layer-scale", metavar="FACTOR", help=_("Slide pixels a pixel of it.")),
    ] = None,
    layer_offsets: Annotated[
        list[str] | None,
        typer.Option("--layer-offset", metavar="X,Y", help=_("Its corner, slide pixels.")),
    ] = None,
    scale_bar: Annotated[bool, typer.Option(help=_("Draw a scale bar."))] = True,
    legend: Annotated[bool, typer.Option("--legend", help=_("Say what the colours mean."))] = False,
    grid: Annotated[bool, typer.Option("--grid", help=_("Draw the measuring grid."))] = False,
    mpp: MppOption = None,
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
        shown=_shown(show),
        layers=_layer_files(layers or [], layer_kinds, layer_scales, layer_offsets),
        scale_bar=scale_bar,
        legend=legend,
        grid=grid,
    )
    hide(slide)
    with open_scaled(slide, mpp) as opened, terminal_progress(output.name) as progress:
        write_picture(opened, request, output, progress)
    typer.echo(str(output))


def _shown(name: str) -> SynthesisName | None:
    from pathoview.layers.synthesis_source import SYNTHESIS_NAMES

    if name and name not in SYNTHESIS_NAMES:
        raise UsageError(
            _("There is no “{name}” to show.").format(name=name),
            _("There are: {names}.").format(names=", ".join(SYNTHESIS_NAMES)),
        )
    return next((known for known in SYNTHESIS_NAMES if known == name), None)


def _layer_files(
    paths: Sequence[Path],
    kinds: Sequence[str] | None,
    scales: Sequence[float] | None,
    offsets: Sequence[str] | None,
) -> tuple[LayerFile, ...]:
    """Return the files with what is said of each: once for all of them, or once for each."""
    from pathoview.tasks.picture import LayerFile

    points = [parse_offset(text) for text in offsets] if offsets else None
    names = [kind.replace("-", "_") for kind in kinds] if kinds else None
    said = (_for_each(paths, values) for values in (names, scales, points))
    return tuple(
        LayerFile(path, kind or "", scale, offset)
        for path, kind, scale, offset in zip(paths, *said, strict=True)
    )


def _for_each(paths: Sequence[Path], values: Sequence[T] | None) -> Sequence[T | None]:
    if not values:
        return [None] * len(paths)
    if len(values) == 1:
        return [values[0]] * len(paths)
    if len(values) != len(paths):
        raise UsageError(
            _("There are {n} layers, but something is said of {m}.").format(
                n=len(paths), m=len(values)
            ),
            _("Say it once for all layers, or once for each in their order."),
        )
    return list(values)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d{1,6})\s*[,x×]\s*(\d{1,6})\s*", text)
    if found is None:
        raise UsageError(_("“{text}” is no size.").format(text=text), _("Write it like 1600,1200."))
    return int(found[1]), int(found[2])

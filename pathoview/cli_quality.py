"""The verbs ``quality`` and ``normalise``: tissue, ink and sharpness; a slide in other colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from pathoview.cli_options import (
    JsonFlag,
    MppOption,
    RegionOption,
    SlideArgument,
    SlideFilesArgument,
)
from pathoview.cli_progress import terminal_progress
from pathoview.core.errors import PathoViewError, UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _

if TYPE_CHECKING:
    from pathoview.core.geometry import Rect

StainOption = Annotated[
    str, typer.Option("--stain", metavar="NAME", help=_("H&E, H-DAB, IHC, PAS …; else H&E."))
]


def quality(
    slides: SlideFilesArgument,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=_("Write maps of tissue, ink and blur, and the facts.")),
    ] = None,
    stain: StainOption = "",
    mpp: MppOption = None,
) -> None:
    """Measure tissue, ink and sharpness of slides; a failure is told and the others go on."""
    facts: list[dict[str, Any]] = []
    worst = 0
    for slide in slides:
        hide(slide)
        try:
            facts.append(_measured(slide, stain, mpp, output, is_quiet=as_json))
        except PathoViewError as error:
            if len(slides) == 1:
                raise
            typer.echo(f"{slide.name}: {error.full_text}", err=True)
            worst = max(worst, error.exit_code)
    if as_json:
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
    if worst:
        raise typer.Exit(worst)


def _measured(
    slide: Path, stain: str, mpp: float | None, output: Path | None, *, is_quiet: bool
) -> dict[str, Any]:
    from pathoview.core.files import storage_error
    from pathoview.tasks.opening import open_scaled
    from pathoview.tasks.quality import measure_quality, quality_facts, write_quality

    with open_scaled(slide, mpp) as opened, terminal_progress(slide.name) as progress:
        found = measure_quality(opened, stain, progress)
        if output is not None:
            try:
                output.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise storage_error(output, error) from error
            write_quality(opened, found, output)
        facts = quality_facts(opened, found)
    if not is_quiet:
        typer.echo(f"{slide.name}: {found.summary}")
        for warning in found.warnings:
            typer.echo(f"  {warning}")
    return facts


def normalise(
    slide: SlideArgument,
    output: Annotated[Path, typer.Argument(metavar="OUT.png|OUT.tif")],
    method: Annotated[
        str, typer.Option(metavar="NAME", help=_("macenko, reinhard or vahadane (experimental)."))
    ] = "macenko",
    target: Annotated[
        Path | None,
        typer.Option(metavar="SLIDE", help=_("Whose colours are wanted; else those of CMU-1.")),
    ] = None,
    region: RegionOption = None,
    by_region: Annotated[
        bool,
        typer.Option("--by-region", help=_("Measure the stains in the region, if it can be done.")),
    ] = False,
    resolution: Annotated[
        float | None,
        typer.Option(metavar="MICRONS", min=0.01, help=_("µm per px of the picture.")),
    ] = None,
    stain: StainOption = "",
    mpp: MppOption = None,
) -> None:
    """Write a slide, or a part of it, in the colours of another H&E slide."""
    from pathoview.tasks.normalise import NormaliseOrder
    from pathoview.tasks.normalise import normalise as written
    from pathoview.tasks.opening import open_scaled

    hide(slide)
    if target is not None:
        hide(target)
    order = NormaliseOrder(
        method=_one_of(method),
        target=target,
        region_l0=None if region is None else _rectangle(region),
        mpp=resolution,
        by_region=by_region,
        stain=stain,
    )
    with open_scaled(slide, mpp) as opened, terminal_progress(output.name) as progress:
        used = written(opened, order, output, progress)
    typer.echo(f"{output}: {used.summary}")


def _one_of(method: str) -> Any:
    from pathoview.slides.stain_normalisation import NORMALISING_METHODS

    if method not in NORMALISING_METHODS:
        raise UsageError(
            _("There is no way of normalising called “{name}”.").format(name=method),
            _("Choose one of: {names}.").format(names=", ".join(NORMALISING_METHODS)),
        )
    return method


def _rectangle(text: str) -> Rect:
    from pathoview.core.geometry import Rect

    try:
        x, y, width, height = map(float, text.split(","))
    except ValueError as error:
        raise UsageError(
            _("“{text}” is no rectangle.").format(text=text), _("Write it like 0,0,2000,1000.")
        ) from error
    return Rect(x, y, width, height)

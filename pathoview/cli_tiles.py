"""The verbs ``similar`` and ``tile-map``: tiles of slides compared by what an encoder sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pathoview.cli_each import hidden_slide
from pathoview.cli_options import JsonFlag, SlideArgument, hidden
from pathoview.cli_progress import terminal_progress
from pathoview.core.place_text import parse_offset
from pathoview.core.translation import _

OthersOption = Annotated[
    Path | None,
    typer.Option("--study", metavar="STUDY.pathoview", help=_("Its other slides too.")),
]


def similar(
    slide: SlideArgument,
    at: Annotated[
        str, typer.Option("--at", metavar="X,Y", help=_("A place in the tile, level-0 pixels."))
    ],
    study: OthersOption = None,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help=_("How many are wanted."))] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Find the tiles that look most like one; “pathoview features” or a model described them."""
    from pathoview.tasks import similar_tiles

    x_l0, y_l0 = parse_offset(at)
    request = {**_whose(slide, study), "x_l0": x_l0, "y_l0": y_l0, "n": n}
    with terminal_progress(_("Similar tiles")) as progress:
        result = similar_tiles.run(request, progress)
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
        return
    for one in result["similar"]:
        words = _("{similarity:.3f}  {pseudonym}  {x_l0:,.0f}, {y_l0:,.0f}")
        typer.echo(words.format(**one))
    words = _("{n_tiles:,} tiles of {n_slides} slides compared; {n_without} slides not described.")
    typer.echo(words.format(**result), err=True)


def tile_map(
    slide: SlideArgument,
    study: OthersOption = None,
    n: Annotated[
        int, typer.Option("--n", min=3, max=20_000, help=_("How many points at most."))
    ] = 4000,
) -> None:
    """Print a map of described tiles, JSON: points along two axes, and where each tile lies."""
    from pathoview.tasks import tile_map as task

    with terminal_progress(_("Map of tiles")) as progress:
        result = task.run({**_whose(slide, study), "n_most": n}, progress)
    typer.echo(orjson.dumps(result).decode())


def _whose(slide: Path, study: Path | None) -> dict[str, Any]:
    return {
        "slide": str(hidden_slide(slide)),
        "study": "" if study is None else str(hidden(study)),
    }

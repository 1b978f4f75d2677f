"""The verbs ``features`` and ``encoders``: describe the tiles of slides, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pathoview.cli_each import each_slide
from pathoview.cli_options import (
    BagsOption,
    ClipsOption,
    JsonFlag,
    MppOption,
    SlidesOrSeriesArgument,
    with_series,
)
from pathoview.cli_progress import TerminalProgress
from pathoview.cli_tune import pinned_numerics
from pathoview.core.errors import UsageError
from pathoview.core.translation import _

EncoderOption = Annotated[
    str, typer.Option("--encoder", metavar="NAME", help=_("See “pathoview encoders”."))
]
WeightsOption = Annotated[
    str,
    typer.Option(
        "--weights",
        metavar="FILE",
        help=_("Its weights, or “random” or “hub”; else those that came with the program."),
    ),
]
ScalesOption = Annotated[
    list[float] | None,
    typer.Option(
        "--scale",
        metavar="MICRONS",
        help=_("µm per pixel of the tiles; repeatable: the first sets the grid."),
    ),
]
TileOption = Annotated[int | None, typer.Option("--tile", metavar="PX", help=_("Side of a tile."))]
EveryOption = Annotated[
    int, typer.Option("--every", metavar="N", min=1, help=_("Clips: one frame in so many."))
]
NormaliseOption = Annotated[
    str,
    typer.Option(
        "--normalise", metavar="NAME", help=_("macenko, reinhard or vahadane; else none.")
    ),
]


def features(
    slides: SlidesOrSeriesArgument = None,
    clips: ClipsOption = None,
    bags: BagsOption = None,
    every: EveryOption = 1,
    encoder: EncoderOption = "",
    weights: WeightsOption = "",
    scales: ScalesOption = None,
    tile: TileOption = None,
    normalise: NormaliseOption = "none",
    least_tissue: Annotated[
        float | None,
        typer.Option(
            "--least-tissue", metavar="SHARE", help=_("Share of a tile that is tissue, 0 to 1.")
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help=_("Patches spread over whole pictures, whatever the scale.")),
    ] = False,
    mpp: MppOption = None,
    restart: Annotated[
        bool, typer.Option("--restart", help=_("Compute anew what was computed earlier."))
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("Print JSON, one line a slide."))
    ] = False,
) -> None:
    """Describe the tissue tiles of slides by an encoder; what is there is not computed again.

    Of a clip, frames are described, each as a whole; of pictures with --whole, patches of each.
    """
    from pathoview.tasks import features as task

    named = with_series(slides, clips, bags)
    if clips is not None and (slides or bags is not None):
        raise UsageError(_("Clips are described apart from slides: give --clips alone."))
    order = feature_order(
        encoder,
        weights,
        scales,
        tile,
        normalise,
        least_tissue,
        every=None if clips is None else every,
        of_whole=whole,
    )

    def described(slide: Path, progress: TerminalProgress) -> Mapping[str, Any]:
        request = {"slide": str(slide), "mpp": mpp, "order": order, "restart": restart}
        result = {"slide": slide.name, **task.run(request, progress)}
        return {"summary": orjson.dumps(result).decode() if as_json else _summary(result)}

    each_slide(named, described)


def encoders(as_json: JsonFlag = False) -> None:
    """List the encoders of tiles, with where their weights come from and the licences."""
    from dataclasses import asdict

    from pathoview.methods.engine.encoder_list import ENCODERS

    if as_json:
        facts = [{**asdict(one), "n_features": one.n_features} for one in ENCODERS]
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
        return
    for one in ENCODERS:
        notes = [one.origin, one.licence]
        notes += [_("{n} numbers a tile").format(n=one.n_features)]
        notes += [_("tiles of {n} px at {mpp} µm per px").format(n=one.tile_px, mpp=one.mpp)]
        notes += [_("came with the program")] if one.is_bundled else []
        notes += [_("wants a GPU")] if one.wants_gpu else []
        notes += [_("bring the file")] if one.hub == "" and not one.is_bundled else []
        typer.echo(f"{one.name}: {', '.join(notes)}")


def feature_order(
    encoder: str,
    weights: str,
    scales: list[float] | None,
    tile: int | None,
    normalise: str,
    least_tissue: float | None = None,
    *,
    every: int | None = None,
    of_whole: bool = False,
) -> dict[str, Any]:
    """Return a checked `tasks.features.FeatureOrder` of what was said; raise `UsageError`.

    ``every``: of clips, one frame in so many; None: tiles are to be described. ``of_whole``: those
    are patches of whole pictures.
    """
    from pathoview.tasks import features as task

    if of_whole and (scales or tile or every is not None):
        raise UsageError(
            _("Patches of whole pictures have no scale, and a fixed size."),
            _("Leave --scale, --tile and --clips out."),
        )
    if every is not None and scales:
        raise UsageError(_("Frames of clips have no µm per px."), _("Leave --scale out."))
    said = {
        "encoder": encoder or None,
        "source": _source(weights),
        "mpp": (scales or None) if every is None else [],
        "every": every,
        "tile_px": tile,
        "normalisation": normalise,
        "least_tissue": least_tissue,
        "numerics": task.exact(pinned_numerics()),
    }
    wanted = {name: value for name, value in said.items() if value is not None}
    order = task.FeatureOrder.parse(wanted)
    return (order.whole() if of_whole else order).model_dump(mode="json")


def _source(weights: str) -> str:
    """Return where weights come from; a file by its whole path, so that it is found again."""
    return str(Path(weights).absolute()) if Path(weights).is_file() else weights


def _summary(result: Mapping[str, Any]) -> str:
    speed = result["mp_per_s"]
    told = _("there already") if speed is None else f"{speed:.1f} MP/s"
    words = _("{slide}: {n_tiles:,} tiles × {n_features:,} numbers, {told}, {path}")
    return words.format(told=told, **result)

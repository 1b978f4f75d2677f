"""The verbs ``train``, ``apply`` and ``models``: teach a method, use it, list what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import typer

from pathoview.cli_each import analyze_each
from pathoview.cli_features import (
    EncoderOption,
    EveryOption,
    NormaliseOption,
    ScalesOption,
    TileOption,
    WeightsOption,
    feature_order,
)
from pathoview.cli_options import (
    BagsOption,
    ClipsOption,
    GeoJsonOption,
    JsonFlag,
    MppOption,
    OverviewOption,
    ParametersOption,
    RegionOption,
    ResumeFlag,
    SlidesOrSeriesArgument,
    hidden,
    images_of,
    with_series,
)
from pathoview.cli_progress import terminal_progress
from pathoview.cli_tune import pinned_numerics
from pathoview.core.errors import UsageError
from pathoview.core.translation import _

ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help=_("A file, or a library name."))
]
LibraryArgument = Annotated[str, typer.Argument(metavar="MODEL", help=_("A name of the library."))]

# -- of methods for whole slides -------------------------------------------------------------------

GradeOption = Annotated[
    str,
    typer.Option("--grade", metavar="NAME", help=_("Whole slides: learn these grades, in order.")),
]
FoldsOption = Annotated[
    int, typer.Option("--folds", min=2, max=100, help=_("Whole slides: of cross-validation."))
]
HoldOutOption = Annotated[
    Literal["patients", "sites"],
    typer.Option("--hold-out", help=_("Whole slides: what is whole in a fold.")),
]
PermutationsOption = Annotated[
    int,
    typer.Option(
        "--permutations",
        metavar="N",
        min=0,
        max=10_000,
        help=_("Whole slides: train N times on shuffled labels; does chance do as well?"),
    ),
]
ThresholdOption = Annotated[
    Literal["youden", "sensitivity"],
    typer.Option(
        "--threshold",
        help=_("Whole slides: most sensitivity and specificity, or 95 % sensitivity."),
    ),
]


def train(
    method: Annotated[str, typer.Option("--method", metavar="NAME", help=_("What learns."))],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL.safetensors", help=_("Where the model goes; else into the library.")
        ),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="STUDY.pathoview", help=_("Learn from its labels."))
    ] = None,
    slides: Annotated[
        list[Path] | None,
        typer.Option("--slide", metavar="SLIDE", help=_("Only this slide's labels; repeatable.")),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help=_("Only this class; repeatable.")),
    ] = None,
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
                "x.png or x.tif (instance ids), or x.csv (x,y); of slides a table: "
                "slide,label[,patient,split,site]"
            ),
        ),
    ] = None,
    mpp: MppOption = None,
    val_images: Annotated[
        Path | None, typer.Option(metavar="DIR", help=_("Images to measure on; else some labels."))
    ] = None,
    val_labels: Annotated[Path | None, typer.Option(metavar="DIR", help=_("Their labels."))] = None,
    start: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help=_("A model to go on from, or “scratch”; else the one that came with the method."),
        ),
    ] = "",
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help=_("A parameter of the training.")),
    ] = None,
    seed: Annotated[int, typer.Option(help=_("The same seed gives the same model."))] = 0,
    title: Annotated[str, typer.Option(metavar="TEXT", help=_("What the model is called."))] = "",
    licence: Annotated[
        str, typer.Option(metavar="TEXT", help=_("Licence of the data, for the model card."))
    ] = "",
    restart: Annotated[
        bool, typer.Option("--restart", help=_("Do not go on from a training that was stopped."))
    ] = False,
    grade: GradeOption = "",
    folds: FoldsOption = 5,
    hold_out: HoldOutOption = "patients",
    threshold: ThresholdOption = "youden",
    permutations: PermutationsOption = 0,
    encoder: EncoderOption = "",
    weights: WeightsOption = "",
    scales: ScalesOption = None,
    tile: TileOption = None,
    normalise: NormaliseOption = "none",
    every: EveryOption = 1,
) -> None:
    """Teach a method from a study's labels, or from a folder of images and labels."""
    from pathoview.tasks import train as task

    folder, items = images_of(images, clips, bags)
    request: dict[str, Any] = {
        "method": method,
        "params": task.params_of(method, parameters or []),
        "study": "" if study is None else str(hidden(study)),
        "slides": [str(slide) for slide in slides or []],
        "classes": classes or None,
        "images": folder,
        "labels": "" if labels is None else str(labels),
        "val_images": "" if val_images is None else str(val_images),
        "val_labels": "" if val_labels is None else str(val_labels),
        "mpp": mpp,
        "output": "" if output is None else str(output),
        "start": start,
        "seed": seed,
        "title": title,
        "licence": licence,
        "resume": not restart,
        "bags": {
            "features": feature_order(
                encoder, weights, scales, tile, normalise, every=every if clips else None
            ),
            "items": items,
            "grade": grade,
            "n_folds": folds,
            "hold_out": hold_out,
            "threshold": threshold,
            "n_permutations": permutations,
        },
    }
    with terminal_progress(_("Train")) as progress:
        result = task.run(request, progress)
    typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())


def apply(
    model: ModelArgument,
    slides: SlidesOrSeriesArgument = None,
    clips: ClipsOption = None,
    bags: BagsOption = None,
    region: RegionOption = None,
    mpp: MppOption = None,
    parameters: ParametersOption = None,
    output: GeoJsonOption = None,
    overview: OverviewOption = None,
    resume: ResumeFlag = False,
    run: Annotated[
        str,
        typer.Option(
            metavar="RUN", help=_("Whose nuclei are told apart: newest, or the id of a run.")
        ),
    ] = "newest",
    as_json: Annotated[
        bool, typer.Option("--json", help=_("Print JSON, one line a slide, and write no GeoJSON."))
    ] = False,
) -> None:
    """Use a trained model on slides and write what it finds.

    A model of whole slides: its prediction is printed, and GeoJSON written only with --output.
    """
    from pathoview.tasks.analyze_and_export import AnalyzeOrder

    order = AnalyzeOrder.checked(
        model=model,
        numerics=pinned_numerics(),
        region=region,
        mpp=mpp,
        parameters=parameters or [],
        resume=resume,
        run=run,
    )
    named = with_series(slides, clips, bags)
    analyze_each(named, order, output, overview, as_json=as_json)


models_app = typer.Typer(help=_("The models there are."), invoke_without_command=True)


@models_app.callback()
def models(
    context: typer.Context,
    as_json: JsonFlag = False,
) -> None:
    """List the models that came with the program, were trained here or were imported."""
    from pathoview.methods.library import is_non_commercial, library

    if context.invoked_subcommand is not None:
        return
    known = library()
    if as_json:
        facts = [{**one.card.model_dump(mode="json"), "path": str(one.path)} for one in known]
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
        return
    for one in known:
        card = one.card
        licence = card.licence or _("licence not stated")
        if is_non_commercial(card):
            licence += ", " + _("non-commercial")
        typer.echo(f"{one.path.stem}: {card.title} ({card.method}, {card.origin}, {licence})")


@models_app.command("show")
def show(
    model: ModelArgument,
) -> None:
    """Print the card of a model."""
    from pathoview.methods.library import find_model
    from pathoview.methods.model import read_card

    typer.echo(read_card(find_model(model)).model_dump_json(indent=2))


@models_app.command("import")
def import_file(
    model: Annotated[Path, typer.Argument(metavar="MODEL.safetensors|NETWORK.onnx")],
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            metavar="KEY=VALUE",
            help=_("What no .json file beside a network says of it: mpp, classes, range …"),
        ),
    ] = None,
) -> None:
    """Take a model file, or a network of an ONNX file, into the library."""
    from pathoview.methods.library import import_model
    from pathoview.methods.network_card import said_in

    if not model.is_file():
        raise UsageError(_("There is no file “{name}”.").format(name=model.name))
    typer.echo(str(import_model(model, said_in(parameters or [])).path))


@models_app.command("export")
def export_file(
    model: LibraryArgument,
    output: Annotated[Path, typer.Argument(metavar="OUT.safetensors|OUT.onnx")],
) -> None:
    """Write a copy of a model, with its card; an imported network also as ONNX."""
    from pathoview.methods.library import export_model, find_model

    typer.echo(str(export_model(find_model(model), output)))


@models_app.command("rename")
def rename(
    model: LibraryArgument,
    title: Annotated[str, typer.Argument(metavar="TITLE")],
) -> None:
    """Call a model of the library otherwise."""
    from pathoview.methods.library import find_model, rename_model

    typer.echo(rename_model(find_model(model), title).card.title)


@models_app.command("remove")
def remove(
    model: LibraryArgument,
) -> None:
    """Take a model out of the library; its file is kept for 30 days."""
    from pathoview.methods.library import find_model, remove_model

    path = find_model(model)
    kept = remove_model(path)
    typer.echo(
        _("“{name}” was removed; for 30 days it is {path}.").format(name=path.stem, path=kept)
    )

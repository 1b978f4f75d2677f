"""The command line: every feature without a window, and the window itself.

``pathoview SLIDE…`` opens the window; with a verb it works headless. Results go to files, progress
to stderr. Exit codes: 0 done, 2 wrong use, 3 bad input, 4 failed run, 5 leaks found.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from pathoview import __version__
from pathoview.cli_adapt import adapt
from pathoview.cli_annotate import annotate, tissue
from pathoview.cli_cases import cases
from pathoview.cli_compare import compare
from pathoview.cli_each import analyze_each, hidden_slide
from pathoview.cli_evaluate import evaluate
from pathoview.cli_exchange import export, export_tiles, import_file
from pathoview.cli_features import encoders, features
from pathoview.cli_leaks import leaks
from pathoview.cli_learn import apply, models_app, train
from pathoview.cli_measure import measure
from pathoview.cli_options import (
    GeoJsonOption,
    JsonFlag,
    MethodOption,
    ModelOption,
    MppOption,
    OverviewOption,
    ParametersOption,
    RegionOption,
    ResumeFlag,
    SlideArgument,
    SlideFilesArgument,
)
from pathoview.cli_picture import picture
from pathoview.cli_quality import normalise, quality
from pathoview.cli_report import report
from pathoview.cli_slides import app as slides_app
from pathoview.cli_study import app as study_app
from pathoview.cli_tiles import similar, tile_map
from pathoview.cli_tune import pinned_numerics, tune
from pathoview.cli_workflow import workflow
from pathoview.core.errors import Cancelled, PathoViewError
from pathoview.core.logs import start_logging
from pathoview.core.threads import one_thread_each
from pathoview.core.translation import _

app = typer.Typer(
    name="pathoview",
    help=_("Open a slide, analyze it, take away GeoJSON. Without a verb, opens the window."),
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help=_("Print the version."))] = False,
) -> None:
    if version:
        typer.echo(f"PathoView {__version__}")
        raise typer.Exit
    start_logging()
    one_thread_each()
    if context.invoked_subcommand is None:
        open_window([])


@app.command("open", help=_("Open the window on these slides."))
def open_window(
    slides: Annotated[list[str] | None, typer.Argument(metavar="[SLIDE]…")] = None,
) -> None:
    from pathoview.ui.app import run

    raise typer.Exit(run(slides or []))


@app.command(help=_("Say what a slide is: size, levels, scale, reader."))
def info(slide: SlideArgument, as_json: JsonFlag = False, mpp: MppOption = None) -> None:
    from pathoview.tasks.opening import open_scaled, slide_facts

    with open_scaled(hidden_slide(slide), mpp) as opened:
        facts = slide_facts(opened)
    if as_json:
        _print_json(facts)
        return
    width = max(len(key) for key in facts)
    for key, value in facts.items():
        if key not in ("levels", "properties"):
            typer.echo(f"{key:<{width}}  {value}")
    for number, level in enumerate(facts["levels"]):
        size = f"{level['width']} × {level['height']} px"
        typer.echo(f"{f'level {number}':<{width}}  {size}, 1:{level['downsample']:g}")


@app.command(help=_("List the methods and their parameters."))
def methods(as_json: JsonFlag = False) -> None:
    from pathoview.methods.registry import METHODS
    from pathoview.tasks.listing import method_facts

    listed = [method_facts(spec) for spec in METHODS]
    if as_json:
        _print_json(listed)
        return
    for facts in listed:
        typer.echo(f"{facts['name']}: {facts['summary']}")
        for row in facts["parameters"]:
            unit = f" {row['unit']}" if row["unit"] else ""
            typer.echo(f"  {row['name']} = {row['default']}{unit}: {row['help']}")


@app.command(help=_("Write a small picture of the whole slide."))
def thumbnail(
    slide: SlideArgument,
    output: Annotated[Path, typer.Argument(metavar="OUT.png")],
    size: Annotated[int, typer.Option(min=16, max=20000, help=_("Longer side, px."))] = 1024,
) -> None:
    from pathoview.tasks.opening import open_scaled
    from pathoview.tasks.overview import thumbnail_picture, write_png

    with open_scaled(hidden_slide(slide), None) as opened:
        write_png(output, thumbnail_picture(opened, size))
    typer.echo(str(output))


@app.command(help=_("Find nuclei and write them as GeoJSON that QuPath opens."))
def analyze(
    slides: SlideFilesArgument,
    method: MethodOption = None,
    model: ModelOption = None,
    region: RegionOption = None,
    mpp: MppOption = None,
    parameters: ParametersOption = None,
    output: GeoJsonOption = None,
    overview: OverviewOption = None,
    resume: ResumeFlag = False,
) -> None:
    from pathoview.tasks.analyze_and_export import AnalyzeOrder

    order = AnalyzeOrder.checked(
        method=method,
        model=model,
        numerics=pinned_numerics(),
        region=region,
        mpp=mpp,
        parameters=parameters or [],
        resume=resume,
    )
    analyze_each(slides, order, output, overview)


app.command("evaluate", help=_("Score a method against images or labels whose truth is known."))(
    evaluate
)
app.command("train", help=_("Teach a method from labels; gives a model."))(train)
app.command("apply", help=_("Use a trained model on slides."))(apply)
models_app.command("adapt")(adapt)
app.add_typer(models_app, name="models")
app.command("features", help=_("Describe the tissue tiles of slides by an encoder."))(features)
app.command("encoders", help=_("List the encoders of tiles, with their licences."))(encoders)
app.command("similar", help=_("Find the tiles that look most like one."))(similar)
app.command("cases", help=_("Find the cases that look most like a slide."))(cases)
app.command("tile-map", help=_("Print a map of tiles: alike ones lie near each other."))(tile_map)
app.command("compare", help=_("Compare what two models say of the tiles of a slide."))(compare)
app.command("tune", help=_("Measure how networks are computed fastest here."))(tune)
app.command("annotate", help=_("Work on annotations of a study."))(annotate)
app.command("tissue", help=_("Make an annotation of all tissue."))(tissue)
app.command("workflow", help=_("Print what was done to a slide, as command lines."))(workflow)
app.add_typer(study_app, name="study")
app.add_typer(slides_app, name="slides")
app.command("import", help=_("Take an annotation file into a study."))(import_file)
app.command("export", help=_("Write annotations and results of a slide."))(export)
app.command("export-tiles", help=_("Write pictures and masks to train on."))(export_tiles)
app.command(
    "leaks", help=_("Check splits for leaks. Exit code 5: leaks were found; 0: none were.")
)(leaks)
app.command("measure", help=_("Write a table of all objects with their measurements."))(measure)
app.command("quality", help=_("Measure tissue, ink and sharpness of slides."))(quality)
app.command("normalise", help=_("Write an H&E slide in the colours of another."))(normalise)
app.command("report", help=_("Write the report of a slide: results, models, how sure they are."))(
    report
)
app.command("picture", help=_("Write a picture of a place, with results and scale bar."))(picture)


def _print_json(data: object) -> None:
    typer.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def main() -> None:
    """Run the command line; a first word that is no verb is a slide to open."""
    arguments = sys.argv[1:]
    if arguments and not arguments[0].startswith("-") and arguments[0] not in _verbs():
        arguments = ["open", *arguments]
    sys.exit(_run(arguments))


def _verbs() -> set[str]:
    group = typer.main.get_command(app)
    return set(getattr(group, "commands", {}))


def _run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every failure is one sentence on stderr."""
    try:
        app(arguments, prog_name="pathoview")
    except SystemExit as leaving:  # typer has said what is wrong; it leaves with 1 when aborted
        return 4 if leaving.code == 1 else int(leaving.code or 0)
    except PathoViewError as error:
        typer.echo(error.full_text, err=True)
        return error.exit_code
    except (Cancelled, KeyboardInterrupt):
        typer.echo(_("Stopped. Finished tiles are kept; --resume goes on from them."), err=True)
        return 4
    return 0

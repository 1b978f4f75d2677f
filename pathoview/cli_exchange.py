"""The verbs ``import``, ``export`` and ``export-tiles``: annotations come in and go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pathoview.cli_options import (
    MppOption,
    SlideArgument,
    SlideFilesArgument,
    StudyOption,
    TogetherOption,
)
from pathoview.cli_progress import terminal_progress
from pathoview.core.errors import InputError, UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _, ngettext

FormatOption = Annotated[
    str,
    typer.Option("--format", metavar="NAME", help=_("geojson, asap, imagescope, ndpa, coco …")),
]
OptionsOption = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help=_("What a file does not say; see guide.")),
]


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("Known by its content."))],
    slide: Annotated[
        Path | None, typer.Argument(metavar="[SLIDE]", help=_("Not for a QuPath project."))
    ] = None,
    study: StudyOption = None,
    format_name: FormatOption = "",
    options: OptionsOption = None,
    mpp: MppOption = None,
) -> None:
    """Take annotations into a study; a QuPath project gives slides and classes."""
    if file.suffix.lower() == ".qpproj" or (file.is_dir() and slide is None):
        _import_project(file, study)
        return
    if slide is None:
        raise UsageError(_("Say which slide the file belongs to."))
    from pathoview.annotations.dialects.import_params import ImportParams
    from pathoview.tasks import import_into_study

    hide(slide)
    request = {
        "file": str(file),
        "slide": str(slide),
        "mpp": mpp,
        "format": format_name,
        "options": ImportParams.parse_texts(options or []).said(),
    }
    with terminal_progress(file.name) as progress:
        result = import_into_study.run(request, study, progress)
    for warning in result["warnings"]:
        typer.echo(warning, err=True)
    _say_imported(result, study)


def _say_imported(result: Mapping[str, Any], study: Path | None) -> None:
    n, n_known = int(result["n_annotations"]), int(result["n_known"])
    count = int(result["n_objects"]) + int(result["n_features"])
    where = _("the private study of the slide") if study is None else study.name
    if n or not (count or n_known):
        text = ngettext("{n} annotation taken into", "{n} annotations taken into", n)
        typer.echo(f"{text.format(n=n)} {where}")
    if n_known:
        text = ngettext(
            "{n} annotation was there already", "{n} annotations were there already", n_known
        )
        typer.echo(text.format(n=n_known))
    if count:
        text = ngettext("{n} object read: {path}", "{n} objects read: {path}", count)
        typer.echo(text.format(n=count, path=result["run_file"]))


def _import_project(file: Path, study: Path | None) -> None:
    from pathoview.tasks import import_project

    if study is None:
        raise UsageError(
            _("A QuPath project has many slides: they need a study."),
            _("Name one with --study; it is made if there is none."),
        )
    with terminal_progress(file.name) as progress:
        outcome = import_project.run(file, study, progress)
    for sentence in outcome.skipped:
        typer.echo(sentence, err=True)
    if outcome.n_with_objects:
        text = ngettext(
            "{n} slide has objects that only QuPath can read: export them there as GeoJSON.",
            "{n} slides have objects that only QuPath can read: export them there as GeoJSON.",
            outcome.n_with_objects,
        )
        typer.echo(text.format(n=outcome.n_with_objects), err=True)
    n = outcome.n_slides
    text = ngettext("{n} slide in {study}", "{n} slides in {study}", n)
    typer.echo(text.format(n=n, study=study.name))
    n = outcome.n_classes
    typer.echo(ngettext("{n} class added", "{n} classes added", n).format(n=n))


def export(
    slide: SlideArgument,
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help=_("Its ending tells the format; .gz compresses."))
    ],
    study: StudyOption = None,
    format_name: FormatOption = "",
    only: Annotated[
        Literal["annotations", "detections"] | None,
        typer.Option(help=_("Leave the results out, or the annotations.")),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help=_("Only objects of this class; repeatable.")),
    ] = None,
    options: OptionsOption = None,
    array: Annotated[
        bool, typer.Option("--array", help=_("GeoJSON: a bare array, no FeatureCollection."))
    ] = False,
    measurements: Annotated[bool, typer.Option(help=_("GeoJSON: write them too."))] = True,
    map_options: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="KEY=VALUE",
            help=_(
                "Of a map of classes: tolerance_um, smallest_um2, as_float. Of the tiles of a "
                "whole slide: squares, contours, contours_of. Of a pseudo-healthy run: of "
                "(pathology, difference), probability, difference, tolerance_um, smallest_um2."
            ),
        ),
    ] = None,
    judge: Annotated[
        str,
        typer.Option(metavar="MODEL", help=_("Of a table of regions: who tells healthiness.")),
    ] = "",
) -> None:
    """Write what a study says of a slide, and the newest result of the slide.

    The map of a method that tells classes of pixels is written as regions, or as a picture with
    --format class-map (PNG) or probabilities (OME-TIFF). The tiles that a whole slide was predicted
    from are written as squares and outlines, or with --format attention (PNG) or tile-values
    (OME-TIFF). A pseudo-healthy run is written as areas of pathology, or with --format
    pseudo-healthy (PNG) or pseudo-healthy-tiff (OME-TIFF), both with their badge, difference
    (OME-TIFF), or pathology-table (CSV): a line for each annotated region.
    """
    from pathoview.annotations.dialects.import_params import ImportParams
    from pathoview.tasks import export_file

    form = export_file.map_format(format_name)
    if form is None:
        export_file.dialect_of(output, format_name)  # refused before anything is opened
    run_file, study_file = _sources(slide, study, only, "" if form is None else form.gives)
    request = {
        "output": str(output),
        "run_file": run_file,
        "study": study_file,
        "slide": str(slide),
        "format": format_name,
        "options": ImportParams.parse_texts(options or []).said(),
        "classes": classes or None,
        "collection": not array,
        "measurements": measurements,
        "map": export_file.map_params(run_file).parse_texts(map_options or []).model_dump(),
        "judge": judge,
    }
    with terminal_progress(output.name) as progress:
        result = export_file.run(request, progress)
    for warning in result["warnings"]:
        typer.echo(warning, err=True)
    if "mpp" in result:
        typer.echo(_("{mpp:.3g} µm per px: {path}").format(mpp=result["mpp"], path=output))
        return
    n = int(result["n_objects"])
    text = ngettext("{n} object written: {path}", "{n} objects written: {path}", n)
    typer.echo(text.format(n=n, path=output))


def _sources(slide: Path, study: Path | None, only: str | None, gives: str = "") -> tuple[str, str]:
    """Return the files of the run and of the study to write from; empty: there is none.

    ``gives``: see `newest_run`.
    """
    from pathoview.study.study import private_path
    from pathoview.tasks.opening import newest_run, open_scaled

    hide(slide)
    run_file = ""
    with open_scaled(slide, None) as opened:
        study_file = study or private_path(opened.content_hash)
        has_study = only != "detections" and study_file.exists()
        if only != "annotations":
            try:
                run_file = str(newest_run(opened, gives))
            except InputError:
                if not has_study:
                    raise
    if study is not None and not study.exists():
        raise UsageError(_("There is no study “{name}”.").format(name=study.name))
    return run_file, str(study_file) if has_study else ""


def export_tiles(
    slides: SlideFilesArgument,
    output: Annotated[Path, typer.Option(metavar="DIR", help=_("A new or empty folder."))],
    study: StudyOption = None,
    um_per_px: Annotated[
        float, typer.Option(metavar="MICRONS", min=0.01, help=_("µm per pixel of the tiles."))
    ] = 0.5,
    tile_px: Annotated[int, typer.Option(min=16, max=8192, help=_("Side of a tile."))] = 512,
    overlap: Annotated[
        float, typer.Option(min=0, max=0.9, help=_("Share of its side with the next tile."))
    ] = 0.0,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help=_("A class to learn; none: all of them.")),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="NAME=SHARE,…", help=_("Such as train=0.8,val=0.2."))
    ] = "",
    by: TogetherOption = "patient",
    seed: Annotated[int, typer.Option(help=_("Another one gives other splits."))] = 1,
    min_labelled: Annotated[
        float, typer.Option(min=0, max=1, help=_("Least share of a tile with labels."))
    ] = 0.01,
    scribble_um: Annotated[
        float, typer.Option(metavar="MICRONS", min=0, help=_("Width of a stroke."))
    ] = 10.0,
    point_um: Annotated[
        float, typer.Option(metavar="MICRONS", min=0, help=_("Radius of a point."))
    ] = 3.0,
    mpp: MppOption = None,
) -> None:
    """Cut slides into pictures and masks to train on."""
    from pathoview.datasets.splits import parse_split
    from pathoview.tasks import export_tiles as task

    for slide in slides:
        hide(slide)
    request = {
        "slides": [str(slide) for slide in slides],
        "mpp": mpp,
        "study": "" if study is None else str(study),
        "output": str(output),
        "params": {
            "um_per_px": um_per_px,
            "tile_px": tile_px,
            "overlap": overlap,
            "min_labelled": min_labelled,
            "scribble_um": scribble_um,
            "point_um": point_um,
            "split": split,
            "by": by,
            "seed": seed,
        },
        "classes": classes or None,
    }
    parse_split(split)
    with terminal_progress(output.name) as progress:
        result = task.run(request, progress)
    _say_tiles(result["warnings"], int(result["n_tiles"]), output)


def _say_tiles(warnings: Sequence[str], n: int, output: Path) -> None:
    for warning in warnings:
        typer.echo(warning, err=True)
    text = ngettext("{n} tile written: {path}", "{n} tiles written: {path}", n)
    typer.echo(text.format(n=n, path=output))

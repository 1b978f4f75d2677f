"""The same done to several slides: a failure of one is told, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer

from pathoview.cli_progress import TerminalProgress, terminal_progress
from pathoview.core.errors import PathoViewError, UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _

if TYPE_CHECKING:
    from pathoview.tasks.analyze_and_export import AnalyzeOrder


def each_slide(
    slides: Sequence[Path], work: Callable[[Path, TerminalProgress], Mapping[str, Any]]
) -> None:
    """Do the work on every slide; its result's ``summary`` is printed."""
    worst = 0
    for slide in slides:
        try:
            with terminal_progress(slide.name) as progress:
                result = work(hidden_slide(slide), progress)
            typer.echo(result["summary"])
        except PathoViewError as error:
            if len(slides) == 1:
                raise
            typer.echo(f"{slide.name}: {error.full_text}", err=True)
            worst = max(worst, error.exit_code)
    if worst:
        raise typer.Exit(worst)


def analyze_each(
    slides: Sequence[Path],
    order: AnalyzeOrder,
    output: Path | None,
    overview: Path | None,
    *,
    as_json: bool = False,
) -> None:
    """Analyze every slide; write GeoJSON (None: unless something else is wanted) and a picture.

    What is said of a slide as a whole is printed, and written only when asked.
    """
    from pathoview.tasks.analyze_and_export import analyze_and_export

    writes = output is not None or not (overview or as_json or order.is_of_slides)

    def work(slide: Path, progress: TerminalProgress) -> Mapping[str, Any]:
        result = analyze_and_export(
            slide,
            order,
            output=target_of(slide, output, ".geojson") if writes else None,
            overview=target_of(slide, overview, ".png") if overview else None,
            progress=progress,
        )
        if not as_json:
            return result
        said = {"slide": slide.name, **result}
        del said["summary"]
        return {"summary": orjson.dumps(said).decode()}

    refuse_one_file_for_many(slides, output, overview)
    each_slide(slides, work)


def hidden_slide(slide: Path) -> Path:
    """Keep the file's name out of the log from now on."""
    hide(slide)
    return slide


def refuse_one_file_for_many(slides: Sequence[Path], *targets: Path | None) -> None:
    """Raise `UsageError` when several slides would be written to the same file."""
    if len(slides) > 1 and any(target and not _is_folder(target) for target in targets):
        raise UsageError(
            _("Several slides cannot be written to one file."),
            _("Name a folder instead, ending in “/”."),
        )


def target_of(slide: Path, wanted: Path | None, suffix: str) -> Path:
    """Return where a slide's result goes: the wanted file, or one of its name in the folder."""
    if wanted is None:
        return Path(slide.stem + suffix)
    if _is_folder(wanted):
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted / (slide.stem + suffix)
    return wanted


def _is_folder(path: Path) -> bool:
    return path.is_dir() or not path.suffix

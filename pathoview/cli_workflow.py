"""``pathoview workflow``: what was done to a slide, as command lines for another one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pathoview.cli_options import SlideArgument
from pathoview.core.privacy import hide
from pathoview.core.translation import _


def workflow(
    slide: SlideArgument,
    study: Annotated[
        Path | None,
        typer.Option(metavar="FILE.pathoview", help=_("Else what is kept with the slide.")),
    ] = None,
) -> None:
    from pathoview.slides.opening import open_slide
    from pathoview.study.results import find_runs
    from pathoview.study.study import private_path
    from pathoview.study.study_file import StudyFile
    from pathoview.study.workflow import kept_workflow, workflow_script

    hide(slide)
    with open_slide(slide) as opened:
        slide_hash = opened.content_hash
    runs = [record for _path, record in find_runs(slide_hash)]
    path = study or private_path(slide_hash)
    if study is None and not path.exists():
        typer.echo(workflow_script([], runs), nl=False)
        return
    with StudyFile.open(path) as file:
        typer.echo(kept_workflow(file, slide_hash, runs), nl=False)

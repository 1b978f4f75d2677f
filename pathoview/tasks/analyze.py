"""Analyze a slide: tissue → tiles → nuclei or a map, written tile by tile to a run's file.

`tasks.analysis` says how tiles are worked on; `analyze_instances`, `analyze_pixels` and
`analyze_synthesis`, what is kept of each.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.methods.registry import DEFAULT_METHOD, METHODS
from pathoview.methods.spec import Kind
from pathoview.slides.reading import AnalysisGrid, analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.study.results import RunFile, find_unfinished, new_run_path
from pathoview.tasks.analysis import Setting, useful_computers
from pathoview.tasks.analyze_instances import InstanceAnalysis
from pathoview.tasks.analyze_pixels import PixelAnalysis
from pathoview.tasks.analyze_synthesis import SynthesisAnalysis
from pathoview.tasks.familiarity import noted
from pathoview.tasks.method_building import BuiltMethod, build_method
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.run_records import new_record

ANALYSES: Mapping[Kind, type[InstanceAnalysis] | type[PixelAnalysis] | type[SynthesisAnalysis]] = {
    Kind.INSTANCE: InstanceAnalysis,
    Kind.PIXEL: PixelAnalysis,
    Kind.SYNTHESIS: SynthesisAnalysis,
}
"""How a slide is analyzed by a method of each kind; others need more than the slide."""


class AnalyzeRequest(BaseModel):
    """What to analyze and how; sizes and rectangles in level-0 px unless they say otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    method: str = ""
    """Empty: that of the model, or the default one."""
    model: str = ""
    """A model file, or the name of one in the library; empty: the method's own, if it has one."""
    numerics: str = "float32"
    params: dict[str, Any] = {}
    region_l0: tuple[int, int, int, int] | None = None
    """x, y, width, height; None: the whole slide."""
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the file."""
    resume: bool = False
    """Go on with an unfinished run of the same slide, method, parameters and region."""
    tile_px: int | None = None
    """Side of a tile's core at the analysis resolution; None: as the method likes it."""
    n_computers: int | None = None
    """Threads that compute; None: as many as help."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Analyze a slide; see `AnalyzeRequest`.

    Raises `MissingScaleError` without a scale, `UsageError` for a wrong method, parameter or
    region, `SlideError` when the slide cannot be read, `Cancelled` when asked to stop. Finished
    tiles are kept whatever happens.
    """
    order = AnalyzeRequest.model_validate(request)
    built = build_method(order.method, order.params, order.model, order.numerics)
    _check_kind(built)
    progress.report(0.0, _("Opening the slide"))
    with open_scaled(Path(order.slide), order.mpp) as slide:
        grid = analysis_grid(slide, built.mpp)
        region = region_of(order.region_l0, slide)
        progress.report(0.0, _("Looking for tissue"))
        tissue = tissue_mask(slide)
        progress.check()
        with _open_run(order, built, slide, grid, progress) as run_file:
            setting = Setting(built, slide, grid, tissue, region, run_file)
            analysis = ANALYSES[built.spec.kind](setting, progress)
            return analysis.run(order.n_computers or useful_computers(run_file.record.device))


def warm_up() -> None:
    """Import what the default method needs, so that the first analysis starts at once."""
    spec = METHODS.get(DEFAULT_METHOD)
    load_entry(spec.entry)
    if spec.uses_torch:
        importlib.import_module("pathoview.methods.engine.infer")


def _check_kind(built: BuiltMethod) -> None:
    if built.spec.kind not in ANALYSES:
        raise UsageError(
            _("“{title}” does not analyze slides.").format(title=built.spec.title),
            _("Use its model: pathoview apply MODEL SLIDE."),
        )
    if built.spec.kind is Kind.PIXEL and not (built.card and built.card.classes):
        raise UsageError(
            _("The model does not say which classes “{title}” tells.").format(
                title=built.spec.title
            ),
            _("Name a model that was trained with classes."),
        )


def region_of(region_l0: tuple[int, int, int, int] | None, slide: Slide) -> Rect | None:
    if region_l0 is None:
        return None
    inside = Rect(*region_l0).intersection(Rect(0, 0, slide.info.width, slide.info.height))
    if inside.is_empty:
        raise UsageError(
            _("The region lies outside of the slide."),
            _("The slide is {width} × {height} px.").format(
                width=slide.info.width, height=slide.info.height
            ),
        )
    return inside


@contextlib.contextmanager
def _open_run(
    order: AnalyzeRequest,
    built: BuiltMethod,
    slide: Slide,
    grid: AnalysisGrid,
    progress: Progress,
) -> Iterator[RunFile]:
    """Open the unfinished run to go on with, or make a new one."""
    key = built.run_key(slide.content_hash, order.region_l0, grid.mpp)
    unfinished = find_unfinished(key) if order.resume else None
    if unfinished:
        with RunFile.open(unfinished, writable=True) as run_file:
            if order.tile_px in (None, run_file.record.tile_px):
                yield run_file
                return
    progress.report(0.0, _("Measuring the slide"))
    record = new_record(built, slide, grid, order.region_l0, tile_px=order.tile_px)
    record = noted(record, slide, built.card, progress)
    with RunFile.create(new_run_path(record), record) as run_file:
        yield run_file

"""The main job in one go: analyze a slide, write its GeoJSON and a picture of the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pathoview.core.errors import UsageError
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _, ngettext
from pathoview.methods.spec import Kind
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, analyze_bag, classify_objects, export_file
from pathoview.tasks.method_building import named_method
from pathoview.tasks.object_examples import NEWEST
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.overview import overview_picture, write_png
from pathoview.tasks.prediction_words import prediction_lines

_OVERVIEW_PX = 2048
_ANALYSIS_SHARE = 0.9
"""Share of the progress bar that the analysis takes; the export has the rest."""


@dataclass(frozen=True, slots=True)
class AnalyzeOrder:
    """What is asked of every slide, checked before the first is opened."""

    method: str
    model: str
    """A model's file; empty: the method's own, if it has one."""
    numerics: str
    parameters: Mapping[str, Any]
    region_l0: tuple[int, int, int, int] | None
    mpp: float | None
    resume: bool
    kind: Kind = Kind.INSTANCE
    run: str = NEWEST
    """Whose objects a method classifies that tells objects apart."""

    @classmethod
    def checked(
        cls,
        *,
        method: str | None = None,
        model: str | None = None,
        numerics: str = "float32",
        region: str | None,
        mpp: float | None,
        parameters: Sequence[str],
        resume: bool,
        run: str = NEWEST,
    ) -> Self:
        """Return the order from the command line's texts; raise `UsageError`."""
        spec, path = named_method(method, model)
        if run != NEWEST and spec.kind is not Kind.OBJECT:
            raise UsageError(
                _("“{title}” takes no run.").format(title=spec.title),
                _("Name a model that tells objects apart, or leave --run out."),
            )
        checked = spec.params.parse_texts(parameters).model_dump(mode="json")
        file = str(path) if path else ""
        said = (spec.name, file, numerics, checked, _region(region), mpp, resume)
        return cls(*said, spec.kind, run)

    @property
    def is_of_slides(self) -> bool:
        """Whether slides as a whole are predicted, and nothing is outlined."""
        return self.kind is Kind.BAG

    def request(self, slide: Path) -> dict[str, Any]:
        return {
            "slide": str(slide),
            "method": self.method,
            "model": self.model,
            "numerics": self.numerics,
            "params": dict(self.parameters),
            "region_l0": list(self.region_l0) if self.region_l0 else None,
            "mpp": self.mpp,
            "resume": self.resume,
            "tile_px": None,
            "n_computers": None,
            **({"run": self.run} if self.kind is Kind.OBJECT else {}),
        }


def analyze_and_export(
    slide: Path,
    order: AnalyzeOrder,
    *,
    output: Path | None,
    overview: Path | None,
    progress: Progress,
) -> dict[str, Any]:
    """Analyze one slide and write what was asked for; ``summary`` in the result says it."""
    started = time.monotonic()
    result = task_of(order.kind)(order.request(slide), PartOf(progress, 0.0, _ANALYSIS_SHARE))
    written = []
    if output is not None:
        request = {"run_file": result["run_file"], "output": str(output)}
        export_file.run(request, PartOf(progress, _ANALYSIS_SHARE, 1.0))
        written.append(output)
    if overview is not None:
        _write_overview(slide, order, Path(result["run_file"]), overview)
        written.append(overview)
    seconds = time.monotonic() - started
    summary = _summary(slide, result, seconds, ", ".join(map(str, written)))
    return {**result, "summary": summary, "written": [str(path) for path in written]}


def task_of(kind: Kind) -> Callable[[Mapping[str, Any], Progress], dict[str, Any]]:
    """Return the task that uses a method of a kind on a slide."""
    tasks = {Kind.OBJECT: classify_objects.run, Kind.BAG: analyze_bag.run}
    return tasks.get(kind, analyze.run)


def _summary(slide: Path, result: Mapping[str, Any], seconds: float, files: str) -> str:
    if result["gives"] == "bag":
        return "\n".join([*prediction_lines(slide.name, result, seconds), *filter(None, [files])])
    if result["gives"] == "pixel":
        text = _("{area:.3g} mm² mapped in {seconds:.1f} s: {files}")
        return text.format(area=result["area_mm2"], seconds=seconds, files=files)
    if result["gives"] == "synthesis":
        text = _(
            "{pathology:.3g} of {area:.3g} mm² taken for pathology in {seconds:.1f} s: {files}"
        )
        areas = {"pathology": result["pathology_mm2"], "area": result["area_mm2"]}
        return text.format(**areas, seconds=seconds, files=files)
    n = int(result["n_objects"])
    if result["gives"] == "object":
        return ngettext(
            "{n} nucleus classified in {seconds:.1f} s: {files}",
            "{n} nuclei classified in {seconds:.1f} s: {files}",
            n,
        ).format(n=n, seconds=seconds, files=files)
    return ngettext(
        "{n} nucleus in {seconds:.1f} s: {files}", "{n} nuclei in {seconds:.1f} s: {files}", n
    ).format(n=n, seconds=seconds, files=files)


def _write_overview(slide: Path, order: AnalyzeOrder, run_file: Path, target: Path) -> None:
    with open_scaled(slide, order.mpp) as opened, RunFile.open(run_file) as run:
        write_png(target, overview_picture(opened, run, _OVERVIEW_PX))


def _region(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            _("“{text}” is not a region.").format(text=text),
            _("Write X,Y,W,H in level-0 pixels, for example 1000,2000,4096,4096."),
        ) from error
    if width <= 0 or height <= 0:
        raise UsageError(_("A region needs a width and a height above zero."))
    return x, y, width, height

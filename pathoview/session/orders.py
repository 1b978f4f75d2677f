"""What the session asks of worker processes: tasks by name, with what they are to work on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.jobs.runner import JobRequest
from pathoview.methods.spec import MethodSpec
from pathoview.session.settings import ExportSettings
from pathoview.slides.slide import Slide

ANALYZE = "pathoview.tasks.analyze:run"
EXPORT = "pathoview.tasks.export_geojson:run"
IMPORT = "pathoview.tasks.import_geojson:run"


def analysis(
    slide: Slide,
    spec: MethodSpec,
    params: Mapping[str, Any],
    region_l0: Rect | None,
    *,
    resume: bool = False,
) -> JobRequest:
    """Return the order to analyze a slide; ``region_l0`` None is the whole of it."""
    payload = {
        "slide": str(slide.path),
        "method": spec.name,
        "params": dict(params),
        "region_l0": None if region_l0 is None else list(region_l0.as_ints()),
        "mpp": stated_scale(slide),
        "resume": resume,
        "tile_px": None,
        "n_computers": None,
    }
    title = _("{method} on {slide}").format(method=spec.title, slide=slide.path.name)
    return JobRequest(ANALYZE, payload, title)


def export(run_file: Path, output: Path, options: ExportSettings) -> JobRequest:
    """Return the order to write a run's objects as GeoJSON."""
    payload = {
        "run_file": str(run_file),
        "output": str(output),
        "collection": options.collection,
        "measurements": options.measurements,
    }
    return JobRequest(EXPORT, payload, _("Export of {name}").format(name=output.name), "io")


def import_file(slide: Slide, file: Path) -> JobRequest:
    """Return the order to read a GeoJSON file as objects on a slide."""
    payload = {"file": str(file), "slide": str(slide.path), "mpp": stated_scale(slide)}
    return JobRequest(IMPORT, payload, _("Import of {name}").format(name=file.name), "io")


def stated_scale(slide: Slide) -> float | None:
    """Return the µm per px that a person stated; None when the file knows."""
    return slide.mpp if slide.info.mpp is not None and slide.scale_source == "user" else None

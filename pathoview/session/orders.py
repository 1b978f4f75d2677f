"""What the session asks of worker processes: tasks by name, with what they are to work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.jobs.runner import JobRequest
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.session.runs import RunView
from pathoview.session.settings import ExportSettings
from pathoview.slides.slide import Slide
from pathoview.study.model import SlideRecord

ANALYZE = "pathoview.tasks.analyze:run"
CLASSIFY = "pathoview.tasks.classify_objects:run"
PREDICT = "pathoview.tasks.analyze_bag:run"
TRAIN = "pathoview.tasks.train:run"
LIVE = "pathoview.tasks.live_teaching:run"
PSEUDO_LABELS = "pathoview.tasks.pseudo_labels:run"
EXPORT = "pathoview.tasks.export_file:run"
IMPORT = "pathoview.tasks.import_file:run"
REGIONS = "pathoview.tasks.take_regions:run"
TILES = "pathoview.tasks.export_tiles:run"
LEAKS = "pathoview.tasks.leaks:run"
EVALUATE = "pathoview.tasks.evaluate:run"
HELD_OUT = "pathoview.tasks.held_out:run"
SLIDE_REPORT = "pathoview.tasks.slide_report:run"
SIMILAR = "pathoview.tasks.similar_tiles:run"
TILE_MAP = "pathoview.tasks.tile_map:run"
CASES = "pathoview.tasks.similar_cases:run"


def analysis(
    slide: Slide,
    spec: MethodSpec,
    params: Mapping[str, Any],
    region_l0: Rect | None,
    *,
    model: Path | None = None,
    numerics: str = "float32",
    resume: bool = False,
    run: str = "",
) -> JobRequest:
    """Return the order to analyze a slide; ``region_l0`` None is the whole of it.

    ``run``: id of the run whose objects are told apart by a method that does; empty: the newest.
    """
    payload: dict[str, Any] = {
        "slide": str(slide.path),
        "method": spec.name,
        "model": "" if model is None else str(model),
        "numerics": numerics,
        "params": dict(params),
        "region_l0": None if region_l0 is None else list(region_l0.as_ints()),
        "mpp": stated_scale(slide),
        "resume": resume,
        "tile_px": None,
        "n_computers": None,
    }
    if spec.kind is Kind.OBJECT and run:
        payload["run"] = run
    title = _("{method} on {slide}").format(method=spec.title, slide=slide.path.name)
    return JobRequest(_task(spec), payload, title)


def analysis_of(
    record: SlideRecord, spec: MethodSpec, model: Path, numerics: str = "float32"
) -> JobRequest:
    """Return the order to use a model on a slide of the study that need not be open."""
    payload: dict[str, Any] = {
        "slide": record.path,
        "method": spec.name,
        "model": str(model),
        "numerics": numerics,
        "mpp": None if record.mpp is None else record.mpp[0],
    }
    name = Path(record.path).name
    return JobRequest(_task(spec), payload, f"{spec.title}: {name}")


def _task(spec: MethodSpec) -> str:
    """Return the task that uses a method on a slide."""
    return {Kind.OBJECT: CLASSIFY, Kind.BAG: PREDICT}.get(spec.kind, ANALYZE)


def training(
    spec: MethodSpec,
    params: Mapping[str, Any],
    study: Path | None,
    slides: Sequence[Path],
    shown: Slide,
    *,
    start: str,
    title: str,
    number: int,
) -> JobRequest:
    """Return the order to teach a method from a study's labels.

    ``study`` None: the private study of each slide. ``slides``: only of these; ``shown``: where
    the overlay is drawn meanwhile; ``start``: see `tasks.train.TrainRequest`; ``number``: of the
    round of teaching.
    """
    payload: dict[str, Any] = {
        "method": spec.name,
        "params": dict(params),
        "study": "" if study is None else str(study),
        "slides": [str(path) for path in slides],
        "mpp": stated_scale(shown),
        "start": start,
        "title": title,
        "round": number,
        "preview": {"slide": str(shown.path), "mpp": stated_scale(shown), "params": {}},
    }
    task = LIVE if spec.is_live else TRAIN
    return JobRequest(task, payload, _("Teaching: {title}").format(title=title), "learn")


def slide_training(
    spec: MethodSpec,
    params: Mapping[str, Any],
    bags: Mapping[str, Any],
    said: Mapping[str, Any],
    title: str,
) -> JobRequest:
    """Return the order to teach a method from labels of a study's slides; the study is named later.

    ``bags``: how slides are described and shared out; see `tasks.bag_order.BagOrder`. ``said``:
    further members of `tasks.train.TrainRequest`.
    """
    payload: dict[str, Any] = {
        **said,
        "method": spec.name,
        "params": dict(params),
        "title": title,
        "bags": dict(bags),
    }
    return JobRequest(TRAIN, payload, _("Training: {title}").format(title=title), "learn")


def is_slide_training(order: JobRequest) -> bool:
    """Say whether an order is to learn from labels of whole slides."""
    return order.task == TRAIN and "bags" in order.payload


def held_out(model: Path, title: str, report: Path, page: Path) -> JobRequest:
    """Return the order to tell what a model of whole slides did on slides held out."""
    payload = {"model": str(model), "report": str(report), "page": str(page)}
    return JobRequest(HELD_OUT, payload, _("Results of {title}").format(title=title), "io")


def slide_report(
    slide: Slide, study: Path | None, runs: Sequence[str], report: Path, page: Path
) -> JobRequest:
    """Return the order to write the report of a slide; ``runs``: ids of the results it tells of."""
    payload = {
        "slide": str(slide.path),
        "mpp": stated_scale(slide),
        "study": "" if study is None else str(study),
        "runs": list(runs),
        "report": str(report),
        "page": str(page),
    }
    return JobRequest(SLIDE_REPORT, payload, _("Report of {slide}").format(slide=slide.path.name))


def similar_cases(
    slide: Slide, study: Path, run: RunView, *, describe: bool, names: bool
) -> JobRequest:
    """Return the order to search a study for cases like a slide, by the model of a run.

    ``describe``: also slides that were never described for it; ``names``: files may be named.
    """
    payload = {
        "slide": str(slide.path),
        "model": run.record.model,
        "study": str(study),
        "describe": describe,
        "names": names,
    }
    return JobRequest(CASES, payload, _("Similar cases"), "compute" if describe else "io")


def warm_up(spec: MethodSpec) -> str:
    """Return the entry that imports what teaching a method needs."""
    what = "warm_up_networks" if spec.uses_torch else "warm_up"
    return f"pathoview.tasks.live_teaching:{what}"


def pseudo_labels(
    spec: MethodSpec, params: Mapping[str, Any], study: Path | None, shown: Slide, region_l0: Rect
) -> JobRequest:
    """Return the order to show what a method makes of the labels in a part of a slide."""
    payload = {
        "method": spec.name,
        "params": dict(params),
        "study": "" if study is None else str(study),
        "slide": str(shown.path),
        "mpp": stated_scale(shown),
        "region_l0": list(region_l0.as_ints()),
    }
    title = _("What {title} learns from").format(title=spec.title)
    return JobRequest(PSEUDO_LABELS, payload, title)


def export(
    slide: Slide,
    output: Path,
    options: ExportSettings,
    *,
    run: RunView | None,
    study: Path | None,
    ids: Sequence[str] | None = None,
) -> JobRequest:
    """Return the order to write a run's objects, a study's annotations (all or some), or both."""
    payload = {
        "output": str(output),
        "run_file": "" if run is None else str(run.path),
        "study": "" if study is None else str(study),
        "slide": str(slide.path),
        "mpp": stated_scale(slide),
        "format": options.format,
        "ids": None if ids is None else list(ids),
        "collection": options.collection,
        "measurements": options.measurements,
        "map": {} if run is None else area_options(run, options),
    }
    return JobRequest(EXPORT, payload, _("Export of {name}").format(name=output.name), "io")


def regions(run: RunView, options: ExportSettings) -> JobRequest:
    """Return the order to outline a run's map or tiles for a study, as an export would."""
    payload = {"run_file": str(run.path), "map": area_options(run, options)}
    title = _("Regions of {title}").format(title=run.record.title)
    return JobRequest(REGIONS, payload, title, "io")


def area_options(run: RunView, options: ExportSettings) -> dict[str, Any]:
    """Return what was set about the areas of a run of its kind."""
    return dict(options.areas(run.record.gives))


def import_file(slide: Slide, file: Path, dialect: str, said: Mapping[str, Any]) -> JobRequest:
    """Return the order to read an annotation file; ``said``: what it does not say itself."""
    payload = {
        "file": str(file),
        "slide": str(slide.path),
        "mpp": stated_scale(slide),
        "format": dialect,
        "options": dict(said),
    }
    return JobRequest(IMPORT, payload, _("Import of {name}").format(name=file.name), "io")


def export_tiles(
    slides: Sequence[Path],
    study: Path,
    output: Path,
    params: Mapping[str, Any],
    classes: Sequence[str] | None,
    mpp: float | None,
) -> JobRequest:
    """Return the order to cut slides into pictures and masks."""
    payload = {
        "slides": [str(path) for path in slides],
        "study": str(study),
        "output": str(output),
        "params": dict(params),
        "classes": None if classes is None else list(classes),
        "mpp": mpp,
    }
    return JobRequest(TILES, payload, _("Tiles in {name}").format(name=output.name))


def leaks(
    source: Mapping[str, Any], params: Mapping[str, Any], report: Path, page: Path
) -> JobRequest:
    """Return the order to check splits for leaks; ``source``: see `tasks.leaks.LeaksRequest`."""
    payload = {**source, "params": dict(params), "report": str(report), "page": str(page)}
    return JobRequest(LEAKS, payload, _("Check for leaks"))


def evaluation(said: Mapping[str, Any], title: str, report: Path, page: Path) -> JobRequest:
    """Return the order to score a method; ``said``: see `tasks.evaluate.EvaluateRequest`."""
    payload = {**said, "report": str(report), "page": str(page)}
    return JobRequest(EVALUATE, payload, _("Evaluation of {title}").format(title=title))


def stated_scale(slide: Slide) -> float | None:
    """Return the µm per px that a person stated; None when the file knows."""
    return slide.mpp if slide.info.mpp is not None and slide.scale_source == "user" else None

"""What is said when a job has ended: what came out, and the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pathoview.core.translation import _, ngettext
from pathoview.jobs.runner import Job, JobState
from pathoview.session import orders
from pathoview.session.notices import Notice

_TEACHING = (orders.TRAIN, orders.LIVE)
_ANALYZING = (orders.ANALYZE, orders.CLASSIFY, orders.PREDICT)


def ending(job: Job, run_path: Path | None) -> Notice:
    """Return the notice for a job that is over; ``run_path``: its result file, if it has one."""
    if job.state is JobState.DONE:
        return _done(job)
    if job.request.task in _TEACHING:
        return _taught_not(job)
    can_resume = job.request.task in _ANALYZING and run_path is not None
    action = (_("Resume"), "analyze.resume") if can_resume else None
    argument = str(run_path) if can_resume else ""
    if job.state is JobState.CANCELLED:
        kept = _("What was finished is kept.") if can_resume else ""
        text = _("{title} was stopped. {kept}").format(title=job.request.title, kept=kept).strip()
        return Notice(text, "info", action, argument=argument)
    text = f"{job.error} {job.hint}".strip()
    return Notice(text, "error", action, job.details, argument)


def _taught(job: Job, result: Mapping[str, Any]) -> Notice:
    """Return the notice for a training that gave a model, and what is done with it next."""
    text = str(result["summary"])
    if orders.is_slide_training(job.request):
        return Notice(text, "info", (_("Show results"), "slides.train"))
    action = (_("Apply to slide"), "teach.apply")
    return Notice(text, "info", action, argument=str(result["model"]))


def _taught_not(job: Job) -> Notice:
    """Return the notice for a training without a model: it can go on."""
    is_of_slides = orders.is_slide_training(job.request)
    action = (_("Start again"), "slides.train_again" if is_of_slides else "teach.again")
    if job.state is JobState.CANCELLED:
        text = _("{title} was stopped.").format(title=job.request.title)
        return Notice(text, "info", action, argument=job.id)
    text = f"{job.error} {job.hint}".strip()
    return Notice(text, "error", action, job.details, job.id)


def _done(job: Job) -> Notice:
    result = job.result or {}
    if job.request.task in _TEACHING:
        return _taught(job, result)
    n = int(result.get("n_objects", 0))
    if job.request.task == orders.EXPORT:
        name = Path(str(job.request.payload["output"])).name
        if "mpp" in result:
            text = _("The map is written to {name}, {mpp:.3g} µm per px.")
            return Notice(text.format(name=name, mpp=float(result["mpp"])))
        text = ngettext("{n:,} object written to {name}.", "{n:,} objects written to {name}.", n)
        return _with_remarks(text.format(n=n, name=name), result)
    if job.request.task == orders.TILES:
        n = int(result.get("n_tiles", 0))
        name = Path(str(job.request.payload["output"])).name
        text = ngettext("{n:,} tile written to {name}.", "{n:,} tiles written to {name}.", n)
        return _with_remarks(text.format(n=n, name=name), result)
    if job.request.task in (orders.IMPORT, orders.REGIONS):
        return _imported(result)
    told = _BY_KIND.get(str(result.get("gives")))
    if told is not None:
        return told(result)
    text = ngettext("{n:,} nucleus found", "{n:,} nuclei found", n).format(n=n)
    if result.get("gives") == "object":
        text = ngettext("{n:,} nucleus classified", "{n:,} nuclei classified", n).format(n=n)
    area = float(result.get("area_mm2", 0))
    if area > 0:
        text = _("{found} in {area:.2f} mm² of tissue").format(found=text, area=area)
    return Notice(f"{text}.", "info", (_("Export…"), "file.export") if n else None)


def _mapped(result: Mapping[str, Any]) -> Notice:
    area_mm2 = float(result.get("area_mm2", 0))
    text = _("{area:.2f} mm² of tissue mapped.").format(area=area_mm2)
    return Notice(text, "info", (_("Export…"), "file.export") if area_mm2 > 0 else None)


def _synthesised(result: Mapping[str, Any]) -> Notice:
    area, pathology = float(result["area_mm2"]), float(result["pathology_mm2"])
    text = _("{n:.2f} of {area:.2f} mm² taken for pathology.").format(n=pathology, area=area)
    return Notice(text, "info", (_("Compare by curtain"), "compare.healthy") if area > 0 else None)


def _predicted(result: Mapping[str, Any]) -> Notice:
    """Return the notice of what a slide was predicted to be; without tissue, of why it was not."""
    if result["predicted"] is None:
        return Notice(str(result["why_not"]), "warning")
    name, n = str(result["predicted"]), int(result["n_tiles"])
    text = ngettext(
        "{name}: probability {share:.1%}, from {n:,} tile.",
        "{name}: probability {share:.1%}, from {n:,} tiles.",
        n,
    ).format(name=name, share=float(result["probabilities"][name]), n=n)
    return Notice(text, "info", (_("Export…"), "file.export"))


def _found_cases(result: Mapping[str, Any]) -> Notice:
    return Notice(_("Similar cases. {count}").format(count=result["words"]["count"]))


_BY_KIND: Mapping[str, Callable[[Mapping[str, Any]], Notice]] = {
    "pixel": _mapped,
    "bag": _predicted,
    "synthesis": _synthesised,
    "cases": _found_cases,
}
"""By what a job gives, if that is no objects."""


def _imported(result: Mapping[str, Any]) -> Notice:
    n = sum(int(result.get(f"n_{kind}", 0)) for kind in ("objects", "features", "annotations"))
    text = ngettext("{n:,} object imported.", "{n:,} objects imported.", n).format(n=n)
    return _with_remarks(text, result)


def _with_remarks(text: str, result: Mapping[str, Any]) -> Notice:
    warnings = [str(warning) for warning in result.get("warnings", ())]
    if warnings:
        text += " " + ngettext("{n} remark.", "{n} remarks.", len(warnings)).format(n=len(warnings))
    return Notice(text, "warning" if warnings else "info", details="\n".join(warnings))

"""Score a method against images whose nuclei are known. The result is what others compare.

A picture is opened, analyzed and outlined as any slide would be; its outlines are filled at full
resolution and compared with the known nuclei there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pathoview.annotations.detections import Detections
from pathoview.core.errors import UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.label_files import is_points, pairs, read_label_image, read_points
from pathoview.evaluation import instances
from pathoview.evaluation.filling import filled
from pathoview.slides.opening import open_slide, with_scale
from pathoview.tasks.detect import detect
from pathoview.tasks.method_building import build_method

METRICS = ("aji", "aji_plus", "pq", "dice_object", "f1_pixel", "iou_pixel", "f1_detection")
MATCH_UM = 3.0
"""Centroids no further apart than this, in µm, are the same nucleus to ``f1_detection``."""

Scores = dict[str, float | None]


class EvaluateRequest(BaseModel):
    """What to score, and against what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: str
    """Folder of ``x.png``, ``x.jpg`` or ``x.tif``."""
    labels: str
    """Folder of ``x.png`` or ``x.tif`` (instance ids) or ``x.csv`` (``x,y[,class]``)."""
    mpp: float
    method: str | None = None
    params: dict[str, Any] = {}
    model: str | None = None
    numerics: str = "float32"
    """The numeric path on which a model predicts."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the scores, means over images and one by one; see `EvaluateRequest`.

    A metric is None where no image has it: points tell nothing about areas. Raises `UsageError`
    for a wrong method or parameter, `InputError` when nothing can be compared.
    """
    order = EvaluateRequest.model_validate(request)
    if not (math.isfinite(order.mpp) and order.mpp > 0):
        raise UsageError(_("The µm per pixel must be above zero."))
    built = build_method(order.method, order.params, order.model, order.numerics)
    found_pairs = pairs(Path(order.images), Path(order.labels))
    per_image: dict[str, Scores] = {}
    for number, (image, labels) in enumerate(found_pairs):
        progress.check()
        progress.report(number / len(found_pairs), image.name)
        with with_scale(open_slide(image), order.mpp) as slide:
            found = detect(slide, built, progress.check)
            size = slide.info.width, slide.info.height
        per_image[image.stem] = _scores(found, labels, size, order.mpp)
    progress.report(1.0)
    means = {metric: _mean([scores[metric] for scores in per_image.values()]) for metric in METRICS}
    return {**means, "n": len(per_image), "per_image": per_image}


def _scores(found: Detections, labels: Path, size: tuple[int, int], mpp: float) -> Scores:
    if is_points(labels):
        scores: Scores = dict.fromkeys(METRICS)
        known = read_points(labels).xy_l0
    else:
        truth = read_label_image(labels, size)
        scores = _area_scores(truth, filled(found, *size))
        known = instances.centroids(truth)
    scores["f1_detection"] = instances.detection_f1(known, found.centroids_l0(), MATCH_UM / mpp)
    return scores


def _area_scores(truth: instances.Labels, predicted: instances.Labels) -> Scores:
    table = instances.overlaps(truth, predicted)
    pixels = instances.pixel_scores(truth, predicted)
    return {
        "aji": instances.aji(table),
        "aji_plus": instances.aji_plus(table),
        "pq": instances.panoptic_quality(table),
        "dice_object": instances.dice_object(table),
        "f1_pixel": pixels.f1,
        "iou_pixel": pixels.iou,
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None

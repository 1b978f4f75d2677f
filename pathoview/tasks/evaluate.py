"""Score a method against images whose nuclei are known. The result is what others compare.

A picture is opened, analyzed and outlined as any slide would be; its outlines are filled at full
resolution and compared with the known nuclei there.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from pydantic import BaseModel, ConfigDict

from pathoview.annotations.detections import Detections
from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.evaluation import instances
from pathoview.evaluation.filling import filled
from pathoview.slides.opening import open_slide, with_scale
from pathoview.tasks.detect import detect
from pathoview.tasks.method_building import build_method

METRICS = ("aji", "aji_plus", "pq", "dice_object", "f1_pixel", "iou_pixel", "f1_detection")
MATCH_UM = 3.0
"""Centroids no further apart than this, in µm, are the same nucleus to ``f1_detection``."""

_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_LABELS = (".png", ".tif", ".tiff", ".csv")

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


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the scores, means over images and one by one; see `EvaluateRequest`.

    A metric is None where no image has it: points tell nothing about areas. Raises `UsageError`
    for a wrong method or parameter, `InputError` when nothing can be compared.
    """
    order = EvaluateRequest.model_validate(request)
    if not (math.isfinite(order.mpp) and order.mpp > 0):
        raise UsageError(_("The µm per pixel must be above zero."))
    built = build_method(order.method, order.params, order.model)
    pairs = _pairs(Path(order.images), Path(order.labels))
    per_image: dict[str, Scores] = {}
    for number, (image, labels) in enumerate(pairs):
        progress.check()
        progress.report(number / len(pairs), image.name)
        with with_scale(open_slide(image), order.mpp) as slide:
            found = detect(slide, built, progress.check)
            size = slide.info.width, slide.info.height
        per_image[image.stem] = _scores(found, labels, size, order.mpp)
    progress.report(1.0)
    means = {metric: _mean([scores[metric] for scores in per_image.values()]) for metric in METRICS}
    return {**means, "n": len(per_image), "per_image": per_image}


def _pairs(images: Path, labels: Path) -> list[tuple[Path, Path]]:
    """Return each image with its labels, by name; raise `InputError` when there is no pair."""
    known = {
        path.stem: path
        for suffix in reversed(_LABELS)  # an image of labels says more than points
        for path in _files(labels)
        if path.suffix.lower() == suffix
    }
    pictures = {path.stem: path for path in _files(images) if path.suffix.lower() in _IMAGES}
    pairs = [(path, known[stem]) for stem, path in sorted(pictures.items()) if stem in known]
    if not pairs:
        raise InputError(
            _("No image in “{images}” has labels of the same name in “{labels}”.").format(
                images=images.name, labels=labels.name
            ),
            _("Name them x.png (or .jpg, .tif) and x.png (or .tif, .csv)."),
        )
    return pairs


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise InputError(
            _("The folder “{name}” cannot be read: {why}.").format(
                name=folder.name, why=error.strerror
            )
        ) from error


def _scores(found: Detections, labels: Path, size: tuple[int, int], mpp: float) -> Scores:
    if labels.suffix.lower() == ".csv":
        scores: Scores = dict.fromkeys(METRICS)
        known = _read_points(labels)
    else:
        truth = _read_labels(labels, size)
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


def _read_labels(path: Path, size: tuple[int, int]) -> instances.Labels:
    """Return a picture of instance ids; raise `InputError` when it is none of that size."""
    try:
        is_tiff = path.suffix.lower() != ".png"
        pixels = tifffile.imread(path) if is_tiff else cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise _unreadable(path) from error
    if pixels is None:
        raise _unreadable(path)
    labels = np.asarray(pixels)
    if labels.ndim != 2 or labels.dtype.kind not in "uib":
        raise InputError(
            _("The labels “{name}” are no picture of instance ids.").format(name=path.name),
            _("One channel of whole numbers is needed: 0 background, k the k-th nucleus."),
        )
    if labels.shape != size[::-1]:
        raise InputError(
            _("The labels “{name}” are {a} × {b} px, their image is {c} × {d} px.").format(
                name=path.name, a=labels.shape[1], b=labels.shape[0], c=size[0], d=size[1]
            )
        )
    return labels


def _unreadable(path: Path) -> InputError:
    return InputError(_("The labels “{name}” cannot be read.").format(name=path.name))


def _read_points(path: Path) -> npt.NDArray[np.float64]:
    """Return the points of a table ``x,y[,class]`` with a header, (n, 2) level-0 px."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    except OSError as error:
        raise _unreadable(path) from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            _("“{name}” is no table of points.").format(name=path.name),
            _("Its first line is “x,y” or “x,y,class”, then one nucleus a line."),
        ) from error
    return np.array(rows, np.float64).reshape(-1, 2)

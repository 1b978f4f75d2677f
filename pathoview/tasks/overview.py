"""A small picture of a slide, with or without the result of a run drawn on it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.files import replacing
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.attention_source import attention_layer
from pathoview.layers.compose import compose
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.layer import Layer
from pathoview.layers.prediction_source import class_layer
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.synthesis_source import SynthesisName, synthesis_layer
from pathoview.slides.slide import Slide
from pathoview.study.results import RunFile


def thumbnail_picture(slide: Slide, longest_px: int) -> npt.NDArray[np.uint8]:
    """Return the whole slide, (height, width, 4) uint8 RGBA, its longer side ``longest_px``.

    A slide smaller than that keeps its own size.
    """
    return _composed(slide, [Layer(_("Slide"), SlideSource(slide))], longest_px)


def overview_picture(slide: Slide, run: RunFile, longest_px: int) -> npt.NDArray[np.uint8]:
    """Return the part of the slide that a run covers, with what it has found drawn on it.

    Shape (height, width, 4) uint8 RGBA; the longer side is at most ``longest_px``.
    """
    layers = [Layer(_("Slide"), SlideSource(slide)), run_layer(slide, run)]
    region = run.record.region_l0
    return _composed(slide, layers, longest_px, Rect(*region) if region else None)


def run_layer(slide: Slide, run: RunFile, shown: SynthesisName = "pathology") -> Layer:
    """Return what a finished run has found, for pictures made without a window.

    ``shown``: what of a run that shows tissue as if it were healthy.
    """
    if run.record.gives == "synthesis":
        return synthesis_layer(run, slide.info.width, slide.info.height, shown)
    if run.record.gives == "pixel":
        return class_layer(run, slide.info.width, slide.info.height)
    if run.record.gives == "bag":
        return attention_layer(run, slide.info.width, slide.info.height)
    detections = DetectionSource(slide.info.width, slide.info.height)
    for table in run.tiles():
        detections.append(table)
    return Layer(_("Nuclei"), detections)


def _composed(
    slide: Slide, layers: list[Layer], longest_px: int, region_l0: Rect | None = None
) -> npt.NDArray[np.uint8]:
    whole = Rect(0, 0, slide.info.width, slide.info.height)
    part = whole if region_l0 is None else region_l0.intersection(whole)
    factor = min(1.0, longest_px / max(part.width, part.height))
    size = max(1, round(part.width * factor)), max(1, round(part.height * factor))
    return compose(layers, part, *size)


def write_png(path: Path, rgba: npt.NDArray[np.uint8]) -> None:
    """Write a picture at once or not at all; raise `StorageError` when it cannot be."""
    _ok, data = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    with replacing(path) as file:
        file.write(data.tobytes())

"""The detected objects that examples are of: those of a slide's run, or found around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from pathoview.annotations.detections import Detections, concatenate
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.labels import LabelledImage, TrainingData
from pathoview.methods.object_features import REACH_UM
from pathoview.slides.slide import Slide
from pathoview.study.results import RunFile, find_runs
from pathoview.tasks.detect import detect
from pathoview.tasks.method_building import build_method

NEWEST = "newest"
_OBJECT_UM = 25.0
"""How far the middle of an object may be from an example that lies in it."""


def object_run(slide: Slide, wanted: str = NEWEST) -> Path | None:
    """Return the finished run of a slide whose objects are meant; None: there is none.

    ``wanted``: ``newest``, or the beginning of a run's id. Raises `UsageError` when there is no
    run of that id, or when it has no detections.
    """
    beginning = "" if wanted == NEWEST else wanted.replace("-", "").casefold()
    named = [one for one in find_runs(slide.content_hash) if one[1].id.startswith(beginning)]
    for path, record in named:
        if record.state == "done" and record.has_objects and record.n_objects:
            return path
    if beginning:
        raise UsageError(
            _("The slide has no finished run “{id}” with objects.").format(id=wanted),
            _("Say newest, or the id of a run that found nuclei."),
        )
    return None


def with_objects(data: TrainingData, progress: Progress) -> TrainingData:
    """Return the data with what is detected around the examples of each image."""
    images = []
    for number, image in enumerate(data.images):
        progress.report(number / len(data.images), _("Looking for the nuclei of examples"))
        images.append(replace(image, objects=_objects_of(image, progress.check)))
    return replace(data, images=images)


def _objects_of(image: LabelledImage, check: Callable[[], None]) -> Detections:
    """Return the objects near examples: of the newest run, else found by the default method."""
    slide = image.slide
    near = _Near(image.labels.examples().xy_l0, (_OBJECT_UM + REACH_UM) / slide.mpp)
    path = object_run(slide)
    if path is None:
        return near.of(detect(slide, build_method(None, {}), check, near.touches))
    tables = []
    with RunFile.open(path) as run:
        for table in run.tiles():
            check()
            tables.append(near.of(table))
    return concatenate(tables)


class _Near:
    """What lies within a distance of places."""

    def __init__(self, xy_l0: npt.NDArray[np.float64], radius_l0: float) -> None:
        self._xy_l0, self._radius_l0 = xy_l0, radius_l0
        self._tree = cKDTree(xy_l0.reshape(-1, 2))

    def of(self, table: Detections) -> Detections:
        """Return the objects whose middles are near."""
        if not self._tree.n or not len(table):
            return table.take(np.zeros(len(table), np.bool_))
        distances, _nearest = self._tree.query(
            table.centroids_l0(), distance_upper_bound=self._radius_l0
        )
        return table.take(np.isfinite(distances))

    def touches(self, rect_l0: Rect) -> bool:
        """Say whether anything in a rectangle may be near."""
        x, y = self._xy_l0.T
        around = rect_l0.expanded(self._radius_l0)
        is_in = (x >= around.x) & (x < around.right) & (y >= around.y) & (y < around.bottom)
        return bool(is_in.any())

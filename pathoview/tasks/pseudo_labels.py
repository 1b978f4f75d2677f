"""What a method makes of coarse labels before it learns, for a part of a slide, to be looked at."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.datasets.labels import UNKNOWN
from pathoview.methods.spec import MethodSpec
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.tasks.live_preview import previews_folder, remove_forgotten, seen
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.study_labels import LabelWatch, SlideLabels
from pathoview.tasks.train import fit_params_of, trainable

_MOST_MP = 2.0
"""Of the method's: no more than that is computed, the middle of what is asked for."""


class PseudoLabelsRequest(BaseModel):
    """What to show of which slide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    params: dict[str, Any] = {}
    """Of the training."""
    slide: str
    study: str = ""
    """Empty: the slide's private one."""
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the file."""
    region_l0: tuple[int, int, int, int]
    """x, y, width, height."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Compute a mask; see `PseudoLabelsRequest`.

    Returns ``file``, (height, width) uint8 as .npy, which the caller removes; ``corner_l0`` and
    ``scale_l0``, where it lies; and ``classes``: value, name and colour of each. `UNKNOWN` in the
    mask is what nothing is learned from. Without labels there is no file.

    Raises `UsageError` for methods that make nothing of labels, `SlideError`, `StorageError`,
    `Cancelled`.
    """
    order = PseudoLabelsRequest.model_validate(request)
    spec = trainable(order.method)
    if not spec.pseudo_labels_entry:
        raise UsageError(_("“{title}” learns from the labels themselves.").format(title=spec.title))
    remove_forgotten()
    with open_scaled(Path(order.slide), order.mpp) as slide:
        with LabelWatch(order.study, slide) as watch:
            said = watch.look()
        grid = analysis_grid(slide, spec.mpp)
        wanted = seen(Rect(*order.region_l0), slide, grid.scale_l0, _MOST_MP)
        if said is None or wanted.is_empty:
            return {}
        progress.check()
        whole = Rect(0, 0, grid.width, grid.height)
        core = wanted.scaled(1 / grid.scale_l0).outward().intersection(whole)
        around = core.expanded(round(spec.halo_um / grid.mpp)).intersection(whole)
        patch = read_patch(slide, grid, *around.as_ints())
        params = fit_params_of(spec).parse(order.params)
        points = _points_in(said, around, grid)
        size = patch.shape[1], patch.shape[0]
        is_none = said.labels.no_nuclei(around.scaled(grid.scale_l0), *size)
        mask = load_entry(spec.pseudo_labels_entry)(patch, points, grid.mpp, params, is_none)
    x, y, width, height = core.moved(-around.x, -around.y).as_ints()
    path = previews_folder() / f"{uuid.uuid4().hex}.npy"
    np.save(path, np.ascontiguousarray(mask[y : y + height, x : x + width], np.uint8))
    corner = core.scaled(grid.scale_l0)
    return {
        "file": str(path),
        "corner_l0": [corner.x, corner.y],
        "scale_l0": grid.scale_l0,
        "classes": _classes(said, spec),
        "nothing": UNKNOWN,
    }


def _points_in(said: SlideLabels, around: Rect, grid: AnalysisGrid) -> Any:
    """Return the points of a patch, (n, 2) x, y px of it."""
    xy = said.labels.points().xy_l0 / grid.scale_l0
    x, y = xy.T
    is_in = (x >= around.x) & (x < around.right) & (y >= around.y) & (y < around.bottom)
    return xy[is_in] - (around.x, around.y)


def _classes(said: SlideLabels, spec: MethodSpec) -> list[tuple[int, str, tuple[int, int, int]]]:
    """Return what the values stand for: where nuclei are pointed at, 1 is all of them."""
    background = (0, _("Background"), (110, 110, 110))
    if spec.target == "points":
        return [background, (1, _("Nucleus"), (60, 60, 200))]
    return [background, *((n, one.name, one.color) for n, one in enumerate(said.classes, 1))]

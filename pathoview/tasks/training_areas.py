"""Where a model does worst on what it was taught: labelled places, ranked by loss.

A place that stays hard is a hard place, or a wrong label; either is worth a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.datasets.labels import UNKNOWN, LabelledImage, Mask, TrainingData
from pathoview.methods.model import TrainingArea
from pathoview.methods.spec import Kind
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.tasks.method_building import BuiltMethod

_SIDE_PX = 192
"""Of a place, px of the method's grid."""
_MOST_PLACES = 60
_MOST_KEPT = 20
_LEAST_LIKELIHOOD = 1e-6
_HIT_PX = 2
"""How far beside an object a point may lie that means it."""

Patch = npt.NDArray[np.uint8]


def hardest_areas(
    built: BuiltMethod, data: TrainingData, seed: int, check: Callable[[], None]
) -> tuple[TrainingArea, ...]:
    """Return the labelled places on which a model that was just taught does worst, worst first.

    The loss is the mean −log likelihood of what is known of the pixels (kind *pixel*), of whether
    they are pathology (kind *synthesis*), or the share of known nuclei that are missed (kind
    *instance*). Objects have no places: nothing.
    """
    if built.spec.kind is Kind.OBJECT:
        return ()
    images = [image for image in data.images if image.split == "train"]
    areas: list[TrainingArea] = []
    for image in images:
        grid = analysis_grid(image.slide, built.mpp)
        context = built.method.prepare(image.slide, grid.mpp)
        for place in _places(image, grid, seed, max(1, _MOST_PLACES // len(images))):
            check()
            patch, inner = _read(image, grid, place, built.spec.halo_um)
            found = built.method.predict(patch, grid.mpp, context)
            rect_l0 = place.scaled(grid.scale_l0)
            mask = image.labels.mask(rect_l0, *_size(place))
            if built.spec.kind is Kind.PIXEL:
                loss = _surprise(found[inner], mask, _values(built, found.shape[-1]))
            elif built.spec.kind is Kind.SYNTHESIS:
                sick = found.pathology[inner]
                is_sick = np.where(mask == UNKNOWN, UNKNOWN, np.minimum(mask, 1))
                loss = _surprise(np.stack([1 - sick, sick], axis=-1), is_sick, (0, 1))
            else:
                loss = _missed(found.labels[inner], image, rect_l0, grid.scale_l0)
            if loss is not None:
                areas.append(
                    TrainingArea(
                        slide_hash=image.slide.content_hash,
                        name=image.name,
                        rect_l0=rect_l0.as_ints(),
                        loss=loss,
                    )
                )
    return tuple(sorted(areas, key=lambda area: -area.loss)[:_MOST_KEPT])


def _places(image: LabelledImage, grid: AnalysisGrid, seed: int, most: int) -> list[Rect]:
    """Return squares of the grid that hold labels, by lot where there are many."""
    whole = Rect(0, 0, grid.width, grid.height)
    squares: dict[tuple[int, int], Rect] = {}
    for left, top, right, bottom in (image.labels.extents_l0() / grid.scale_l0).tolist():
        for row in range(int(top) // _SIDE_PX, int(bottom) // _SIDE_PX + 1):
            for column in range(int(left) // _SIDE_PX, int(right) // _SIDE_PX + 1):
                square = Rect(column * _SIDE_PX, row * _SIDE_PX, _SIDE_PX, _SIDE_PX)
                inside = square.intersection(whole)
                if not inside.is_empty:
                    squares[row, column] = inside
    ordered = [squares[place] for place in sorted(squares)]
    if len(ordered) > most:
        lot = np.random.default_rng(seed).permutation(len(ordered))[:most]
        ordered = [ordered[number] for number in sorted(lot.tolist())]
    return ordered


def _read(
    image: LabelledImage, grid: AnalysisGrid, place: Rect, halo_um: float
) -> tuple[Patch, tuple[slice, slice]]:
    """Return a place with its halo, and which part of the patch is the place."""
    whole = Rect(0, 0, grid.width, grid.height)
    seen = place.expanded(int(np.ceil(halo_um / grid.mpp))).intersection(whole)
    patch = read_patch(image.slide, grid, *seen.as_ints())
    x, y, width, height = place.moved(-seen.x, -seen.y).as_ints()
    return patch, (slice(y, y + height), slice(x, x + width))


def _size(place: Rect) -> tuple[int, int]:
    _x, _y, width, height = place.as_ints()
    return width, height


def _values(built: BuiltMethod, n_classes: int) -> Sequence[int]:
    """Return the values of masks that the method's probabilities are of, in their order."""
    settings = built.card.settings if built.card else {}
    values: Sequence[int] = settings.get("values", range(1, n_classes + 1))
    return values


def _surprise(
    probabilities: npt.NDArray[np.float32], mask: Mask, values: Sequence[int]
) -> float | None:
    """Return the mean −log likelihood of the known pixels; None: nothing is known."""
    column = np.full(UNKNOWN + 1, -1)
    column[list(values)] = np.arange(len(values))
    chosen = column[mask]
    known = chosen >= 0
    if not known.any():
        return None
    likely = probabilities[known, chosen[known]]
    return float(-np.log(np.maximum(likely, _LEAST_LIKELIHOOD)).mean())


def _missed(
    labels: npt.NDArray[np.int32], image: LabelledImage, rect_l0: Rect, scale_l0: float
) -> float | None:
    """Return the share of the nuclei pointed at that no object covers; None: there are none."""
    xy_l0 = image.labels.points().xy_l0
    local = (xy_l0 - (rect_l0.x, rect_l0.y)) / scale_l0
    height, width = labels.shape
    inside = (local >= 0).all(axis=1) & (local[:, 0] < width) & (local[:, 1] < height)
    if not inside.any():
        return None
    hits = [labels[rows, columns].any() for rows, columns in _around(local[inside])]
    return float(1 - np.mean(hits))


def _around(xy: npt.NDArray[np.float64]) -> Iterator[tuple[slice, slice]]:
    for x, y in xy.astype(np.int64).tolist():
        yield (
            slice(max(0, y - _HIT_PX), y + _HIT_PX + 1),
            slice(max(0, x - _HIT_PX), x + _HIT_PX + 1),
        )

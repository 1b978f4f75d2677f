"""What `point_nuclei` learns from: pieces of slides with points in them, and their pseudo labels.

Slides are looked at in blocks; those with points are read once, and kept in memory.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.anchors import spread
from pathoview.datasets.labels import BACKGROUND, InstancePatch, LabelledImage, Mask, TrainingData
from pathoview.methods.weak.point_nuclei_labels import (
    Cellmap,
    Flags,
    Points,
    cellmap,
    pseudo_masks,
    surroundings,
)
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch

Rgb = npt.NDArray[np.uint8]

BLOCK_PX = 1024
LEAST_POINTS = 5
APART_UM = 4.0
"""How far away from what is held back is what is learned from."""
_MOST_FIELDS = 48
_LEAST_PLACES = 20
"""Places without nuclei that are looked at in an image; of more, as many as it has points."""
_MOST_COMPARED_PX = 640
"""Side of what is measured of a field: enough to tell, and quick."""
_MARGIN_UM = 8.0
"""How far beyond its block a field is read: the nuclei at its edge need their surroundings."""


@dataclass(frozen=True, slots=True)
class Field:
    """A piece of a picture with points; all arrays are (height, width) over the same px."""

    name: str
    rgb: Rgb
    points: Points
    """(n, 2) x, y px of the field; those that are learned from."""
    is_complete: Flags
    """Where every nucleus has a point."""
    is_allowed: Flags
    """What may be learned from: what is not held back."""
    is_none: Flags
    """Where somebody said that there is no nucleus."""
    places: Points
    """(n, 2) x, y px of the field: there, and not held back."""
    mpp: float
    rect_l0: Rect

    @property
    def anchors(self) -> Points:
        """What patches are laid around: points on nuclei, and places where there are none."""
        return np.concatenate([self.points, self.places])


@dataclass(frozen=True, slots=True)
class LabelledField:
    """A field with its cells and its two masks."""

    field: Field
    cells: Cellmap
    voronoi: Mask
    clusters: Mask

    @property
    def is_none(self) -> Flags:
        """Where there is no nucleus for certain, (height, width)."""
        return np.asarray(self.field.is_none & (self.clusters == BACKGROUND))


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A piece of a picture with points that nothing is learned from."""

    rgb: Rgb
    points: Points
    counts: Flags
    """Where found nuclei are compared with points: where all have one; else all around points."""
    is_complete: bool
    """Whether every nucleus there has a point."""
    mpp: float
    outlined: InstancePatch
    """Outlined nuclei, if the labels have any: to tell beside how well areas agree."""


def training_fields(data: TrainingData, mpp: float, progress: Progress) -> list[Field]:
    """Return the fields of the images to train on, those with most points first.

    Raises `UsageError` when there are too few points.
    """
    fields: list[Field] = []
    for image in data.of("train"):
        progress.check()
        rects = data.held_back_l0.get(image.name, ())
        fields += _fields(image, mpp, [one.expanded(APART_UM / image.slide.mpp) for one in rects])
    n_points = sum(len(field.points) for field in fields)
    if n_points < LEAST_POINTS:
        raise UsageError(
            _("There are {n} points on nuclei to learn from.").format(n=n_points),
            _("Point at {least} nuclei at least, better at 50.").format(least=LEAST_POINTS),
        )
    return sorted(fields, key=lambda field: -len(field.points))[:_MOST_FIELDS]


def labelled(
    fields: Sequence[Field], params: PointNucleiFitParams, progress: Progress
) -> list[LabelledField]:
    """Return fields with their pseudo labels."""
    done = []
    for number, field in enumerate(fields):
        progress.check()
        progress.report(0.05 * number / len(fields), _("Making masks of points"))
        height, width = field.rgb.shape[:2]
        cells = cellmap(field.points, height, width, field.mpp)
        masks = pseudo_masks(
            *(field.rgb, field.points, field.is_complete, field.mpp, params),
            *(field.is_allowed, field.is_none, cells),
        )
        done.append(LabelledField(field, cells, *masks))
    return done


def held_back(data: TrainingData, mpp: float, square_um: float) -> list[HeldBack]:
    """Return what is compared with: images of the validation, and blocks that are held back."""
    found: list[HeldBack] = []
    for image in data.images:
        whole = Rect(0, 0, image.slide.info.width, image.slide.info.height)
        kept = {"val": (whole,), "train": data.held_back_l0.get(image.name, ()), "test": ()}
        for rect in kept[image.split]:
            found += _compared(image, mpp, square_um, rect)
    return found


def fingerprint(fields: Sequence[Field], parts: Sequence[object]) -> str:
    """Return a text that is equal for the same pixels, points and settings."""
    digest = hashlib.sha256(repr(parts).encode())
    for field in fields:
        for array in (field.rgb, field.points, field.is_complete, field.is_allowed):
            digest.update(np.ascontiguousarray(array).tobytes())
        if field.is_none.any():
            digest.update(field.is_none.tobytes() + field.places.tobytes())
    return digest.hexdigest()


def _compared(
    image: LabelledImage, mpp: float, square_um: float, within_l0: Rect
) -> Iterator[HeldBack]:
    for field in _fields(image, mpp, (), within_l0):
        height, width = field.is_allowed.shape
        complete = field.is_complete & field.is_allowed
        near = surroundings(field.points, height, width, square_um / field.mpp)
        said = complete if complete.any() else near & field.is_allowed
        if not said.any():
            continue
        middle = _middle(said)
        counts = np.zeros_like(said)
        counts[middle] = said[middle]
        margin = math.ceil(_MARGIN_UM / field.mpp)
        part = tuple(slice(max(0, one.start - margin), one.stop + margin) for one in middle)
        columns, rows = field.points.astype(np.int64).T
        points = field.points[counts[rows, columns]] - (part[1].start, part[0].start)
        outlined = image.labels.instances(field.rect_l0, width, height)
        yield HeldBack(
            *(field.rgb[part], points, counts[part], bool(complete.any()), field.mpp),
            InstancePatch(outlined.labels[part], (outlined.is_known & counts)[part]),
        )


def _middle(flags: Flags) -> tuple[slice, slice]:
    """Return rows and columns of what is flagged; of a large part, its middle."""
    rows, columns = (_middle_of(np.flatnonzero(flags.any(axis=axis))) for axis in (1, 0))
    return rows, columns


def _middle_of(places: npt.NDArray[np.int64]) -> slice:
    start, stop = int(places[0]), int(places[-1]) + 1
    start += max(0, (stop - start - _MOST_COMPARED_PX) // 2)
    return slice(start, min(stop, start + _MOST_COMPARED_PX))


def _fields(
    image: LabelledImage,
    mpp: float,
    held_back_l0: Sequence[Rect],
    within_l0: Rect | None = None,
) -> list[Field]:
    grid = analysis_grid(image.slide, mpp)
    whole = Rect(0, 0, grid.width, grid.height)
    within = whole if within_l0 is None else within_l0.scaled(1 / grid.scale_l0)

    def kept(xy_l0: Points) -> Points:
        xy = xy_l0 / grid.scale_l0
        is_in = _inside(xy, whole) & _inside(xy, within)
        for rect in held_back_l0:
            is_in &= ~_inside(xy, rect.scaled(1 / grid.scale_l0))
        return xy[is_in]

    points = kept(image.labels.points().xy_l0)
    # What is compared with are points alone: blocks without any tell nothing.
    places = kept(image.labels.no_nuclei_at()) if within_l0 is None else np.empty((0, 2))
    most = min(len(places), max(len(points), _LEAST_PLACES))
    places = places[spread(len(places), most)]
    anchors = np.concatenate([points, places])
    blocks = np.unique(np.floor(anchors / BLOCK_PX).astype(np.int64), axis=0)
    return [
        _field(image, grid, (points, places), block, held_back_l0, within_l0)
        for block in blocks.tolist()
    ]


def _field(
    image: LabelledImage,
    grid: AnalysisGrid,
    said: tuple[Points, Points],
    block: Sequence[int],
    held_back_l0: Sequence[Rect],
    within_l0: Rect | None,
) -> Field:
    margin = math.ceil(_MARGIN_UM / grid.mpp)
    left, top = (max(0, number * BLOCK_PX - margin) for number in block)
    right = min(grid.width, (block[0] + 1) * BLOCK_PX + margin)
    bottom = min(grid.height, (block[1] + 1) * BLOCK_PX + margin)
    frame = Rect.from_corners(left, top, right, bottom)
    shape = bottom - top, right - left
    is_complete = np.zeros(shape, np.bool_)
    for box in image.labels.full_l0() / grid.scale_l0:
        is_complete[_slices(Rect.from_corners(*box.tolist()), frame)] = True
    is_allowed = np.full(shape, within_l0 is None, np.bool_)
    if within_l0 is not None:
        is_allowed[_slices(within_l0.scaled(1 / grid.scale_l0), frame)] = True
    for rect in held_back_l0:
        is_allowed[_slices(rect.scaled(1 / grid.scale_l0), frame)] = False
    rgb = read_patch(image.slide, grid, left, top, right - left, bottom - top)
    points, places = (one[_inside(one, frame)] - (left, top) for one in said)
    rect_l0 = frame.scaled(grid.scale_l0)
    is_none = image.labels.no_nuclei(rect_l0, shape[1], shape[0])
    return Field(
        *(image.name, rgb, points, is_complete, is_allowed, is_none, places),
        *(grid.mpp, rect_l0),
    )


def _inside(points: Points, rect: Rect) -> npt.NDArray[np.bool_]:
    low, high = (rect.x, rect.y), (rect.right, rect.bottom)
    return np.asarray(((points >= low) & (points < high)).all(axis=1))


def _slices(rect: Rect, frame: Rect) -> tuple[slice, slice]:
    """Return the rows and columns of a frame that lie in a rectangle, both in px of the grid."""
    rows = slice(max(0, round(rect.y - frame.y)), max(0, round(rect.bottom - frame.y)))
    columns = slice(max(0, round(rect.x - frame.x)), max(0, round(rect.right - frame.x)))
    return rows, columns

"""A piece of the slide in RGB that knows where it lies, and masks of it as shapes on the slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.shape_sources import mask_outline

Rgb = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]
Points = npt.NDArray[np.float64]
_NOTHING = -1
Shape: TypeAlias = shapely.Polygon | shapely.MultiPolygon


@dataclass(frozen=True, eq=False)
class Patch:
    """Pixels (height, width, 3); patch coordinates start at the top-left pixel's top-left corner.

    Raises ValueError when the pixels are no 8-bit RGB, there are none, or the downsample is not
    positive.
    """

    rgb: Rgb
    origin_l0: tuple[float, float]
    """Level-0 x, y of the top-left corner."""
    downsample: float
    """Level-0 px a px of the patch."""

    def __post_init__(self) -> None:
        is_rgb = self.rgb.ndim == 3 and self.rgb.shape[2] == 3 and self.rgb.size > 0
        if self.rgb.dtype != np.uint8 or not is_rgb:
            raise ValueError(f"no 8-bit RGB: {self.rgb.dtype} {self.rgb.shape}")
        if not self.downsample > 0:
            raise ValueError(f"downsample {self.downsample}")

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.rgb.shape[1])

    def to_l0(self, points: npt.ArrayLike) -> Points:
        """Return (n, 2) x, y of the patch in level-0 px."""
        scaled = np.asarray(points, np.float64) * self.downsample
        return np.asarray(scaled + np.array(self.origin_l0))

    def to_patch(self, points_l0: npt.ArrayLike) -> Points:
        """Return (n, 2) x, y of level 0 in px of the patch."""
        moved = np.asarray(points_l0, np.float64) - np.array(self.origin_l0)
        return np.asarray(moved / self.downsample)

    def pixel_at(self, x_l0: float, y_l0: float) -> tuple[int, int] | None:
        """Return the column and row of the pixel there; None beside the patch."""
        col, row = np.floor(self.to_patch((x_l0, y_l0))).astype(np.int64).tolist()
        return (col, row) if 0 <= col < self.width and 0 <= row < self.height else None

    def nearest_pixel(self, x_l0: float, y_l0: float) -> tuple[int, int]:
        """Return the column and row of the pixel there or, beside the patch, at its rim."""
        place = np.floor(self.to_patch((x_l0, y_l0)))
        col, row = np.clip(place, 0, (self.width - 1, self.height - 1)).astype(np.int64).tolist()
        return col, row

    def outline(self, mask: Mask, offset: tuple[int, int] = (0, 0)) -> Shape | None:
        """Return the shape of a mask in level-0 px, its edges the edges of the pixels.

        ``offset`` is the column and row of the mask's first pixel. None when nothing is set.
        """
        shape = mask_outline(mask)
        if shape is None:
            return None
        return self.shape_to_l0(shapely.transform(shape, lambda points: points + np.array(offset)))

    def shape_to_l0(self, shape: Shape) -> Shape:
        """Return a shape in px of the patch in level-0 px."""
        moved: Shape = shapely.transform(shape, self.to_l0)
        return moved


def faces_of(labels: Labels) -> tuple[list[shapely.Polygon], list[int]]:
    """Return the pieces of equal pixels, four neighbours a pixel, and their labels; -1 is nothing.

    The pieces are in px from the corner. Neighbours share the corners of their borders. They are
    found label by label: one call for all would hold Python's lock, and with it the window.
    """
    padded = np.pad(labels, 1, constant_values=_NOTHING)
    across, down = _sides(padded), _sides(padded.T)
    ends = np.concatenate([across.ends, down.ends[..., ::-1]]) - 1
    lines = shapely.linestrings(ends.astype(np.float64))
    owners = np.concatenate([across.above, down.above, across.below, down.below])
    order = np.argsort(owners, kind="stable")
    starts = np.nonzero(np.diff(owners[order], prepend=_NOTHING))[0]
    faces: list[shapely.Polygon] = []
    found: list[int] = []
    for side_numbers, label in zip(
        np.split(order % len(lines), starts)[1:], owners[order][starts].tolist(), strict=True
    ):
        around = shapely.get_parts(shapely.polygonize(lines[side_numbers]))
        own = [face for face in around if _label_of(labels, face) == label]
        faces += own
        found += [label] * len(own)
    return faces, found


class _Sides(NamedTuple):
    """Borders between pixels: (n, 2 ends, x and y), and the labels on both sides of each, (n,)."""

    ends: npt.NDArray[np.int64]
    above: Labels
    below: Labels


def _sides(labels: Labels) -> _Sides:
    """Return the horizontal borders in a picture of labels.

    Straight runs are one side; they end where the label above or below is another, so that sides
    cross in their ends only.
    """
    above, below = labels[:-1], labels[1:]
    is_border = above != below
    is_other = (np.diff(above, axis=1) != 0) | (np.diff(below, axis=1) != 0)
    row, start = np.nonzero(is_border[:, 1:] & (is_other | ~is_border[:, :-1]))
    _row, end = np.nonzero(is_border[:, :-1] & (is_other | ~is_border[:, 1:]))
    ends = np.stack([np.stack([start, row], 1), np.stack([end, row], 1)], 1) + 1
    return _Sides(ends, above[row, start + 1], below[row, start + 1])


def _label_of(labels: Labels, face: shapely.Polygon) -> int:
    """Return the label of a face: it stands below its topmost, leftmost corner."""
    corners = shapely.get_coordinates(face.exterior).astype(np.int64)
    x, y = corners[np.lexsort((corners[:, 0], corners[:, 1]))[0]]
    return int(labels[y, x])

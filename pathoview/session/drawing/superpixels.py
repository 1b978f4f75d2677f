"""Superpixels: the pieces of about one size whose borders follow the picture (SLIC).

They are made of tiles of the slide: a place has the same superpixels from wherever it is looked at.
They end at the borders of the tiles.

Reference: Achanta et al. 2012.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Level, Plane, Pyramid, TileKey
from pathoview.session.drawing.patch import Patch, Shape, faces_of

PATCH_PX = 384
"""Width of a tile, px, once it is shrunk."""
COMPACTNESS = 20.0
"""How many units of CIELAB weigh as much as a superpixel's width."""

_WANTED_PX = 20.0
"""Width of a superpixel below which there is little left for its border to follow."""
_SMOOTHING = 0.1
"""Width of the Gaussian in widths of a superpixel: nuclei in tissue make ragged borders."""
_TOLERANCE_PX = 1.5
"""Steps of a pixel are taken away: it is the square root of the area of a triangle."""
_ITERATIONS = 5
"""Half of the usual number and time; the borders hardly move after that."""


class Tile(NamedTuple):
    """A tile of a slide cut into tiles of ``size_px`` px, to be shrunk by ``factor``."""

    key: TileKey
    factor: int

    @property
    def size_px(self) -> int:
        return PATCH_PX * self.factor


def tiles_for(
    levels: tuple[Level, ...], rect_l0: Rect, size_l0: float, plane: Plane = Plane()
) -> tuple[Tile, ...]:
    """Return the tiles to make superpixels of for a rectangle, at a fitting level.

    ``size_l0`` is the width of a superpixel: in the tiles it is about 20 px.
    """
    wanted = size_l0 / _WANTED_PX
    level = Pyramid(levels, 1).level_for(wanted)
    factor = max(1, math.floor(wanted / levels[level].downsample))
    pyramid = Pyramid(levels, PATCH_PX * factor)
    return tuple(Tile(key, factor) for key in pyramid.tiles_in(rect_l0, level, plane))


class Superpixels:
    """The superpixels of one patch, about ``size_l0`` level-0 px wide; making them takes 0.2 s.

    Their borders are those of the pixels with the steps taken away, the same for both neighbours:
    they cover the patch without gaps.
    """

    def __init__(self, patch: Patch, *, size_l0: float, compactness: float = COMPACTNESS) -> None:
        self._patch = patch
        self._labels = _slic(patch, max(1.0, size_l0 / patch.downsample), compactness)
        faces, labels = faces_of(self._labels)
        smooth = shapely.coverage_simplify(faces, _TOLERANCE_PX, simplify_boundary=False)
        self._shapes = shapely.transform(smooth, patch.to_l0)
        self._label_of = np.array(labels)

    def at(self, x_l0: float, y_l0: float) -> Shape | None:
        """Return the superpixel at a place; None beside the patch."""
        pixel = self._patch.pixel_at(x_l0, y_l0)
        return None if pixel is None else self._shape(self._labels[pixel[1], pixel[0]][None])

    def touched(self, stroke_l0: npt.ArrayLike, width_l0: float = 0.0) -> Shape | None:
        """Return all superpixels that a stroke touches as one shape; None beside the patch.

        ``stroke_l0`` are its (n, 2) points, at least one; a width of 0 is one pixel of the patch.
        """
        import cv2

        points = np.floor(self._patch.to_patch(np.reshape(stroke_l0, (-1, 2)))).astype(np.int32)
        drawn = np.zeros(self._labels.shape, np.uint8)
        thickness = max(1, round(width_l0 / self._patch.downsample))
        closed = len(points) == 1  # a click is a line to itself
        cv2.polylines(drawn, [points], closed, 1, thickness)
        labels = np.unique(self._labels[drawn > 0])
        return self._shape(labels) if len(labels) else None

    def _shape(self, labels: npt.NDArray[np.int32]) -> Shape:
        shape: Shape = shapely.coverage_union_all(self._shapes[np.isin(self._label_of, labels)])
        return shape


def _slic(patch: Patch, size_px: float, compactness: float) -> npt.NDArray[np.int32]:
    """Return the superpixel (0 …) of each pixel of a patch."""
    import cv2
    from skimage.segmentation import slic

    lab = cv2.cvtColor(patch.rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), _SMOOTHING * size_px)
    # slic stretches the picture to 0 … 1; undone, pale patches do not break up on their noise.
    spread = float(np.ptp(lab)) or 1.0
    labels = slic(
        lab,
        n_segments=max(1, math.ceil(patch.width * patch.height / size_px**2)),
        compactness=compactness / spread,
        max_num_iter=_ITERATIONS,
        convert2lab=False,
        start_label=0,
        channel_axis=2,
    )
    return np.asarray(labels, np.int32)

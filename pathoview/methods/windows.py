"""Windows that cover a picture of any size: where they lie, how they fade, how pictures grow.

For what computes pictures of a bounded size; torch is not needed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LEAST_WEIGHT = 1e-3
"""Of a window's outermost pixels: where only one window lies, it alone counts."""

Rgb = npt.NDArray[np.uint8]
Maps = npt.NDArray[np.float32]


def window_starts(length: int, window: int, overlap: int) -> list[int]:
    """Return where windows begin that cover a length, spread evenly, sharing ``overlap`` px."""
    if length <= window:
        return [0]
    n = -(-(length - overlap) // (window - overlap))
    return [round(index * (length - window) / (n - 1)) for index in range(n)]


def hann(height: int, width: int) -> Maps:
    """Return the weight of a window's pixels, falling to its edges."""
    vertical, horizontal = (
        np.maximum(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2, _LEAST_WEIGHT)
        for n in (height, width)
    )
    return np.asarray(vertical[:, None] * horizontal, np.float32)


def whole_multiple(length: int, stride: int) -> int:
    """Return a length rounded up to a multiple of the stride."""
    return length + -length % stride


def padded(picture: Rgb, height: int, width: int) -> Rgb:
    """Mirror a picture (row, column, …) beyond its right and lower edge to at least a size."""
    for axis, wanted in ((0, height), (1, width)):
        n = picture.shape[axis]
        # A picture narrower than what is missing is mirrored back and forth.
        places = np.abs((np.arange(wanted) + n - 1) % max(2 * (n - 1), 1) - (n - 1))
        picture = picture.take(places, axis) if wanted > n else picture
    return picture

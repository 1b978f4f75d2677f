"""Live-wire: a line from an anchor to the pointer that clings to the picture's edges.

OpenCV's intelligent scissors: the cheapest path over the pixels, where edges (Canny's), steep
gradients and steps along the edge's direction cost little.

Reference: Mortensen and Barrett 1995.
"""

from __future__ import annotations

import numpy as np

from pathoview.session.drawing.patch import Patch, Points

SMOOTHING_PX = 1.5
"""Width of the Gaussian that keeps the line from following the grain."""

_CANNY = 16, 60
"""Gradients from which an edge goes on and from which it begins: faint ones count in tissue."""
_MIDDLE = 0.5


class LiveWire:
    """The edges of one patch, and the cheapest paths from an anchor to all its pixels."""

    def __init__(self, patch: Patch, smoothing_px: float = SMOOTHING_PX) -> None:
        import cv2

        self._patch = patch
        self._anchor_l0: tuple[float, float] | None = None
        self._scissors = cv2.segmentation.IntelligentScissorsMB()
        self._scissors.setEdgeFeatureCannyParameters(*_CANNY)
        self._scissors.applyImage(cv2.GaussianBlur(patch.rgb, (0, 0), smoothing_px))

    def set_anchor(self, x_l0: float, y_l0: float) -> None:
        """Work out the paths from a place; beside the patch they start at its rim."""
        self._anchor_l0 = x_l0, y_l0
        self._scissors.buildMap(self._patch.nearest_pixel(x_l0, y_l0))

    def path_to(self, x_l0: float, y_l0: float) -> Points:
        """Return the path from the anchor to a place, (n, 2) level-0 px, both ends exact.

        Beside the patch the line leaves it straight. Raises ValueError before the first anchor.
        """
        if self._anchor_l0 is None:
            raise ValueError("no anchor")
        pixels = self._scissors.getContour(self._patch.nearest_pixel(x_l0, y_l0)).reshape(-1, 2)
        between = self._patch.to_l0(pixels + _MIDDLE)[1:-1]
        return np.concatenate([[self._anchor_l0], between, [(x_l0, y_l0)]])

"""Colour to amounts of stain: optical densities taken apart by a 3 × 3 matrix.

Light is absorbed by stains that add up in optical density, ``OD = -ln((I + 1) / 256)``. A pixel's
OD is amount × colour of the first stain + amount × colour of the second + a residual.

References: Ruifrok and Johnston 2001 (fixed colours), Macenko et al. 2009 (colours estimated).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _

Floats = npt.NDArray[np.float64]

OPTICAL_DENSITY: Floats = -np.log((np.arange(256) + 1) / 256)
"""Optical density of each 8-bit intensity."""

TISSUE_OD = 0.15
"""Mean OD of the three channels above which a pixel counts as stained.

The mean, not every channel: pale eosin absorbs hardly any red, and its pixels would be lost.
"""

MIN_STAINED_PIXELS = 2_000
"""So many stained pixels at least tell the colours of stains."""
_MIN_ANGLE, _MAX_ANGLE = 10.0, 60.0
_PERCENTILES = (1.0, 99.0)
_MIN_CORRELATION = 0.5


@dataclass(frozen=True, slots=True)
class StainMatrix:
    """The colours of two stains and of what neither explains; rows are unit vectors of OD."""

    stains: tuple[str, str]
    rows: tuple[tuple[float, float, float], ...]
    source: str
    """Whose colours these are."""

    @classmethod
    def of(
        cls, stains: tuple[str, str], first: npt.ArrayLike, second: npt.ArrayLike, source: str
    ) -> Self:
        """Return the matrix of two colours; the residual stands at right angles to both."""
        pair = np.asarray(first, np.float64), np.asarray(second, np.float64)
        vectors = (*pair, np.cross(pair[0], pair[1]))
        units = [np.round(vector / np.linalg.norm(vector), 6).tolist() for vector in vectors]
        return cls(stains, tuple((r, g, b) for r, g, b in units), source)

    @property
    def unmixing(self) -> Floats:
        """(3, 3): optical densities @ unmixing = amounts."""
        inverse: Floats = np.linalg.inv(np.array(self.rows))
        return inverse

    def to_json(self) -> dict[str, Any]:
        return {
            "stains": list(self.stains),
            "rows": [list(row) for row in self.rows],
            "source": self.source,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        first, second = data["stains"]
        rows = tuple((float(r), float(g), float(b)) for r, g, b in data["rows"])
        return cls((str(first), str(second)), rows, str(data["source"]))


H_E = StainMatrix.of(
    ("Hematoxylin", "Eosin"), (0.650, 0.704, 0.286), (0.072, 0.990, 0.105), "Ruifrok-Johnston"
)
H_DAB = StainMatrix.of(
    ("Hematoxylin", "DAB"), (0.650, 0.704, 0.286), (0.268, 0.570, 0.776), "Ruifrok-Johnston"
)


def separate(rgb: npt.NDArray[np.uint8], matrix: StainMatrix) -> npt.NDArray[np.float32]:
    """Return the amounts of both stains and the residual, (height, width, 3) float32.

    Amounts are optical densities along the stain's unit vector; noise can make them negative.
    """
    density = cv2.LUT(rgb, OPTICAL_DENSITY.astype(np.float32))
    return np.asarray(cv2.transform(density, matrix.unmixing.T), np.float32)


def amount_table(weights: npt.ArrayLike, scale: float) -> npt.NDArray[np.int16]:
    """Return the lookup table of `whole_amounts` for Σ weight × OD, in 1/scale."""
    table = np.outer(OPTICAL_DENSITY, np.asarray(weights, np.float64)) * scale
    return np.clip(np.rint(table), -10_000, 10_000).astype(np.int16)[None]


def whole_amounts(
    rgb: npt.NDArray[np.uint8], table: npt.NDArray[np.int16]
) -> npt.NDArray[np.int16]:
    """Return an amount of stain as whole numbers, (height, width) int16.

    Sums of looked-up integers: a pixel's amount is the same to the last bit wherever it lies in the
    array, which sums of floats are not (vector units round their tails differently).
    """
    red, green, blue = (
        cv2.LUT(channel, np.ascontiguousarray(table[..., index]))
        for index, channel in enumerate(cv2.split(rgb))
    )
    return np.asarray(cv2.add(cv2.add(red, green), blue), np.int16)


@dataclass(frozen=True, slots=True)
class StainEstimate:
    """A slide's stain colours; ``problem`` says why the fixed ones had to be taken."""

    matrix: StainMatrix
    problem: str = ""


def estimate_h_e(pixels: npt.NDArray[np.uint8]) -> StainEstimate:
    """Return hematoxylin and eosin as they look on a slide, after Macenko.

    ``pixels`` are (n, 3) RGB of tissue. Where the estimate cannot be trusted (too few stained
    pixels, one stain only, the dark pixels not the blue ones) the fixed colours are returned.
    """
    density = stained_density(pixels)
    if len(density) < MIN_STAINED_PIXELS:
        return StainEstimate(H_E, _("too few stained pixels"))
    return checked_pair(density, *_extreme_colors(density), "Macenko")


def stained_density(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Return the optical densities, (m, 3), of those of (n, 3) RGB pixels that are stained."""
    density = OPTICAL_DENSITY[pixels]
    return np.asarray(density[density.mean(axis=1) > TISSUE_OD])


def checked_pair(density: Floats, hematoxylin: Floats, eosin: Floats, source: str) -> StainEstimate:
    """Return two colours found in densities, (n, 3), or the fixed ones and why.

    They must be between 10° and 60° apart, and the dark pixels the blue ones.
    """
    angle = np.degrees(np.arccos(np.clip(hematoxylin @ eosin, -1, 1)))
    if not _MIN_ANGLE <= angle <= _MAX_ANGLE:
        return StainEstimate(H_E, _("the two colours found are no pair of stains"))
    matrix = StainMatrix.of(H_E.stains, hematoxylin, eosin, source)
    amount = density @ matrix.unmixing[:, 0]
    if np.corrcoef(amount, density.sum(axis=1))[0, 1] < _MIN_CORRELATION:
        return StainEstimate(H_E, _("the dark pixels are not the blue ones"))
    return StainEstimate(matrix)


def _extreme_colors(density: Floats) -> tuple[Floats, Floats]:
    """Return the two outermost unit colours in the plane of the largest variance, bluer first."""
    plane = np.linalg.eigh(np.cov(density.T))[1][:, [2, 1]]
    plane = plane * np.where(plane[0] < 0, -1, 1)  # eigenvectors come with any sign
    x, y = (density @ plane).T
    angles = np.percentile(np.arctan2(y, x), _PERCENTILES)
    ends = [plane @ np.array([np.cos(angle), np.sin(angle)]) for angle in angles]
    colors = [np.clip(end, 0, None) for end in ends]
    colors = [color / max(float(np.linalg.norm(color)), 1e-12) for color in colors]
    first, second = sorted(colors, key=lambda color: -float(color[0]))
    return first, second

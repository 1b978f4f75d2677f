"""How a slide's stains look in numbers: their colours, how much of them, and its mean colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.slides.stains import (
    MIN_STAINED_PIXELS,
    OPTICAL_DENSITY,
    TISSUE_OD,
    StainMatrix,
    estimate_h_e,
)

Triple = tuple[float, float, float]

_PERCENTILE = 99.0
_LEAST_SD = 1e-3
_ROW_PX = 64


@dataclass(frozen=True, slots=True)
class StainLook:
    """What normalisation gives to a slide, or takes from it."""

    name: str
    """Whose look it is."""
    stains: StainMatrix
    amounts: tuple[float, float]
    """99th percentiles of haematoxylin and eosin, as optical densities."""
    lab_mean: Triple
    lab_sd: Triple
    """Mean and standard deviation in CIE L*a*b* of the stained pixels."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "stains": self.stains.to_json(),
            "amounts": list(self.amounts),
            "lab_mean": list(self.lab_mean),
            "lab_sd": list(self.lab_sd),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        first, second = map(float, data["amounts"])
        mean, sd = (tuple(map(float, data[key])) for key in ("lab_mean", "lab_sd"))
        return cls(
            str(data["name"]),
            StainMatrix.from_json(data["stains"]),
            (first, second),
            (mean[0], mean[1], mean[2]),
            (sd[0], sd[1], sd[2]),
        )


def look_of(pixels: npt.NDArray[np.uint8], stains: StainMatrix, name: str) -> StainLook:
    """Return the look of (n, 3) RGB pixels of tissue, some of them stained, for known colours."""
    stained = pixels[OPTICAL_DENSITY[pixels].mean(axis=1) > TISSUE_OD]
    amounts = (OPTICAL_DENSITY[stained] @ stains.unmixing)[:, :2]
    first, second = np.percentile(np.maximum(amounts, 0), _PERCENTILE, axis=0).tolist()
    lab = to_lab(stained).astype(np.float64)
    mean = lab.mean(axis=0).tolist()
    sd = np.maximum(lab.std(axis=0), _LEAST_SD).tolist()
    return StainLook(name, stains, (first, second), tuple(mean), tuple(sd))


def target_look(pixels: npt.NDArray[np.uint8], name: str) -> StainLook:
    """Return the look of (n, 3) RGB pixels of tissue that others are to get.

    Raises `InputError` when its stains cannot be told.
    """
    estimate = estimate_h_e(pixels)
    if estimate.problem:
        raise InputError(
            _("“{name}” cannot be a target of normalisation: {why}.").format(
                name=name, why=estimate.problem
            ),
            _("Choose an H&E picture with much tissue, or leave the target out."),
        )
    return look_of(pixels, estimate.matrix, name)


def has_stained(pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether there are enough stained pixels among (n, 3) to measure colours on."""
    n = np.count_nonzero(OPTICAL_DENSITY[pixels].mean(axis=1) > TISSUE_OD)
    return bool(n >= MIN_STAINED_PIXELS)


def to_lab(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return L* (0–100), a*, b* of 8-bit RGB pixels, (n, 3) float32."""
    return _in_rows(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)


def from_lab(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return RGB, 0–255 unrounded, of (n, 3) L*, a*, b*."""
    return np.asarray(_in_rows(lab, cv2.COLOR_Lab2RGB) * np.float32(255), np.float32)


def _in_rows(pixels: npt.NDArray[np.float32], code: int) -> npt.NDArray[np.float32]:
    """Convert (n, 3) colours, each alike wherever it stands.

    OpenCV rounds the tails of rows differently from what fills its vector units: rows get none.
    """
    n = len(pixels)
    filled = np.zeros((-(-n // _ROW_PX) * _ROW_PX, 3), np.float32)
    filled[:n] = pixels
    if not n:
        return filled
    return np.asarray(cv2.cvtColor(filled.reshape(-1, _ROW_PX, 3), code).reshape(-1, 3)[:n])

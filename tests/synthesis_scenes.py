"""Generated tissue with lesions whose healthy twin is known.

Tissue is a smooth random field with three to five dark glands; sick tissue is the same with a
bright blob of random outline over it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from fakes import ArraySlide

from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import LabelledImage, Split, TargetClass, TrainingData

SIDE = 48
MPP = 1.0
LESION = TargetClass("Lesion", (220, 60, 60))

Rgb = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_LIGHT, _DARK = np.array([226, 178, 204]), np.array([196, 132, 176])
"""Of the field, from its lightest to its darkest."""
_GLAND = np.array([104, 62, 140])
_LESION = np.array([252, 236, 190])


@dataclass(frozen=True)
class Twins:
    """The same tissue twice."""

    healthy: Rgb
    """(side, side, 3)."""
    sick: Rgb
    """The same outside of the lesion."""
    lesion: Flags
    """(side, side)."""


def twins(seed: int, side: int = SIDE) -> Twins:
    """Return tissue with and without a lesion, the same for the same seed."""
    rng = np.random.default_rng(seed)
    tissue = _field(rng, side)[..., None] * (_DARK - _LIGHT) + _LIGHT
    for _gland in range(rng.integers(3, 6)):
        is_gland = _smooth(_blob(rng, side, (0.06, 0.12), 0.1))
        tissue = tissue + is_gland[..., None] * (_GLAND - tissue)
    tissue = tissue + rng.normal(0, 3, (side, side, 1))
    lesion = _blob(rng, side, (0.12, 0.25), 0.25)
    share = 0.85 * _smooth(lesion) * lesion
    sick = tissue + share[..., None] * (_LESION - tissue)
    return Twins(_bytes(tissue), _bytes(sick), lesion)


def synthesis_data(n_sick: int, n_healthy: int, n_val: int = 0, seed: int = 0) -> TrainingData:
    """Return sick pictures with their masks and healthy ones, of different tissue each.

    ``n_val`` further ones, sick and healthy in turn, are those to measure on.
    """
    kinds = [True] * n_sick + [False] * n_healthy + [number % 2 == 0 for number in range(n_val)]
    images = []
    for number, is_sick in enumerate(kinds):
        split: Split = "train" if number < n_sick + n_healthy else "val"
        images.append(_image(twins(1000 * seed + number), is_sick, f"tissue-{number}", split))
    return TrainingData(images, (LESION,))


def _image(of: Twins, is_sick: bool, name: str, split: Split) -> LabelledImage:
    pixels = of.sick if is_sick else of.healthy
    mask = (of.lesion & is_sick).astype(np.uint8)
    return LabelledImage(ArraySlide(pixels, MPP), ClassImage(mask), name, split, group=name)


def _field(rng: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    """Return a smooth random field, 0 … 1."""
    rough = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), side / 8)
    return (rough - rough.min()) / (rough.max() - rough.min())


def _blob(rng: np.random.Generator, side: int, radius: tuple[float, float], margin: float) -> Flags:
    """Return a blob of random outline; its radii, and how far inside its middle lies: of a side."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach = side * rng.uniform(*radius) * rng.uniform(0.75, 1.25, len(angles))
    middle = rng.uniform(margin * side, (1 - margin) * side, 2)
    outline = middle + np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    return mask > 0


def _smooth(mask: Flags) -> npt.NDArray[np.float64]:
    return cv2.GaussianBlur(mask.astype(np.float64), (0, 0), 0.8)


def _bytes(tissue: npt.NDArray[np.float64]) -> Rgb:
    return np.clip(np.rint(tissue), 0, 255).astype(np.uint8)

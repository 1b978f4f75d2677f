"""Generated tissue for pictures of the guide: stroma with vessels, and nests of tumor in it.

It looks like stained tissue from afar, and is nobody's.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

MPP = 0.5
"""µm per px; all lengths here are px."""
_NEST, _VESSEL, _NUCLEUS = 110.0, 22.0, 7.0
"""Radii; of a nucleus half of its length."""
_STROMA_PX, _NEST_PX, _VESSEL_PX = 700.0, 190.0, 26_000.0
"""Area for each nucleus, and for each vessel."""
_STROMA, _CYTOPLASM = (226, 168, 200), (190, 140, 190)
_WALL, _BLOOD = (204, 128, 176), (238, 226, 236)
_DARK, _PALE = (88, 58, 136), (112, 74, 152)

Rgb = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]
Color = tuple[int, int, int]
Place = tuple[float, float]


def tissue(width: int, height: int, seed: int, n_nests: int) -> tuple[Rgb, Mask]:
    """Return (height, width, 3) tissue, and (height, width) where tumor is: 1, else 0."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for number in range(n_nests):
        cv2.fillPoly(mask, [_outline(rng, _middle(rng, width, height, number, n_nests))], 255)
    mask = (cv2.GaussianBlur(mask, (0, 0), 8) > 127).astype(np.uint8)
    healthy = _fibres(rng, width, height, _STROMA, 70)
    _scatter(healthy, rng, _STROMA_PX, _PALE, (0.9, 0.35))
    for _vessel in range(round(width * height / _VESSEL_PX)):
        _draw_vessel(healthy, rng)
    sick = _fibres(rng, width, height, _CYTOPLASM, 25)
    _scatter(sick, rng, _NEST_PX, _DARK, (1.1, 0.8))
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)[..., None]
    mixed = cv2.GaussianBlur((healthy * (1 - share) + sick * share).astype(np.float32), (0, 0), 0.8)
    mixed += rng.normal(0, 4, (height, width, 1))
    return mixed.clip(0, 255).astype(np.uint8), mask


def _middle(rng: np.random.Generator, width: int, height: int, number: int, n: int) -> Place:
    """Return the middle of a nest: they lie apart, in two rows."""
    dx, dy = rng.uniform(-0.3, 0.3, 2) * _NEST
    return width * (number + 0.5) / n + dx, height * (0.3 if number % 2 else 0.7) + dy


def _outline(rng: np.random.Generator, middle: Place) -> npt.NDArray[np.int32]:
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach = _NEST * rng.uniform(0.7, 1.2) * rng.uniform(0.75, 1.2, len(angles))
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None] + middle
    return np.rint(points).astype(np.int32)


def _fibres(rng: np.random.Generator, width: int, height: int, color: Color, depth: float) -> Rgb:
    """Return wavy fibres, so many grey levels lighter here and darker there."""
    rough = rng.normal(size=(height + 200, width)).astype(np.float32)
    fibres = cv2.GaussianBlur(rough, (0, 0), sigmaX=28, sigmaY=2.5)
    waves = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 60)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    wavy = cv2.remap(fibres, x, y + 100 + 90 * waves / np.abs(waves).max(), cv2.INTER_LINEAR)
    light = depth * wavy / np.abs(wavy).max()
    return (np.array(color) + light[..., None]).clip(0, 255).astype(np.uint8)


def _draw_vessel(rgb: Rgb, rng: np.random.Generator) -> None:
    height, width = rgb.shape[:2]
    at = rng.uniform(0, width), rng.uniform(0, height)
    a, b = _VESSEL * rng.uniform(0.5, 1.0, 2)
    turn = rng.uniform(0, 180)
    _ellipse(rgb, at, (a + 5, b + 5), turn, _WALL)
    _ellipse(rgb, at, (a, b), turn, _BLOOD)


def _scatter(
    rgb: Rgb, rng: np.random.Generator, area_px: float, color: Color, shape: Place
) -> None:
    """Draw nuclei all over, one for each so many px; ``shape``: its half axes, by `_NUCLEUS`."""
    height, width = rgb.shape[:2]
    for _nucleus in range(round(height * width / area_px)):
        a, b = (_NUCLEUS * side * rng.uniform(0.75, 1.2) for side in shape)
        turn = rng.normal(0, 20) if shape[1] < shape[0] / 2 else rng.uniform(0, 180)
        light = rng.normal(0, 8)
        r, g, b_ = (round(value + light + rng.normal(0, 4)) for value in color)
        _ellipse(rgb, (rng.uniform(0, width), rng.uniform(0, height)), (a, b), turn, (r, g, b_))


def _ellipse(rgb: Rgb, at: Place, axes: Place, turn: float, color: Color) -> None:
    """Draw one to a sixteenth of a px."""
    (x, y), (a, b) = ((round(16 * value) for value in pair) for pair in (at, axes))
    cv2.ellipse(rgb, (x, y), (a, b), turn, 0, 360, color, -1, cv2.LINE_AA, shift=4)

"""Generated tissue for pictures of the guide: lymphocytes close together, and nests of tumor.

It looks like a stained lymph node from afar, and is nobody's.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

MPP = 0.5
"""µm per px; all lengths here are px."""
_LONG, _WIDE, _NUCLEUS = 190.0, 62.0, 6.0
"""Half of the length and of the width of a nest, and radius of a nucleus."""
_LYMPHOID_PX, _NEST_PX = 165.0, 450.0
"""Area for each nucleus."""
_LYMPHOID, _CYTOPLASM = (208, 168, 206), (236, 178, 200)
_DARK, _PALE = (84, 58, 140), (150, 108, 178)

Rgb = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Color = tuple[int, int, int]
Place = tuple[float, float]


def tissue(width: int, height: int, seed: int, n_nests: int) -> tuple[Rgb, Mask]:
    """Return (height, width, 3) tissue, and (height, width) where tumor is: 1, else 0."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for number in range(n_nests):
        cv2.fillPoly(mask, [_outline(rng, _middle(rng, width, height, number, n_nests))], 255)
    mask = (cv2.GaussianBlur(mask, (0, 0), 8) > 127).astype(np.uint8)
    healthy = _clouded(rng, width, height, _LYMPHOID)
    _scatter(healthy, rng, _LYMPHOID_PX, _DARK, (0.75, 1.05))
    sick = _clouded(rng, width, height, _CYTOPLASM)
    _scatter(sick, rng, _NEST_PX, _PALE, (1.4, 2.0))
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)[..., None]
    mixed = cv2.GaussianBlur((healthy * (1 - share) + sick * share).astype(np.float32), (0, 0), 0.8)
    mixed += rng.normal(0, 4, (height, width, 1))
    return mixed.clip(0, 255).astype(np.uint8), mask


def _middle(rng: np.random.Generator, width: int, height: int, number: int, n: int) -> Place:
    """Return the middle of a nest: they lie apart, in two rows."""
    dx, dy = rng.uniform(-30, 30, 2)
    return width * (number + 0.5) / n + dx, height * (0.3 if number % 2 else 0.7) + dy


def _outline(rng: np.random.Generator, middle: Place) -> npt.NDArray[np.int32]:
    """Return the rim of a strand of tumor."""
    angles, turn = np.linspace(0, 2 * np.pi, 24, endpoint=False), rng.uniform(-0.7, 0.7)
    along, across = np.cos(angles) * _LONG, np.sin(angles) * _WIDE * rng.uniform(0.85, 1.15, 24)
    across = across + 0.4 * _WIDE * np.sin(2.2 * np.cos(angles) + rng.uniform(0, 3))
    x = along * np.cos(turn) - across * np.sin(turn) + middle[0]
    y = along * np.sin(turn) + across * np.cos(turn) + middle[1]
    return np.rint(np.stack([x, y], axis=1)).astype(np.int32)


def _clouded(rng: np.random.Generator, width: int, height: int, color: Color) -> Rgb:
    """Return a colour that is a little lighter here and darker there."""
    light = 22 * _cloud(rng, width, height, 3) + 14 * _cloud(rng, width, height, 60)
    return (np.array(color) + light[..., None]).clip(0, 255).astype(np.uint8)


def _cloud(rng: np.random.Generator, width: int, height: int, sigma: float) -> Floats:
    rough = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), sigma)
    return np.asarray(rough / np.abs(rough).max(), np.float32)


def _scatter(
    rgb: Rgb, rng: np.random.Generator, area_px: float, color: Color, sizes: Place
) -> None:
    """Draw nuclei, one for each so many px, closer here than there; ``sizes``: by `_NUCLEUS`."""
    height, width = rgb.shape[:2]
    density = 0.85 + 0.35 * _cloud(rng, width, height, 45)
    for _nucleus in range(round(height * width / area_px)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        if density[int(y), int(x)] < rng.uniform():
            continue
        a, b = (_NUCLEUS * rng.uniform(*sizes) for _axis in range(2))
        light = 9 * rng.normal()
        red, green, blue = (round(value + light + 4 * rng.normal()) for value in color)
        _ellipse(rgb, (x, y), (a, b), rng.uniform(0, 180), (red, green, blue))


def _ellipse(rgb: Rgb, at: Place, axes: Place, turn: float, color: Color) -> None:
    """Draw one to a sixteenth of a px."""
    (x, y), (a, b) = ((round(16 * value) for value in pair) for pair in (at, axes))
    cv2.ellipse(rgb, (x, y), (a, b), turn, 0, 360, color, -1, cv2.LINE_AA, shift=4)

"""Folders of pictures with known leaks, or none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from makers import he_image
from PIL import Image


def save(path: Path, rgb: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(rgb)).save(path, quality=70)
    return path


def scene(seed: int) -> np.ndarray:
    """Return 96 × 96 px of tissue with a shading of its own."""
    shade = cv2.resize(np.random.default_rng(seed).standard_normal((4, 4)), (96, 96))[..., None]
    return np.clip(he_image(96, 96, seed) + 18 * shade, 0, 255).astype(np.uint8)


def folders(root: Path, *, leaks: bool) -> dict[str, str]:
    """Write 8 pictures to train on and 4 to choose by; return the folders.

    ``leaks``: one is a JPEG of a training picture, and one a mirrored copy.
    """
    for number in range(12):
        split = "train" if number < 8 else "val"
        label = ("benign", "malignant")[number % 2]
        save(root / split / label / f"Jane Doe {number}.png", scene(number))
    if leaks:
        save(root / "val" / "benign" / "packed.jpg", scene(0))
        save(root / "val" / "malignant" / "mirrored.png", scene(1)[:, ::-1])
    return {split: str(root / split) for split in ("train", "val")}

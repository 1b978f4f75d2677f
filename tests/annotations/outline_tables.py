"""Tables of detections for tests and benchmarks: outlines like those of nuclei."""

from __future__ import annotations

import numpy as np

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections

CLASSES = (
    DetectionClass("Tumor: Positive", (200, 0, 0)),
    DetectionClass("Immune cells", (160, 90, 160)),
)
MEASUREMENTS = (
    *("Area µm²", "Perimeter µm", "Circularity"),
    *("Solidity", "Hematoxylin mean", "Eosin mean"),
)


def random_table(
    n: int, *, seed: int = 0, n_vertices: int = 16, n_measurements: int = 3, side_px: int = 40_000
) -> Detections:
    """Return ``n`` star-shaped outlines of 8 to 12 px radius anywhere on a picture."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, n_vertices, endpoint=False)
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    rings = rng.uniform(20, side_px - 20, (n, 1, 2)) + unit * rng.uniform(8, 12, (n, n_vertices, 1))
    return Detections(
        np.rint(rings.reshape(-1, 2) * SUBPIXEL).astype(np.int32),
        np.arange(n + 1, dtype=np.int64) * n_vertices,
        rng.integers(0, 256, (n, 16), dtype=np.uint8),
        rng.integers(-1, len(CLASSES), n).astype(np.int16),
        CLASSES,
        {name: rng.uniform(0, 100, n).astype(np.float32) for name in MEASUREMENTS[:n_measurements]},
    )

"""Tiny generated pictures and slides everybody's tests use (`from makers import make_svs`).

Nothing here is random twice: the same seed gives the same picture.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

Rgb = npt.NDArray[np.uint8]

HEMATOXYLIN = np.array([0.650, 0.704, 0.286])
EOSIN = np.array([0.072, 0.990, 0.105])


@dataclass(frozen=True)
class Scene:
    """A made-up H&E field with its truth: 0 is no nucleus, k is nucleus k."""

    rgb: Rgb
    labels: npt.NDArray[np.int32]


def he_scene(
    width: int, height: int, seed: int = 0, *, mpp: float = 0.5, glass_px: int = 0
) -> Scene:
    """Return dark blue nuclei (4–9 µm, never overlapping) on pink tissue; glass at the rim."""
    rng = np.random.default_rng(seed)
    labels = _nuclei(width, height, rng, mpp)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 4 / mpp / 2)
    noise = noise / max(float(np.abs(noise).max()), 1e-6)
    grain = rng.normal(0, 0.02, (height, width))
    inside = cv2.GaussianBlur((labels > 0).astype(np.float64), (0, 0), 0.4 / mpp)
    eosin = 0.35 + 0.15 * noise + grain
    hematoxylin = 0.06 + 0.9 * inside * (1 + 0.15 * noise) + grain
    density = hematoxylin[..., None] * HEMATOXYLIN + eosin[..., None] * EOSIN
    if glass_px:
        density[_rim(height, width, glass_px)] = 0.01
        labels[_rim(height, width, glass_px)] = 0
    rgb = np.clip(np.rint(245 * np.exp(-np.clip(density, 0, None))), 0, 255).astype(np.uint8)
    return Scene(rgb, labels)


def he_image(width: int, height: int, seed: int = 0, *, mpp: float = 0.5, glass_px: int = 0) -> Rgb:
    """Return the picture of `he_scene`, (height, width, 3)."""
    return he_scene(width, height, seed, mpp=mpp, glass_px=glass_px).rgb


def _nuclei(width: int, height: int, rng: np.random.Generator, mpp: float) -> npt.NDArray[np.int32]:
    labels = np.zeros((height, width), np.int32)
    pitch = max(4, round(14 / mpp))  # one nucleus at most in a cell of 14 µm
    count = 0
    for top in range(0, height, pitch):
        for left in range(0, width, pitch):
            if rng.random() > 0.7:
                continue
            count += 1
            axes = rng.uniform(2.2, 4.4, 2) / mpp
            reach = max(0.0, pitch / 2 - float(axes.max()) - 1)
            x, y = np.array([left, top]) + pitch / 2 + rng.uniform(-reach, reach, 2)
            center = (round(float(x) * 16), round(float(y) * 16))
            size = (round(float(axes[0]) * 16), round(float(axes[1]) * 16))
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(labels, center, size, angle, 0, 360, count, -1, shift=4)
    return labels


def _rim(height: int, width: int, glass_px: int) -> npt.NDArray[np.bool_]:
    rim = np.ones((height, width), np.bool_)
    rim[glass_px : height - glass_px, glass_px : width - glass_px] = False
    return rim


def halvings(image: npt.NDArray[Any], n_levels: int) -> Iterator[npt.NDArray[Any]]:
    """Yield the picture at full, half, quarter … size."""
    for _level in range(n_levels):
        yield image
        height, width = image.shape[:2]
        size = (max(1, width // 2), max(1, height // 2))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def make_pyramid_tiff(
    path: Path,
    image: npt.NDArray[Any] | None = None,
    *,
    mpp: float | None = 0.5,
    tile_px: int = 256,
    n_levels: int = 3,
    compression: str | None = "jpeg",
    **options: Any,
) -> Path:
    """Write a tiled pyramid that OpenSlide reads as *generic-tiff*; return ``path``.

    ``options`` go to every page (``predictor=True``, ``photometric="minisblack"`` …).
    """
    image = he_image(1024, 768) if image is None else image
    page: dict[str, Any] = {
        "tile": (tile_px, tile_px),
        "compression": compression,
        "photometric": "rgb" if image.ndim == 3 else "minisblack",
        "metadata": None,
        **options,
    }
    with tifffile.TiffWriter(path) as tiff:
        for index, level in enumerate(halvings(image, n_levels)):
            scale = _per_cm(mpp, 2**index)
            tiff.write(level, subfiletype=int(index > 0), **scale, **page)
    return path


def _per_cm(mpp: float | None, downsample: float = 1) -> dict[str, Any]:
    if mpp is None:
        return {}
    per_cm = 1e4 / (mpp * downsample)
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}


def make_svs(
    path: Path,
    image: Rgb | None = None,
    *,
    mpp: float | None = 0.5,
    power: int | None = 20,
    tile_px: int = 240,
    n_levels: int = 2,
) -> Path:
    """Write what OpenSlide reads as *aperio*: levels, thumbnail, label and macro pictures."""
    image = he_image(1024, 768) if image is None else image
    height, width = image.shape[:2]
    head = f"Aperio Image Library v11.2.1 \r\n{width}x{height}"
    facts = (f"|AppMag = {power}" if power else "") + (f"|MPP = {mpp}" if mpp else "")
    levels = list(halvings(image, n_levels))
    flat: dict[str, Any] = {"photometric": "rgb", "compression": "jpeg", "metadata": None}
    tiled = {**flat, "tile": (tile_px, tile_px)}
    small = cv2.resize(image, (max(1, width // 8), max(1, height // 8)))
    label = np.full((48, 64, 3), (250, 240, 200), np.uint8)
    with tifffile.TiffWriter(path) as tiff:
        text = f"{head} ({tile_px}x{tile_px}) JPEG/RGB Q=75{facts}"
        tiff.write(levels[0], description=text, **tiled)
        tiff.write(small, description=f"{head} -> thumbnail |{facts}", **flat)
        for level in levels[1:]:
            size = f"{level.shape[1]}x{level.shape[0]}"
            tiff.write(level, description=f"{head} -> {size} JPEG/RGB Q=75{facts}", **tiled)
        tiff.write(label, description=f"{head}\nlabel 64x48", subfiletype=1, **flat)
        tiff.write(small, description=f"{head}\nmacro 64x48", subfiletype=9, **flat)
    return path


def make_ome_tiff(
    path: Path,
    image: npt.NDArray[Any],
    axes: str = "YXS",
    *,
    mpp: float | None = 0.5,
    unit: str = "µm",
    channel_names: tuple[str, ...] = (),
    tile_px: int = 128,
    n_levels: int = 2,
    compression: str | None = "zlib",
) -> Path:
    """Write an OME-TIFF with sub-resolutions; ``axes`` as in tifffile (``"TZCYX"`` …)."""
    facts: dict[str, Any] = {"axes": axes, "UUID": str(uuid.UUID(int=0))}
    if mpp is not None:
        facts |= {"PhysicalSizeX": mpp, "PhysicalSizeXUnit": unit}
        facts |= {"PhysicalSizeY": mpp, "PhysicalSizeYUnit": unit}
    if channel_names:
        facts["Channel"] = {"Name": list(channel_names)}
    page: dict[str, Any] = {
        "tile": (tile_px, tile_px),
        "compression": compression,
        "photometric": "rgb" if "S" in axes else "minisblack",
    }
    y, x = axes.index("Y"), axes.index("X")
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(image, subifds=n_levels - 1, metadata=facts, **page)
        for level in range(1, n_levels):
            step: list[slice] = [slice(None)] * image.ndim
            step[y] = step[x] = slice(None, None, 2**level)
            tiff.write(image[tuple(step)], subfiletype=1, **page)
    return path


def make_plain(path: Path, image: npt.NDArray[Any] | None = None, **options: Any) -> Path:
    """Write a PNG, JPEG, BMP, WebP or TIFF picture without levels, kind by the file's name."""
    image = he_image(320, 240) if image is None else image
    Image.fromarray(image).save(path, **options)
    return path


def make_slides(folder: Path, *names: str) -> Path:
    """Fill a folder with small slides, each of a content of its own; return the folder."""
    for number, name in enumerate(names):
        make_svs(folder / f"{name}.svs", he_image(256, 192, number))
    return folder

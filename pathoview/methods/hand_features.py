"""What a patch looks like by fixed rules: colours, texture and edges, in some 260 named numbers.

Nothing here is learned. All numbers are finite and lie between -1 and 1, so that 16-bit floats keep
them. Texture does not change with brightness or contrast, nor (but for a grid's roughness) when
the patch is turned by a right angle.

- *HSV*, *Lab*, *stains*: histograms, means and deviations of the channels of three colour spaces;
  stains are hematoxylin, eosin and DAB of Ruifrok and Johnston 2001.
- *Haralick*: statistics of which grey levels lie beside each other (Haralick et al. 1973), at three
  distances, their mean and range over four directions; of brightness, and of hematoxylin. Levels
  are equally frequent, as in the paper.
- *LBP*: uniform local binary patterns of brightness (Ojala et al. 2002) with 8 neighbours, and with
  16 in half resolution.
- *edges*: how strong edges are and how their directions are spread, from the most frequent one on,
  in full and in half resolution.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pathoview.slides.stains import OPTICAL_DENSITY

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.floating]

_CHANNELS: tuple[tuple[str, str, int, float, float], ...] = (
    ("HSV", "hue from green on", 16, 0, 180),
    ("HSV", "saturation", 12, 0, 256),
    ("HSV", "value", 12, 0, 256),
    ("Lab", "lightness", 12, 0, 256),
    ("Lab", "a", 12, 80, 208),
    ("Lab", "b", 12, 80, 208),
    ("stains", "hematoxylin", 12, 0, 1.5),
    ("stains", "eosin", 12, 0, 1.5),
    ("stains", "DAB", 12, 0, 1.5),
)
"""Family, channel, bins of its histogram, and between which values they lie."""
_HUES, _GREEN = 180, 60
"""OpenCV's hues; where they begin anew no tissue has its colour."""
_STRONGEST_OD = 1.5
"""Amount of hematoxylin from which on its texture tells no difference."""

_LEVELS = 16
_DISTANCES_PX = (1, 3, 6)
_ANGLES = tuple(np.pi / 4 * np.arange(4))
_TEXTURE_PLANES = ("brightness", "hematoxylin")
_STATISTICS: tuple[tuple[str, float], ...] = (
    ("contrast", (_LEVELS - 1) ** 2),
    ("dissimilarity", _LEVELS - 1),
    ("homogeneity", 1),
    ("energy", 1),
    ("correlation", 1),
    ("entropy", float(np.log(_LEVELS**2))),
)
"""scikit-image's names, and what each is divided by: most that it can be."""

_NEIGHBOURS: tuple[tuple[int, int], ...] = ((8, 1), (16, 2))
"""How many, and how far away in px, in each of `_RESOLUTIONS`."""

_DIRECTIONS, _STRENGTHS = 8, 8
_STRONGEST_LOG2 = 6.0
"""Strength of edges, log2(1 + change of brightness by px), where the last bin ends."""
_RESOLUTIONS = ("full", "half")
_TINY = 1e-6


def _named() -> Iterator[tuple[str, str]]:
    """Yield the family and the name of each number, in the order of `_described`."""
    for family, channel, n_bins, _low, _high in _CHANNELS:
        for number in range(n_bins):
            yield family, f"{channel} {number + 1}/{n_bins}"
        yield from ((family, f"{channel} {what}") for what in ("mean", "deviation"))
    for plane, (statistic, _most), what, distance in itertools.product(
        _TEXTURE_PLANES, _STATISTICS, ("mean", "range"), _DISTANCES_PX
    ):
        yield "Haralick", f"{plane} {statistic} at {distance} px, {what}"
    for resolution, (n, radius) in zip(_RESOLUTIONS, _NEIGHBOURS, strict=True):
        for number in range(n + 2):
            yield "LBP", f"pattern {number} of {n} at {radius} px, {resolution} resolution"
    for resolution in _RESOLUTIONS:
        for number in range(_DIRECTIONS):
            yield "edges", f"direction {number + 1}/{_DIRECTIONS}, {resolution} resolution"
        for number in range(_STRENGTHS):
            yield "edges", f"strength {number + 1}/{_STRENGTHS}, {resolution} resolution"


_PAIRS = tuple(_named())
FAMILIES: tuple[str, ...] = tuple(family for family, _name in _PAIRS)
"""(feature,) which kind of number each is."""
NAMES: tuple[str, ...] = tuple(f"{family}: {name}" for family, name in _PAIRS)
N_HAND_FEATURES = len(NAMES)


def hand_features(patches: Rgb) -> npt.NDArray[np.float32]:
    """Return (n, N_HAND_FEATURES) of (n, side, side, 3) RGB; see `NAMES`."""
    found = np.empty((len(patches), N_HAND_FEATURES), np.float32)
    for row, patch in enumerate(patches):
        found[row] = _described(np.ascontiguousarray(patch))
    return found


def _described(patch: Rgb) -> Numbers:
    import cv2

    grey = np.asarray(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY), np.uint8)
    half = np.asarray(
        cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )
    amounts = _amounts(patch)
    blue = np.clip(amounts[..., 0] * (255 / _STRONGEST_OD), 0, 255).astype(np.uint8)
    return np.concatenate(
        [
            *_colors(patch, amounts),
            *_haralick(grey),
            *_haralick(blue),
            *map(_patterns, (grey, half), _NEIGHBOURS),
            *_edges(grey),
            *_edges(half),
        ]
    )


def _amounts(patch: Rgb) -> Plane:
    """Return (height, width, 3) optical densities of hematoxylin, eosin and DAB."""
    import cv2
    from skimage.color import hed_from_rgb

    density = cv2.LUT(patch, OPTICAL_DENSITY.astype(np.float32))
    return np.asarray(cv2.transform(density, hed_from_rgb.T), np.float32)


def _colors(patch: Rgb, amounts: Plane) -> Iterator[Numbers]:
    """Yield the shares of each bin, the mean and the deviation of each channel, 0–1."""
    import cv2

    hue, saturation, value = cv2.split(cv2.cvtColor(patch, cv2.COLOR_RGB2HSV))
    from_green = (hue.astype(np.int16) - _GREEN) % _HUES
    lab = cv2.split(cv2.cvtColor(patch, cv2.COLOR_RGB2LAB))
    planes = (from_green, saturation, value, *lab, *cv2.split(amounts))
    for plane, (_family, _name, n_bins, low, high) in zip(planes, _CHANNELS, strict=True):
        part = np.clip((plane.astype(np.float32) - low) / np.float32(high - low), 0, 1)
        yield _shares(part, n_bins)
        yield np.array([part.mean(), part.std()])


def _shares(part: Plane, n_bins: int, weights: Plane | None = None) -> Numbers:
    """Return which share of numbers, 0–1, lies in each of equal bins; (n_bins,)."""
    places = np.minimum((part * n_bins).astype(np.int64), n_bins - 1)
    counted = np.bincount(
        places.ravel(), None if weights is None else weights.ravel(), minlength=n_bins
    )
    return np.asarray(counted / max(float(counted.sum()), _TINY))


def _haralick(plane: Rgb) -> Iterator[Numbers]:
    """Yield the mean and the range over directions of each statistic, (distance,) each."""
    from skimage.feature import graycomatrix, graycoprops

    levels = _equally_frequent(plane)
    how = {"levels": _LEVELS, "symmetric": True, "normed": True}
    beside = graycomatrix(levels, _DISTANCES_PX, _ANGLES, **how)  # type: ignore[no-untyped-call]
    for name, most in _STATISTICS:
        found = graycoprops(beside, name) / most  # type: ignore[no-untyped-call]
        yield found.mean(axis=1)
        yield np.ptp(found, axis=1)


def _equally_frequent(plane: Rgb) -> Rgb:
    """Return a plane in `_LEVELS` levels that are as equally frequent as its values allow."""
    counts = np.bincount(plane.ravel(), minlength=256)
    ranks = (np.cumsum(counts) - counts / 2) / plane.size
    return np.minimum(ranks * _LEVELS, _LEVELS - 1).astype(np.uint8)[plane]


def _patterns(grey: Rgb, neighbours: tuple[int, int]) -> Numbers:
    """Return the share of each pattern."""
    from skimage.feature import local_binary_pattern

    found = local_binary_pattern(grey, *neighbours, "uniform")  # type: ignore[no-untyped-call]
    counts = np.bincount(found.astype(np.int64).ravel(), minlength=neighbours[0] + 2)
    return np.asarray(counts / found.size)


def _edges(grey: Rgb) -> Iterator[Numbers]:
    """Yield the shares of directions, by how strong edges are, and those of their strengths."""
    import cv2

    across, down = (
        cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1))
    )
    strength, angle = (np.asarray(one, np.float32) for one in cv2.cartToPolar(across, down))
    # Half a bin on: level and upright edges lie in the middle of theirs.
    half_turns = (angle / np.float32(np.pi) + np.float32(0.5 / _DIRECTIONS)) % 1
    directions = _shares(half_turns, _DIRECTIONS, strength)
    yield np.roll(directions, -int(directions.argmax()))
    yield _shares(np.minimum(np.log2(1 + strength) / _STRONGEST_LOG2, 1), _STRENGTHS)

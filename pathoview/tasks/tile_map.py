"""A map of tiles: each a point, near those that look like it to an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pathoview.core.errors import InputError
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.study.feature_file import TileFeatures
from pathoview.tasks.described_slides import (
    DescribedRequest,
    DescribedSlide,
    DescribedSlides,
    described_slides,
)

N_AXES = 2
_LEAST_TILES = 3
_READ_SHARE = 0.7


class MapRequest(DescribedRequest):
    """Of whose tiles a map is wanted."""

    n_most: int = Field(4000, ge=_LEAST_TILES, le=20_000)
    """Points at most; of more tiles, some are drawn by lot, always the same ones."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Lay tiles out by the two principal components of their features; see `MapRequest`.

    The tiles of the slide itself are half of the points where there are too many, those of the
    others share the rest. Features are centred and not scaled, and the axes are those of the
    points. Raises `InputError` when the slide is not described, or has too few tiles;
    `StorageError` and `Cancelled`.
    """
    wanted = MapRequest.model_validate(request)
    described = described_slides(wanted)
    sample = _Sample(described, wanted.n_most)
    for slide, tiles in described.tiles(PartOf(progress, 0.0, _READ_SHARE)):
        sample.add(slide, tiles)
    features = np.concatenate(sample.features)
    if len(features) < _LEAST_TILES:
        raise InputError(
            _("There are too few tiles for a map."), _("Choose a slide with more tissue.")
        )
    progress.check()
    points, shares = principal(features)
    progress.report(1.0)
    return {
        "encoder": described.encoder,
        "shares": [round(float(share), 6) for share in shares],
        "n_tiles": sample.n_tiles,
        "n_without": described.n_without,
        "slides": sample.slides,
        "x": _rounded(points[:, 0]),
        "y": _rounded(points[:, 1]),
        "slide": np.concatenate(sample.numbers).tolist(),
        "x_l0": np.concatenate(sample.corners)[:, 0].tolist(),
        "y_l0": np.concatenate(sample.corners)[:, 1].tolist(),
    }


def principal(
    features: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return rows along their two principal axes, (row, 2), and the share of variance of each.

    An axis points to where its largest weight is positive, so that the same rows give the same map.
    """
    centred = features.astype(np.float64)
    centred -= centred.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    n = min(N_AXES, len(variances))
    first = axes[:, ::-1][:, :n]
    largest = np.abs(first).argmax(axis=0)
    first = first * np.where(first[largest, np.arange(n)] < 0, -1.0, 1.0)
    points, shares = np.zeros((len(features), N_AXES)), np.zeros(N_AXES)
    points[:, :n] = centred @ first
    total = variances.sum()
    if total > 0:
        shares[:n] = variances[::-1][:n].clip(min=0) / total
    return points, shares


class _Sample:
    """What is drawn of the tiles of several slides."""

    def __init__(self, described: DescribedSlides, n_most: int) -> None:
        n_others = len(described.slides) - 1
        self._most_own = n_most if not n_others else n_most // 2
        self._most_other = (n_most - self._most_own) // n_others if n_others else 0
        self.n_tiles = 0
        self.slides: list[dict[str, Any]] = []
        self.numbers: list[npt.NDArray[np.intp]] = []
        self.corners: list[npt.NDArray[np.float64]] = []
        self.features: list[npt.NDArray[np.float32]] = []

    def add(self, slide: DescribedSlide, tiles: TileFeatures) -> None:
        number = len(self.slides)
        most = self._most_other if number else self._most_own
        chosen = np.arange(len(tiles))
        if len(tiles) > most:
            rng = np.random.default_rng(number)
            chosen = np.sort(rng.choice(len(tiles), most, replace=False))
        places = np.stack([tiles.columns, tiles.rows], axis=1)[chosen]
        self.numbers.append(np.full(len(chosen), number))
        self.corners.append(places * np.array(slide.cell_l0))
        self.features.append(tiles.features[chosen])
        self.n_tiles += len(tiles)
        said = {"slide_hash": slide.slide_hash, "pseudonym": slide.pseudonym}
        grid = {"cell_l0": list(slide.cell_l0), "n_columns": slide.n_columns}
        self.slides.append({**said, **grid})


def _rounded(values: npt.NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]

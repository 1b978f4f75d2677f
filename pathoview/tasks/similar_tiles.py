"""The tiles that look most like one tile to an encoder, on its slide and on those of its study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pathoview.core.errors import UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.study.feature_file import TileFeatures
from pathoview.tasks.described_slides import DescribedRequest, DescribedSlide, described_slides

MOST = 1000
"""So many tiles are found at most."""


class SimilarRequest(DescribedRequest):
    """Tiles like which one are wanted, and how many."""

    x_l0: float
    y_l0: float
    """A place in the tile, level-0 px."""
    n: int = Field(20, ge=1, le=MOST)


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Compare a tile with all others by the cosine of their features; see `SimilarRequest`.

    Slides are read one after the other. The tile itself is left out.
    Raises `InputError` when the slide is not described, `UsageError` when there is no tile at the
    place, `StorageError` and `Cancelled`.
    """
    wanted = SimilarRequest.model_validate(request)
    described = described_slides(wanted)
    found: list[dict[str, Any]] = []
    query, tile, n_tiles = None, {}, 0
    for slide, tiles in described.tiles(progress):
        is_own = query is None
        if query is None:
            place = _tile_at(slide, tiles, wanted)
            query, tile = tiles.features[place], _said(slide, tiles, place)
        n_tiles += len(tiles)
        likeness = cosine(tiles.features, query)
        if is_own:
            likeness[place] = -np.inf
        best = np.argsort(-likeness, kind="stable")[: wanted.n]
        found += [
            {**_said(slide, tiles, place), "similarity": round(float(likeness[place]), 6)}
            for place in best[np.isfinite(likeness[best])].tolist()
        ]
        found = sorted(found, key=lambda one: -one["similarity"])[: wanted.n]
    return {
        "tile": tile,
        "encoder": described.encoder,
        "n_slides": len(described.slides),
        "n_without": described.n_without,
        "n_tiles": n_tiles,
        "similar": found,
    }


def cosine(
    features: npt.NDArray[np.float32], query: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return how alike rows are to a row, (tile,), -1 to 1; 0 for what has no features at all."""
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(query)
    products = features @ query
    alike = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return np.asarray(alike, np.float32)


def _tile_at(slide: DescribedSlide, tiles: TileFeatures, wanted: SimilarRequest) -> int:
    column, row = slide.cell_l0.at(wanted.x_l0, wanted.y_l0)
    (found,) = np.nonzero((tiles.columns == column) & (tiles.rows == row))
    if not len(found):
        raise UsageError(
            _("There is no described tile at {x:,.0f}, {y:,.0f}.").format(
                x=wanted.x_l0, y=wanted.y_l0
            ),
            _("Choose a place in the tissue."),
        )
    return int(found[0])


def _said(slide: DescribedSlide, tiles: TileFeatures, place: int) -> dict[str, Any]:
    rect = slide.cell_l0.rect(float(tiles.columns[place]), float(tiles.rows[place]))
    return {
        "slide_hash": slide.slide_hash,
        "pseudonym": slide.pseudonym,
        "x_l0": rect.x,
        "y_l0": rect.y,
        "width_l0": rect.width,
        "height_l0": rect.height,
        "n_columns": slide.n_columns,
    }

"""Normalised tiles are the slide's own, in other colours, and marked."""

from __future__ import annotations

import numpy as np
from fakes import ArraySlide
from makers import he_image

from pathoview.core.pyramid import TileKey
from pathoview.layers.normalised_source import BADGE, NormalisedSource
from pathoview.layers.synthetic_source import badge_pixels
from pathoview.slides.stain_normalisation import StainNormaliser

SLIDE = ArraySlide(he_image(1024, 768))


def made(method: str = "macenko") -> StainNormaliser:
    return StainNormaliser.fit(SLIDE, method)  # type: ignore[arg-type]


def test_tiles_hold_normalised_pixels_and_a_badge() -> None:
    source = NormalisedSource(SLIDE, made())
    tile = source.read_tile(TileKey(0, 0, 0))
    assert isinstance(tile, np.ndarray)
    expected = made().apply(SLIDE.read(0, 0, 0, tile.shape[1], tile.shape[0]))
    is_other = (tile[..., :3] != expected).any(axis=2)
    badge = badge_pixels(BADGE)
    assert 0 < is_other.mean() < 0.1
    rows, columns = np.nonzero(is_other)
    part = tile[rows.min() :, columns.min() :, :3][: badge.shape[0], : badge.shape[1]]
    assert np.array_equal(part, badge)
    assert (tile[..., 3] == 255).all()


def test_another_normaliser_makes_other_tiles() -> None:
    source = NormalisedSource(SLIDE, made())
    said: list[object] = []
    source.changed.connect(said.append)
    before = source.style_version
    source.normaliser = made()
    assert (source.style_version, said) == (before, [])
    source.normaliser = made("reinhard")
    assert source.style_version > before
    assert said == [None]

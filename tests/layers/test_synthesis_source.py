"""The layers of a pseudo-healthy run: exact places, nothing where nothing is known, a badge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.core.geometry import Rect
from pathoview.layers.compose import source_picture
from pathoview.layers.layer import Layer
from pathoview.layers.synthesis_source import (
    DifferenceSource,
    PathologySource,
    PseudoHealthySource,
    SynthesisTiles,
    synthesis_layer,
    synthesis_layers,
)
from pathoview.layers.synthetic_source import badge_pixels
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import synthesis_planes

TILE_PX, SCALE, SIDE_L0 = 128, 2.0, 2048.0
SIZE_L0 = (SIDE_L0, SIDE_L0)
PLANTED = slice(40, 70), slice(20, 60)
"""Rows and columns of a tile that are replaced."""
COL, ROW = 2, 3


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFile]:
    """A run of 8 × 8 tiles without any."""
    side = int(SIDE_L0 / SCALE)
    record = RunRecord(
        key="k",
        method="bleach",
        title="As if healthy",
        gives="synthesis",
        classes=(DetectionClass("Tumor", (200, 30, 60)),),
        slide_hash="abc",
        pseudonym="slide-abc",
        mpp=1.0,
        grid_px=(side, side),
        scale_l0=SCALE,
        tile_px=TILE_PX,
    )
    with RunFile.create(tmp_path / "a.run", record) as file:
        yield file


def add_tile(run: RunFile) -> None:
    """Store one tile; its first eight rows are glass."""
    slide = np.full((TILE_PX, TILE_PX, 3), 90, np.uint8)
    picture, pathology = slide.copy(), np.zeros((TILE_PX, TILE_PX), np.float32)
    picture[PLANTED], pathology[PLANTED] = 200, 0.8
    planes = synthesis_planes(slide, picture, pathology)
    planes[:, :8] = 0
    rows = run.synthesis_rows()
    rows.add(COL, ROW, planes, rows.n_levels(1024, 1024))


def looked(run: RunFile) -> tuple[SynthesisTiles, list[Layer]]:
    tiles = SynthesisTiles(run)
    layers = list(synthesis_layers(tiles, "As if healthy", SIZE_L0))
    return tiles, layers


def at(x: float, y: float) -> tuple[float, float]:
    """Return level-0 px of the middle of a px of the tile."""
    return (COL * TILE_PX + x + 0.5) * SCALE, (ROW * TILE_PX + y + 0.5) * SCALE


def test_values_are_told_where_they_are(run: RunFile) -> None:
    add_tile(run)
    tiles, (_picture, difference, brightness, pathology) = looked(run)
    assert tiles.look() is not None
    assert isinstance(difference.source, DifferenceSource)
    assert isinstance(pathology.source, PathologySource)
    told = [layer.source.value_at(*at(20, 40)) for layer in (difference, brightness, pathology)]  # type: ignore[attr-defined]
    assert told == [110, -110, pytest.approx(0.8)]
    beside = [layer.source.value_at(*at(19, 40)) for layer in (difference, brightness, pathology)]  # type: ignore[attr-defined]
    assert beside == [0, 0, 0]
    assert pathology.source.value_at(*at(20, 7)) is None
    n = 30 * 40
    area, share = pathology.source.area_above(0.8)
    assert (area, share) == pytest.approx((n / 1e6, n / 15360))
    assert pathology.source.area_above(0.81)[0] == 0
    assert difference.source.area_above(110)[0] == pytest.approx(n / 1e6)
    assert pathology.source.outlined_from(0.3) == {"of": "pathology", "probability": 0.3}
    assert difference.source.outlined_from(30) == {"of": "difference", "difference": 30}


def test_only_the_pathology_above_the_threshold_is_seen_at_first(run: RunFile) -> None:
    add_tile(run)
    _tiles, layers = looked(run)
    assert [layer.visible for layer in layers] == [False, False, False, True]
    seen = source_picture(layers[-1].source, Rect(0, 0, *SIZE_L0), 1024, 1024)[..., 3]
    rows, columns = np.nonzero(seen)
    top, left = ROW * TILE_PX, COL * TILE_PX
    assert (rows.min(), rows.max() + 1) == (top + 40, top + 70)
    assert (columns.min(), columns.max() + 1) == (left + 20, left + 60)


def test_the_picture_is_seen_as_it_was_made_and_comes_tile_by_tile(run: RunFile) -> None:
    tiles, (layer, *_others) = looked(run)
    source = layer.source
    assert isinstance(source, PseudoHealthySource)
    told: list[Rect] = []
    source.changed.connect(told.append)
    whole = Rect(0, 0, *SIZE_L0)
    assert not source_picture(source, whole, 1024, 1024)[..., 3].any()
    add_tile(run)
    came = tiles.look()
    assert came == Rect(COL * 256, ROW * 256, 256, 256)
    source.grew(came)
    assert told == [came]
    seen = source_picture(source, whole, 1024, 1024)
    tile = seen[ROW * TILE_PX :, COL * TILE_PX :][:TILE_PX, :TILE_PX]
    assert tile[50, 40].tolist() == [200, 200, 200, 255]
    assert tile[20, 10].tolist() == [90, 90, 90, 255]
    assert not tile[:7, :, 3].any()
    seen[ROW * TILE_PX : (ROW + 1) * TILE_PX, COL * TILE_PX : (COL + 1) * TILE_PX] = 0
    assert not seen.any()


@pytest.mark.parametrize("size", [256, 128, 64])
def test_a_small_region_has_its_badge_at_every_zoom(run: RunFile, size: int) -> None:
    add_tile(run)
    region = COL * 256, ROW * 256, 256, 256
    run.update_record(region_l0=region)
    layer = synthesis_layer(run, *SIZE_L0, "pseudo-healthy")
    seen = source_picture(layer.source, Rect(*region), size, size)
    is_ground = (seen[..., :3] == badge_pixels()[0, 0]).all(axis=2)
    assert is_ground.sum() > 100
    assert layer.visible

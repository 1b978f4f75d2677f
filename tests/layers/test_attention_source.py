"""What is said of tiles as layers: where the tiles are, at every zoom and however turned."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide

from pathoview.annotations.detections import DetectionClass
from pathoview.core.geometry import Rect
from pathoview.layers.attention_source import (
    ATTENTION_MEANING,
    TileValueSource,
    attention_layer,
    attention_layers,
    fill_layers,
)
from pathoview.layers.compose import Shown, warped, whole_tiles
from pathoview.layers.frame import Frame, Look
from pathoview.layers.heatmap_source import HeatmapStyle
from pathoview.layers.layer import Layer
from pathoview.layers.pictures.legend import legend_of
from pathoview.layers.slide_source import SlideSource
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile

WIDTH, HEIGHT = 1500, 1100
CLASSES = (DetectionClass("Benign", (0, 200, 0)), DetectionClass("Tumor", (200, 0, 0)))
COLUMN, ROW = 5, 3


def record_of(side_l0: float) -> RunRecord:
    grid_px = int(WIDTH // side_l0), int(HEIGHT // side_l0)
    return RunRecord(
        key="k",
        method="m",
        title="Model",
        slide_hash="0",
        pseudonym="p",
        gives="bag",
        classes=CLASSES,
        grid_px=grid_px,
        scale_l0=side_l0,
        tile_px=64,
        mpp=1.0,
    )


def tiles_of(record: RunRecord, column: int = COLUMN, row: int = ROW) -> BagTiles:
    """Return all tiles but those of the first row; the one at a place counts most."""
    width, height = record.grid_px
    rows, columns = (one.ravel().astype(np.int32) for one in np.mgrid[1:height, 0:width])
    attention = np.ones(len(rows), np.float32)
    attention[(columns == column) & (rows == row)] = len(rows)
    attention /= attention.sum()
    tumor = np.linspace(0, 1, len(rows), dtype=np.float32)
    return BagTiles(columns, rows, attention, np.stack([1 - tumor, tumor], axis=1))


def layers_of(side_l0: float) -> tuple[TileValueSource, TileValueSource, BagTiles]:
    record = record_of(side_l0)
    layers, tiles = attention_layers(record, "Model", WIDTH, HEIGHT), tiles_of(record)
    fill_layers(layers, tiles, record.grid_px)
    attention, evidence = (layer.source for layer in layers)
    assert isinstance(attention, TileValueSource)
    assert isinstance(evidence, TileValueSource)
    return attention, evidence, tiles


def mask(layer_source: TileValueSource | SlideSource, frame: Frame) -> npt.NDArray[np.uint8]:
    """Return the red or the opacity of what a source shows in a frame."""
    pixels = warped(Shown(layer_source), frame.to_px, frame.width, frame.height, whole_tiles)
    assert pixels is not None
    is_slide = isinstance(layer_source, SlideSource)
    return np.asarray(pixels[..., 0 if is_slide else 3] > 128, np.uint8)


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, 217.0])
@pytest.mark.parametrize("scale", [0.06, 0.31, 1.0, 3.7])
@pytest.mark.parametrize("is_flipped", [False, True])
def test_a_planted_bright_tile_lies_where_its_attention_lies(
    rotation: float, scale: float, is_flipped: bool
) -> None:
    side = 100
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[ROW * side : (ROW + 1) * side, COLUMN * side : (COLUMN + 1) * side] = 255
    slide = SlideSource(ArraySlide(rgb, downsamples=(1, 4)))
    attention, _evidence, _tiles = layers_of(side)
    attention.style = HeatmapStyle(threshold=2.0)
    middle = (COLUMN + 0.5) * side + 20, (ROW + 0.5) * side - 10
    frame = Frame.around(middle, Look(scale, rotation, is_flipped), 700, 600)
    bright, attended = mask(slide, frame), mask(attention, frame)
    assert bright.sum() == pytest.approx((side * scale) ** 2, rel=0.2)
    # Edges may differ by a px of the screen: a slide is sampled smoothly from its levels.
    edge = np.ones((5, 5), np.uint8)
    assert not (cv2.erode(bright, edge) > attended).any()
    assert not (cv2.erode(attended, edge) > bright).any()
    assert attended.sum() == pytest.approx(bright.sum(), rel=0.2)


def test_tiles_of_broken_sizes_are_on_the_exact_grid() -> None:
    side = 104.0625
    attention, evidence, tiles = layers_of(side)
    for number in range(len(tiles)):
        left, top = tiles.columns[number] * side, tiles.rows[number] * side
        for x, y in ((left + 0.01, top + 0.01), (left + side - 0.01, top + side - 0.01)):
            wanted = pytest.approx(tiles.relative_attention[number])
            assert attention.value_at(x, y) == wanted
            assert evidence.value_at(x, y) == pytest.approx(tiles.evidence[number, 1])
    assert attention.value_at(COLUMN * side, side / 2) is None  # no tile is there


def test_patches_of_a_whole_picture_lie_on_cells_that_are_no_squares() -> None:
    width, height = 7, 3
    record = record_of(100.0).model_copy(
        update={
            "grid_px": (width, height),
            "scale_l0": WIDTH / width,
            "height_l0": HEIGHT / height,
            "context": {"encoder": {"of_whole": True}},
        }
    )
    rows, columns = np.divmod(np.arange(width * height, dtype=np.int32), np.int32(width))
    tumor = np.linspace(0, 1, len(rows), dtype=np.float32)
    each = np.full(len(rows), 1 / len(rows), np.float32)
    layers = attention_layers(record, "Model", WIDTH, HEIGHT)
    fill_layers(
        layers, BagTiles(columns, rows, each, np.stack([1 - tumor, tumor], 1)), record.grid_px
    )
    assert [layer.visible for layer in layers] == [False, True]
    evidence = layers[1].source
    assert isinstance(evidence, TileValueSource)
    for column, row, value in zip(columns.tolist(), rows.tolist(), tumor.tolist(), strict=True):
        cell = record.cell_l0.rect(column, row)
        for x, y in ((cell.x + 0.01, cell.y + 0.01), (cell.right - 0.01, cell.bottom - 0.01)):
            assert evidence.value_at(x, y) == pytest.approx(value)


def test_the_value_is_a_multiple_of_the_average_and_the_legend_says_it_is_no_probability() -> None:
    attention, evidence, tiles = layers_of(100)
    assert tiles.relative_attention.mean() == pytest.approx(1)
    assert attention.value_at(COLUMN * 100 + 1, ROW * 100 + 1) == pytest.approx(len(tiles) / 2, 0.1)
    legend = legend_of("Model: attention", attention)
    assert legend is not None
    assert legend.title == ATTENTION_MEANING
    assert "not probability" in legend.title
    assert legend.limits == attention.style.limits
    assert evidence.raster.channels == ("Benign", "Tumor")
    assert (evidence.style.channel, evidence.style.limits) == (1, (0.0, 1.0))


def test_tiles_that_count_alike_look_alike() -> None:
    record = record_of(100)
    layers, tiles = attention_layers(record, "Model", WIDTH, HEIGHT), tiles_of(record, -1)
    fill_layers(layers, tiles, record.grid_px)
    source = layers[0].source
    assert isinstance(source, TileValueSource)
    assert source.limits == (0.0, 2.0)
    assert [layer.visible for layer in layers] == [True, False]


def test_nothing_fades_between_tiles_even_when_it_is_asked() -> None:
    attention, _evidence, _tiles = layers_of(100)
    frame = Frame.around((COLUMN * 100, ROW * 100 + 50), Look(4.0), 200, 100)

    def colors(style: HeatmapStyle) -> npt.NDArray[np.uint8]:
        attention.style = style
        pixels = warped(Shown(attention), frame.to_px, 200, 100, whole_tiles)
        assert pixels is not None
        return np.unique(pixels.reshape(-1, 4), axis=0)

    limits = 0.0, 100.0
    assert len(colors(HeatmapStyle(limits=limits))) == 2
    assert len(colors(HeatmapStyle(limits=limits, interpolate=True))) == 2
    assert len(colors(HeatmapStyle(limits=limits, interpolate=True, scaling="rank"))) == 2


def test_a_layer_without_tiles_yet_is_empty_and_is_told_when_they_come() -> None:
    record = record_of(100)
    layers = attention_layers(record, "Model", WIDTH, HEIGHT)
    source = layers[0].source
    assert isinstance(source, TileValueSource)
    assert source.value_at(550, 350) is None
    assert len(source.sample()) == 0
    told: list[Rect | None] = []
    source.changed.connect(told.append)
    version = source.style_version
    fill_layers(layers, tiles_of(record), record.grid_px)
    assert told
    assert source.style_version > version
    assert len(source.sample()) == len(tiles_of(record))


def test_a_finished_run_is_one_layer_for_pictures(tmp_path: Path) -> None:
    record = record_of(100)
    with RunFile.create(tmp_path / "one.run", record) as run:
        empty = attention_layer(run, WIDTH, HEIGHT).source
        assert isinstance(empty, TileValueSource)
        assert empty.value_at(550, 350) is None
        run.bag_rows().store(tiles_of(record))
        layer: Layer = attention_layer(run, WIDTH, HEIGHT)
        assert isinstance(layer.source, TileValueSource)
        assert layer.source.value_at(COLUMN * 100 + 50, ROW * 100 + 50) == pytest.approx(
            tiles_of(record).relative_attention.max()
        )

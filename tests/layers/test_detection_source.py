from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from painted import boxes, opaque_box, straight

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, concatenate
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import paint
from pathoview.layers.density import Density
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.outline_colors import OutlineStyle, limits_of

TUMOR = DetectionClass("Tumor", (200, 0, 0))
IMMUNE = DetectionClass("Immune cells", (160, 90, 160))
SOLID = OutlineStyle(fill_opacity=1.0, line_width_px=1)


def level_of(source: DetectionSource, downsample: float) -> int:
    downsamples = [level.downsample for level in source.pyramid.levels]
    return downsamples.index(downsample)


@pytest.mark.parametrize("downsample", [1 / 16, 1 / 4, 1, 2, 4])
def test_an_outline_lies_on_the_pixels_its_level_0_coordinates_say(downsample: float) -> None:
    source = DetectionSource(4096, 4096, SOLID)
    box_l0 = Rect(1060, 2080, 40, 24)
    source.append(boxes([box_l0]))
    level = level_of(source, downsample)
    tile_side_l0 = 512 * downsample
    key = TileKey(level, int(1060 // tile_side_l0), int(2080 // tile_side_l0))
    tile = source.read_tile(key)
    assert tile is not None
    left, top, right, bottom = opaque_box(tile)
    corner = source.pyramid.tile_l0(key)
    expected = box_l0.moved(-corner.x, -corner.y).scaled(1 / downsample)
    expected = expected.intersection(Rect(0, 0, 512, 512))
    # the line is centred on the outline: half a pixel and rounding on every side
    assert (left, top) == pytest.approx((expected.x, expected.y), abs=1.01)
    assert (right, bottom) == pytest.approx((expected.right, expected.bottom), abs=1.01)


def test_a_filled_box_and_the_slide_pixels_it_covers_have_the_same_centre() -> None:
    source = DetectionSource(2048, 2048, replace(SOLID, color=(255, 255, 255)))
    source.append(boxes([Rect(100, 60, 31, 21)]))
    for downsample in (1 / 8, 1, 2):
        level = level_of(source, downsample)
        columns, rows = source.pyramid.grid(level)
        weight, sums = 0.0, np.zeros(2)
        for row in range(rows):
            for column in range(columns):
                tile = source.read_tile(TileKey(level, column, row))
                if tile is not None:
                    alpha = tile[..., 3] / 255
                    ys, xs = np.nonzero(alpha)
                    strength = alpha[ys, xs]
                    weight += strength.sum()
                    sums += (
                        (strength * (xs + 0.5 + 512 * column)).sum(),
                        (strength * (ys + 0.5 + 512 * row)).sum(),
                    )
        assert sums / weight * downsample == pytest.approx((115.5, 70.5), abs=0.6 * downsample)


def test_an_object_across_a_seam_is_drawn_on_both_tiles_and_nothing_elsewhere() -> None:
    source = DetectionSource(2048, 2048, SOLID)
    source.append(boxes([Rect(500, 100, 24, 24)]))
    level = level_of(source, 1)
    left, right = source.read_tile(TileKey(level, 0, 0)), source.read_tile(TileKey(level, 1, 0))
    assert left is not None
    assert right is not None
    assert opaque_box(left)[2] == 512
    assert opaque_box(right)[0] == 0
    assert source.read_tile(TileKey(level, 2, 2)) is None


def test_colours_are_not_mixed_with_black_at_antialiased_edges() -> None:
    source = DetectionSource(512, 512, OutlineStyle(color=(200, 100, 50)))
    source.append(boxes([Rect(100.3, 100.3, 50, 50)]))
    tile = source.read_tile(TileKey(level_of(source, 1), 0, 0))
    assert tile is not None
    tile = straight(tile)
    edge = tile[(tile[..., 3] > 60) & (tile[..., 3] < 255)]
    assert len(edge)
    assert np.abs(edge[:, :3].astype(int) - (200, 100, 50)).max() <= 12


def test_from_afar_every_object_still_leaves_a_mark_and_no_class_vanishes() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 16_000, (3000, 2))
    rects = [Rect(x, y, 10, 10) for x, y in places.round(2).tolist()]
    rare = Rect(8000, 8000, 10, 10)
    crowd = [Rect(8000 + i % 5, 8000 + i // 5, 10, 10) for i in range(200)]
    source = DetectionSource(16_384, 16_384)
    source.append(boxes(rects + crowd, [TUMOR], [0] * (len(rects) + len(crowd))))
    source.append(boxes([rare], [IMMUNE], [0]))
    for downsample in (8, 16, 32):
        level = level_of(source, downsample)
        columns, rows = source.pyramid.grid(level)
        tiles = {
            (column, row): source.read_tile(TileKey(level, column, row))
            for column in range(columns)
            for row in range(rows)
        }
        for rect in [*rects, rare]:
            x, y = (value / downsample for value in rect.center)
            tile = tiles[int(x // 512), int(y // 512)]
            assert tile is not None
            bins = tile[int(y % 512) // 4 * 4 :, int(x % 512) // 4 * 4 :][:4, :4]
            assert bins[..., 3].max() > 60
        colors = {
            tuple(color)
            for tile in tiles.values()
            if tile is not None
            for color in np.unique(straight(tile)[tile[..., 3] > 0][:, :3], axis=0).tolist()
        }
        # premultiplied whole numbers, so a faint dot may be off by a few
        is_seen = {
            kind.name: any(math.dist(kind.color, color) <= 4 for color in colors)
            for kind in (TUMOR, IMMUNE)
        }
        assert is_seen == {TUMOR.name: True, IMMUNE.name: True}
        for color in colors:
            assert min(math.dist(kind.color, color) for kind in (TUMOR, IMMUNE)) <= 4


def test_more_objects_are_more_opaque_from_afar() -> None:
    source = DetectionSource(16_384, 16_384)
    source.append(boxes([Rect(100, 100, 8, 8)]))
    source.append(boxes([Rect(8000 + i, 8000, 8, 8) for i in range(30)]))
    level = level_of(source, 32)
    tile = source.read_tile(TileKey(level, 0, 0))
    assert tile is not None
    alone, crowd = tile[3, 3, 3], tile[8000 // 32, 8000 // 32, 3]
    assert 60 < alone < crowd


def test_outlines_stay_outlines_as_long_as_they_can_be_seen() -> None:
    source = DetectionSource(16_384, 16_384)
    source.append(boxes([Rect(4000, 4000, 40, 40)]))
    tile = source.read_tile(TileKey(level_of(source, 8), 0, 0))
    assert tile is not None
    assert tile[502, 502, 3] < 60 < tile[500, 502, 3]


def test_appending_tells_where_and_costs_nothing_elsewhere() -> None:
    source = DetectionSource(8192, 8192)
    told: list[Rect | None] = []
    source.changed.connect(told.append)
    source.append(boxes([Rect(100, 100, 30, 30)]))
    source.append(boxes([Rect(5000, 5000, 30, 30)]))
    assert told[1] is not None
    assert told[1].contains(5000, 5000)
    assert not told[1].intersects(Rect(0, 0, 4000, 4000))
    source.append(concatenate([]))
    assert len(told) == 2


def test_the_smallest_outline_at_a_place_is_picked() -> None:
    source = DetectionSource(20_000, 20_000)
    large, small = Rect(1000, 1000, 9000, 9000), Rect(5000, 5000, 20, 20)
    source.append(boxes([large]))
    source.append(boxes([Rect(0, 0, 5, 5), small]))
    assert source.pick(5010, 5010) == 2
    assert source.pick(2000, 9000) == 0
    assert source.pick(500, 500) is None
    assert source.row(2).ring_l0(0)[0].tolist() == [5000, 5000]


def test_a_concave_outline_is_not_picked_in_its_notch() -> None:
    source = DetectionSource(100, 100)
    table = boxes([Rect(0, 0, 40, 40)])
    notch = np.array([(0, 0), (40, 0), (20, 20), (40, 40), (0, 40)], np.int32) * 100
    source.append(replace(table, points=notch, offsets=np.array([0, 5])))
    assert source.pick(35, 20) is None
    assert source.pick(5, 20) == 0


def test_dropping_removes_rows_counts_and_pictures_and_keeps_the_selected_one() -> None:
    source = DetectionSource(1024, 1024, SOLID)
    table = boxes([Rect(10, 10, 20, 20), Rect(600, 600, 20, 20)], [TUMOR], [0, 0])
    source.append(table)
    source.selected = 1
    assert source.drop(table.ids[:1]) == 1
    assert len(source) == 1
    assert source.class_counts() == {0: 1}
    assert source.selected == 0
    assert source.read_tile(TileKey(level_of(source, 1), 0, 0)) is None
    assert source.drop(table.ids[:1]) == 0


def test_dropping_some_of_many_leaves_the_rest_in_order_and_in_their_colours() -> None:
    source = DetectionSource(4096, 4096)
    for row in range(4):
        rects = [Rect(40 * column, 40 * row, 20, 20) for column in range(50)]
        source.append(boxes(rects, [TUMOR, IMMUNE], [row % 2] * 50))
    source.recolor_class("Tumor", (0, 255, 0))
    ids = source.detections.ids
    gone = np.concatenate([ids[50:100], ids[[3, 120]]])
    almost = ids[7:8].copy()
    almost[0, -1] ^= 1  # the same first half
    assert source.drop(np.concatenate([gone, almost])) == 52
    kept = np.delete(np.arange(200), [*range(50, 100), 3, 120])
    assert np.array_equal(source.detections.ids, ids[kept])
    assert source.class_counts() == {0: 98, 1: 50}
    assert source.classes[0].color == (0, 255, 0)
    assert source.pick(50, 50) is None
    assert source.pick(50, 10) == 1


def test_classes_of_later_tables_are_merged_by_name() -> None:
    source = DetectionSource(1024, 1024)
    source.append(boxes([Rect(0, 0, 9, 9), Rect(20, 0, 9, 9)], [TUMOR], [0, -1]))
    source.append(boxes([Rect(40, 0, 9, 9)] * 2, [IMMUNE, TUMOR], [1, 0]))
    assert [entry.name for entry in source.classes] == ["Tumor", "Immune cells"]
    assert source.class_counts() == {-1: 1, 0: 2, 1: 1}
    assert source.detections.class_index.tolist() == [0, -1, 0, 1]


def test_colours_follow_a_measurement_and_unknown_values_keep_the_plain_colour() -> None:
    style = OutlineStyle("measurement", (1, 2, 3), "Area", (0, 10), line_width_px=1, fill_opacity=1)
    source = DetectionSource(512, 512, style)
    rects = [Rect(x, 10, 40, 40) for x in (10, 110, 210)]
    source.append(boxes(rects, Area=[0, 10, np.nan]))
    tile = source.read_tile(TileKey(level_of(source, 1), 0, 0))
    assert tile is not None
    low, high, unknown = (tile[30, x + 20, :3].tolist() for x in (10, 110, 210))
    assert low == [68, 1, 84]
    assert high == [253, 231, 37]
    assert unknown == [1, 2, 3]


def test_limits_of_colours_are_taken_from_the_data_when_none_are_given() -> None:
    source = DetectionSource(512, 512, OutlineStyle("measurement", measurement="Area"))
    source.append(boxes([Rect(0, 0, 9, 9)] * 101, Area=list(range(101))))
    assert source.color_limits == pytest.approx((1, 99))
    before = source.style_version
    source.append(boxes([Rect(0, 0, 9, 9)] * 101, Area=[200] * 101))
    assert source.style_version > before
    assert source.color_limits[1] == 200


def test_the_selected_outline_stands_out() -> None:
    source = DetectionSource(512, 512, OutlineStyle(color=(0, 0, 255)))
    source.append(boxes([Rect(100, 100, 60, 60)]))
    key = TileKey(level_of(source, 1), 0, 0)
    told: list[Rect | None] = []
    source.changed.connect(told.append)
    source.selected = 0
    assert told[0] is not None
    tile = source.read_tile(key)
    assert tile is not None
    assert tile[130, 98:103].max(axis=0).tolist() == [255, 255, 255, 255]


def test_recolouring_a_class_changes_the_picture_and_the_style_version() -> None:
    source = DetectionSource(512, 512, SOLID)
    source.append(boxes([Rect(100, 100, 60, 60)], [TUMOR], [0]))
    before = source.style_version
    source.recolor_class("Tumor", (0, 255, 0))
    tile = source.read_tile(TileKey(level_of(source, 1), 0, 0))
    assert tile is not None
    assert tile[130, 130].tolist() == [0, 255, 0, 255]
    assert source.style_version > before


def test_tiles_can_be_painted_while_others_come_in() -> None:
    source = DetectionSource(4096, 4096)
    problems: list[Exception] = []
    done = threading.Event()

    def paint() -> None:
        while not done.is_set():
            for downsample in (1, 8):
                try:
                    source.read_tile(TileKey(level_of(source, downsample), 0, 0))
                except (IndexError, ValueError, KeyError) as error:
                    problems.append(error)

    threads = [threading.Thread(target=paint) for _number in range(2)]
    for thread in threads:
        thread.start()
    for row in range(40):
        source.append(boxes([Rect(20 * column, 20 * row, 12, 12) for column in range(100)]))
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(source) == 4000
    assert len(source.detections) == 4000


def whole_picture(source: DetectionSource, downsample: float) -> np.ndarray:
    """Return the tile at the slide's corner, (height, width, 4); black where nothing is drawn."""
    tile = source.read_tile(TileKey(level_of(source, downsample), 0, 0))
    return np.zeros((512, 512, 4), np.uint8) if tile is None else straight(tile)


def has_color(picture: np.ndarray, color: tuple[int, int, int]) -> bool:
    return bool(
        (np.abs(picture[..., :3].astype(int) - color).max(axis=-1) <= 4)[picture[..., 3] > 0].any()
    )


@pytest.mark.parametrize("downsample", [1, 16])
@pytest.mark.parametrize("mode", ["class", "single", "measurement"])
def test_hidden_classes_are_neither_outlined_nor_among_the_dots(
    mode: Literal["class", "single", "measurement"], downsample: float
) -> None:
    style = OutlineStyle(mode, (1, 2, 250), "Area", (0, 10), 1, 1.0)
    source = DetectionSource(8192, 8192, style)
    rects = [Rect(x, 10, 40, 40) for x in (10, 110, 210)]
    source.append(boxes(rects, [TUMOR, IMMUNE], [0, 1, -1], Area=[0, 5, 10]))
    shown = whole_picture(source, downsample)
    versions = [source.style_version]
    told: list[object] = []
    source.changed.connect(told.append)
    source.hidden_classes = frozenset({"Tumor", ""})
    versions.append(source.style_version)
    left = whole_picture(source, downsample)
    columns = np.flatnonzero(left[..., 3].any(axis=0)) * downsample
    assert columns.min() > 90
    assert columns.max() < 200
    source.hidden_classes = frozenset()
    versions.append(source.style_version)
    assert np.array_equal(whole_picture(source, downsample), shown)
    assert versions == sorted(set(versions))
    assert told == [None, None]


def test_a_hidden_object_is_not_picked_and_its_highlight_goes() -> None:
    source = DetectionSource(512, 512)
    source.append(boxes([Rect(100, 100, 60, 60), Rect(90, 90, 200, 200)], [TUMOR], [0, -1]))
    assert source.pick(130, 130) == 0
    source.selected = 0
    source.hidden_classes = frozenset({"Tumor"})
    assert source.pick(130, 130) == 1
    picture = whole_picture(source, 1)
    assert not picture[125:135, 95:105].any()
    source.hidden_classes = frozenset({"Tumor", ""})
    assert source.pick(130, 130) is None


def test_a_class_that_comes_later_is_hidden_too() -> None:
    source = DetectionSource(512, 512, SOLID)
    source.hidden_classes = frozenset({"Immune cells"})
    source.append(boxes([Rect(10, 10, 50, 50)], [TUMOR], [0]))
    source.append(boxes([Rect(100, 10, 50, 50)], [IMMUNE], [0]))
    picture = whole_picture(source, 1)
    assert has_color(picture, TUMOR.color)
    assert not has_color(picture, IMMUNE.color)
    assert source.class_counts() == {0: 1, 1: 1}


def test_the_order_of_colours_changes_nothing_about_which_object_has_which() -> None:
    rng = np.random.default_rng(3)
    kinds = rng.integers(-1, 2, 400).tolist()
    rects = [Rect(20 * (i % 20) + 2, 20 * (i // 20) + 2, 14, 14) for i in range(400)]
    source = DetectionSource(512, 512, replace(SOLID, color=(0, 0, 250)))
    for start in range(0, 400, 130):
        part = slice(start, start + 130)
        source.add(boxes(rects[part], [TUMOR, IMMUNE], kinds[part]))
    picture = whole_picture(source, 1)
    colors = {-1: [0, 0, 250], 0: list(TUMOR.color), 1: list(IMMUNE.color)}
    for rect, kind in zip(rects, kinds, strict=True):
        x, y = rect.center
        assert picture[int(y), int(x), :3].tolist() == colors[kind]


def test_dots_follow_the_new_limits_when_they_are_taken_anew() -> None:
    style = OutlineStyle("measurement", measurement="Area")
    source = DetectionSource(16_384, 16_384, style)
    low, high = [Rect(100, 100, 10, 10)] * 60, [Rect(2000, 100, 10, 10)] * 60
    source.append(boxes(low, Area=[1] * 30 + [2] * 30))
    assert has_color(whole_picture(source, 16), (253, 231, 37))
    source.append(boxes(high, Area=[100] * 60))
    assert not has_color(whole_picture(source, 16)[:, :60], (253, 231, 37))


def test_limits_of_very_many_values_are_nearly_the_percentiles() -> None:
    values = np.random.default_rng(0).gamma(2, 10, 300_000).astype(np.float32)
    values[::7] = np.nan
    tables = [
        replace(boxes([Rect(0, 0, 9, 9)] * 50_000), measurements={"Area": values[start:][:50_000]})
        for start in range(0, 300_000, 50_000)
    ]
    limits = limits_of(tables, "Area")
    assert limits == pytest.approx(np.nanpercentile(values, (1, 99)).tolist(), rel=0.05)


def test_a_style_is_taken_without_counting_a_single_object(monkeypatch: pytest.MonkeyPatch) -> None:
    source = DetectionSource(16_384, 16_384)
    source.append(boxes([Rect(100, 100, 10, 10)] * 60, Area=list(range(60))))
    counted = []
    add = Density.add
    monkeypatch.setattr(Density, "add", lambda *args: (counted.append(1), add(*args)))
    source.style = OutlineStyle("measurement", measurement="Area")
    source.hidden_classes = frozenset({"Tumor"})
    assert source.color_limits[1] > 0
    assert not counted
    whole_picture(source, 16)
    assert counted


@pytest.mark.parametrize("downsample", [1 / 16, 1, 8, 1024])
def test_points_of_tables_land_where_other_points_do(downsample: float) -> None:
    tile_lv = Rect(512 * 7, 512 * 13, 512, 512)
    near = np.array([tile_lv.x, tile_lv.y]) + np.random.default_rng(0).uniform(-600, 600, (999, 2))
    points = np.rint(near * downsample * SUBPIXEL).astype(np.int32)
    of_table = paint.canvas_points(points, tile_lv, downsample)
    assert np.abs(of_table - paint.to_canvas(points / SUBPIXEL, tile_lv, downsample)).max() <= 1


def test_an_outline_that_reaches_farther_than_any_picture_is_drawn() -> None:
    source = DetectionSource(2048, 2048, SOLID)
    source.append(boxes([Rect(100, -19e6, 20e6, 38e6)]))
    tile = source.read_tile(TileKey(0, 100 * 16 // 512, 2))
    assert tile is not None
    assert tile[:, 100 * 16 % 512 + 20, 3].min() == 255
    assert tile[:, 100 * 16 % 512 - 20, 3].max() == 0

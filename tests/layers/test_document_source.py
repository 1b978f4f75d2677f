"""Annotations come and go at a gesture, and what is drawn is what is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import document_source
from pathoview.layers.document_source import DocumentSource
from pathoview.layers.feature_source import FeatureSource

TUMOR, STROMA = DetectionClass("Tumor", (200, 0, 0)), DetectionClass("Stroma", (0, 200, 0))


def square(x: float, y: float = 0, side: float = 20, **members: object) -> Feature:
    return Feature(shapely.box(x, y, x + side, y + side), **members)  # type: ignore[arg-type]


def level_0(source: FeatureSource) -> int:
    return next(n for n, level in enumerate(source.pyramid.levels) if level.downsample == 1)


def tile(source: FeatureSource) -> np.ndarray:
    pixels = source.read_tile(TileKey(level_0(source), 0, 0))
    return np.zeros((0, 0, 4)) if pixels is None else pixels


def test_what_goes_is_not_drawn_and_what_comes_is() -> None:
    source = DocumentSource(512, 512)
    old, new = square(20, classification=TUMOR), square(100, classification=STROMA)
    assert source.change(Change.adding([old])) is not None
    rect_l0 = source.change(Change((old,), (new,)))
    assert rect_l0 is not None
    assert rect_l0.contains(25, 5)
    assert rect_l0.contains(110, 5)
    assert len(source) == 1
    assert source.class_counts() == {0: 0, 1: 1}
    assert (tile(source) == tile(FeatureSource(512, 512, [new]))).all()
    assert source.change(Change.removing([new])) is not None
    assert tile(source).size == 0


def test_the_smallest_at_a_place_is_found_first_and_lines_within_reach() -> None:
    source = DocumentSource(512, 512)
    large, small = square(0, side=200), square(50, 50)
    line = Feature(shapely.LineString([(0, 300), (300, 300)]))
    hidden = square(50, 50, is_hidden=True)
    source.change(Change.adding([small, large, line, hidden]))
    assert source.find(60, 60) == [small, large]
    assert source.find(100, 303) == []
    assert source.find(100, 303, reach_l0=5) == [line]
    assert source.within(shapely.box(195, 195, 400, 400)) == [large, line]


def test_classes_are_drawn_in_another_colour_at_once() -> None:
    source = DocumentSource(512, 512)
    source.change(Change.adding([square(20, classification=TUMOR)]))
    version = source.style_version
    source.recolor([replace(TUMOR, color=(0, 0, 255))])
    assert source.style_version > version
    blue = DocumentSource(512, 512)
    blue.change(Change.adding([square(20, classification=replace(TUMOR, color=(0, 0, 255)))]))
    assert (tile(source) == tile(blue)).all()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_after_any_gestures_it_is_drawn_like_a_new_one(data: st.DataObject) -> None:
    source, there, n = DocumentSource(512, 512), {}, 0
    before = document_source._MOST_SMALL_CHUNKS
    document_source._MOST_SMALL_CHUNKS = 2
    try:
        for _ in range(data.draw(st.integers(1, 10))):
            gone = [one for one in there.values() if data.draw(st.booleans())]
            moved = [
                # Nothing may overlap: what lies above is what was drawn last.
                replace(one, geometry=shapely.box(n, 40 * place, n + 9, 40 * place + 9))
                for place, one in enumerate(gone, 1)
                if data.draw(st.booleans())
            ]
            n += 30
            new = [square(n, classification=data.draw(st.sampled_from([None, TUMOR, STROMA])))]
            source.change(Change(tuple(gone), (*moved, *new)))
            there = {key: one for key, one in there.items() if one not in gone}
            there |= {one.id: one for one in (*moved, *new)}
    finally:
        document_source._MOST_SMALL_CHUNKS = before
    assert len(source) == len(there)
    everything = source.within(shapely.box(-1, -1, 600, 600))
    assert {one.id for one in everything} == set(there)
    fresh = FeatureSource(512, 512, everything)
    assert (tile(source) == tile(fresh)).all()


def test_an_empty_change_touches_nothing() -> None:
    source = DocumentSource(512, 512)
    assert source.change(Change()) is None
    assert isinstance(source.change(Change.adding([square(0)])), Rect)


def test_what_is_smaller_than_a_pixel_is_still_seen_in_the_colour_of_its_class() -> None:
    source = DocumentSource(40_000, 40_000)
    small = [
        square(500 * n, 400, classification=one) for n, one in enumerate([TUMOR, STROMA, None])
    ]
    own = square(2000, 400, color=(0, 0, 255))
    source.change(Change.adding([*small, own]))
    coarsest = len(source.pyramid.levels) - 1
    pixels = source.read_tile(TileKey(coarsest, 0, 0))
    assert isinstance(pixels, np.ndarray)
    seen = {tuple(color.tolist()) for color in pixels[pixels[..., 3] == 255][:, :3]}
    assert {TUMOR.color, STROMA.color, source.style.color, (0, 0, 255)} <= seen
    source.change(Change.removing([small[0]]))
    pixels = source.read_tile(TileKey(coarsest, 0, 0))
    assert isinstance(pixels, np.ndarray)
    assert TUMOR.color not in {tuple(color.tolist()) for color in pixels[..., :3].reshape(-1, 3)}

"""Maps of a run as layers: what is there is seen at every size, what is not is transparent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import SlideError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.prediction_source import (
    NOTHING,
    PredictionMap,
    class_numbers,
    doubt,
    prediction_layers,
    severity,
)
from pathoview.layers.source import Unfinished
from pathoview.study.raster_rows import Planes
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile

CLASSES = tuple(
    DetectionClass(name, color)
    for name, color in (("Background", (9, 9, 9)), ("A", (255, 0, 0)), ("B", (0, 0, 255)))
)
SIDE = 256


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFile]:
    record = RunRecord(
        key="k",
        method="m",
        title="Map",
        slide_hash="0",
        pseudonym="p",
        gives="pixel",
        classes=CLASSES,
        tile_px=SIDE,
        grid_px=(1500, 1200),
        scale_l0=2.0,
        mpp=1.0,
    )
    with RunFile.create(tmp_path / "one.run", record) as run:
        yield run


def tile(*shares: int) -> Planes:
    """Return a tile of one colour: these 0–255 shares for the classes."""
    return np.broadcast_to(np.array(shares, np.uint8)[:, None, None], (3, SIDE, SIDE)).copy()


def layers(run: RunFile) -> tuple[PredictionMap, ClassMapSource, HeatmapSource, HeatmapSource]:
    predicted = PredictionMap(run)
    classes, probability, uncertain = (
        layer.source for layer in prediction_layers(predicted, "Map", 3000, 2400)
    )
    assert isinstance(classes, ClassMapSource)
    assert isinstance(probability, HeatmapSource)
    assert isinstance(uncertain, HeatmapSource)
    return predicted, classes, probability, uncertain


def alpha_at(source: ClassMapSource | HeatmapSource, x: int, y: int, downsample: float) -> int:
    level = source.pyramid.level_for(downsample)
    scale = source.pyramid.levels[level].downsample * source.pyramid.tile_size
    key = TileKey(level, int(x / scale), int(y / scale))
    pixels = source.read_tile(key)
    assert not isinstance(pixels, Unfinished)
    if pixels is None:
        return 0
    inside = source.pyramid.tile_l0(key)
    at = source.pyramid.levels[level].downsample
    return int(pixels[int((y - inside.y) / at), int((x - inside.x) / at), 3])


def test_the_likeliest_class_is_seen_at_every_size_and_background_is_not(run: RunFile) -> None:
    rows = run.map_rows()
    rows.add(0, 0, tile(0, 200, 55), 3)
    rows.add(1, 0, tile(200, 55, 0), 3)
    predicted, classes, probability, _uncertain = layers(run)
    predicted.look()
    for downsample in (0.5, 1, 2, 4, 8):
        assert alpha_at(classes, 100, 100, downsample) == 255
        assert alpha_at(classes, 700, 100, downsample) == 0  # background
        assert alpha_at(classes, 100, 700, downsample) == 0  # not there yet
        assert alpha_at(probability, 100, 700, downsample) == 0
    assert classes.class_at(100, 100) == 1
    assert classes.class_at(700, 100) == 0
    assert classes.class_at(100, 700) is None
    assert classes.class_counts() == {0: SIDE**2, 1: SIDE**2, 2: 0}


def test_the_value_under_the_cursor_is_the_probability_of_the_chosen_class(run: RunFile) -> None:
    run.map_rows().add(0, 0, tile(51, 153, 51), 3)
    _map, _classes, probability, uncertain = layers(run)
    assert probability.raster.channels == ("Background", "A", "B")
    assert probability.style.channel == 1
    assert probability.value_at(10, 10) == pytest.approx(0.6)
    assert uncertain.value_at(10, 10) == pytest.approx(0.6)
    assert probability.value_at(10, 1000) is None
    assert uncertain.value_at(10, 1000) is None


def test_new_tiles_are_told_and_counted(run: RunFile) -> None:
    predicted, classes, probability, _uncertain = layers(run)
    assert predicted.look() is None
    assert len(probability.sample()) == 0
    run.map_rows().add(2, 1, tile(0, 255, 0), 3)
    rect = predicted.look()
    assert rect == Rect(2 * 2 * SIDE, 2 * SIDE, 2 * SIDE, 2 * SIDE)
    told: list[Rect] = []
    for source in (classes, probability):
        source.changed.connect(told.append)
        source.grew(rect)  # type: ignore[union-attr]
    assert told == [rect, rect]
    assert classes.class_counts() == {0: 0, 1: SIDE**2, 2: 0}
    assert classes.class_areas_l0()[1] == pytest.approx(4 * SIDE**2)
    assert set(np.unique(probability.sample())) == {1.0}
    assert predicted.look() is None


def test_doubt_is_how_near_the_second_class_comes() -> None:
    planes = np.array([[[255, 128, 0]], [[0, 127, 0]], [[0, 0, 0]]], np.uint8)
    found = doubt(planes)[0]
    assert found[:2].tolist() == pytest.approx([0.0, 1 - 1 / 255])
    assert np.isnan(found[2])
    assert class_numbers(planes)[0].tolist() == [0, 0, NOTHING]
    assert doubt(planes[:1])[0, 0] == 0


def test_a_file_that_is_closed_is_no_crash(run: RunFile) -> None:
    run.map_rows().add(0, 0, tile(0, 255, 0), 3)
    _map, classes, _probability, _uncertain = layers(run)
    run.close()
    with pytest.raises(SlideError):
        classes.class_at(1, 1)


def test_severity_is_the_expected_grade_and_only_grades_have_it(run: RunFile) -> None:
    planes = np.array([255, 0, 0, 0, 0, 255, 51, 102, 102, 0, 0, 0], np.uint8)
    told = severity(planes.reshape(4, 3).T[:, :, None])[:, 0]
    assert told[:3] == pytest.approx([0, 2, 1.2], abs=1e-3)
    assert np.isnan(told[3])
    assert len(prediction_layers(PredictionMap(run), "Map", 3000, 2400)) == 3
    run.update_record(context={"ordering": "grades"})
    run.map_rows().add(1, 1, tile(51, 102, 102), 1)
    predicted = PredictionMap(run)
    predicted.look()
    *_others, layer = prediction_layers(predicted, "Map", 3000, 2400)
    assert layer.name == "Map: severity"
    source = layer.source
    assert isinstance(source, HeatmapSource)
    assert source.style.limits == (0, 2)
    assert alpha_at(source, 700, 700, 2.0) > 0
    assert alpha_at(source, 2200, 700, 2.0) == 0

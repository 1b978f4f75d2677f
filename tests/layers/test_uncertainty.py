"""Uncertainty on a grid, and the doubtful fields of a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from makers import make_svs
from run_files import new_run

from pathoview.annotations.detections import DetectionClass
from pathoview.layers.doubtful_fields import doubtful_fields
from pathoview.layers.prediction_source import PredictionMap
from pathoview.layers.uncertainty import uncertainty_source
from pathoview.slides.opening import open_slide
from pathoview.study.raster_rows import quantised


def test_cells_have_the_mean_of_their_objects_and_nothing_without_any() -> None:
    centroids = np.array([[5, 5], [15, 5], [105, 5], [5, 55]], float)
    confidence = np.array([0.9, 0.5, 0.2, np.nan], np.float32)
    source = uncertainty_source(centroids, confidence, 50.0, 200, 100)
    assert source.value_at(20, 20) == pytest.approx(0.3)
    assert source.value_at(120, 20) == pytest.approx(0.8)
    assert source.value_at(70, 20) is None
    assert source.value_at(20, 70) is None, "its only object has no number"


def test_each_field_of_a_map_has_its_mean_doubt_and_its_most_doubtful_spot(
    tmp_path: Path,
) -> None:
    """Sure of the first class but for a spot in the second field; the last one is glass."""
    first = np.ones((256, 256), np.float32)
    first[40:52, 150:162] = 0.45
    probabilities = np.stack([first, 1 - first], axis=2)
    planes = quantised(probabilities)
    planes[:, 200:, 200:] = 0
    kinds = (DetectionClass("A", (1, 2, 3)), DetectionClass("B", (3, 2, 1)))
    facts = {"gives": "pixel", "classes": kinds, "grid_px": (256, 256), "scale_l0": 2.0}
    with (
        open_slide(make_svs(tmp_path / "one.svs")) as slide,
        new_run(slide, mpp=1.0, tile_px=256, **facts) as run,
    ):
        run.map_rows().add(0, 0, planes, 1)
        predicted = PredictionMap(run)
        predicted.look()
        found = doubtful_fields(predicted, 200.0)
    n = int(found.doubts.argmax())
    x, y = found.places_l0[n]
    assert 2 * 150 <= x < 2 * 162
    assert 2 * 40 <= y < 2 * 52
    assert found.doubts[n] == pytest.approx(0.9 * 144 / 10_000, rel=0.02)
    assert found.classes[n] == 1
    assert len(found.doubts) == 8, "of nine fields, one has too little tissue"
    assert np.delete(found.doubts, n).max() == 0

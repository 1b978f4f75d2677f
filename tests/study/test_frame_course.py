"""What is said frame by frame, and from where to where a finding lasts."""

from __future__ import annotations

import numpy as np
import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.study.bag_rows import BagTiles
from pathoview.study.frame_course import FrameCourse, Segment, segments_of
from pathoview.study.records import PICTURES_KEY, RunRecord

CLASSES = (DetectionClass("Blood", (200, 0, 0)), DetectionClass("Polyp", (0, 0, 200)))


def record(n_pictures: int, n_columns: int, **context: object) -> RunRecord:
    return RunRecord(
        key="k",
        method="frame_attention",
        title="Findings",
        slide_hash="0",
        pseudonym="p",
        gives="bag",
        classes=CLASSES,
        probabilities=(0.9, 0.1),
        grid_px=(n_columns, 1),
        context={PICTURES_KEY: n_pictures, **context},
    )


def tiles(evidence: np.ndarray, attention: np.ndarray, of_classes: np.ndarray | None) -> BagTiles:
    places = np.arange(len(evidence), dtype=np.int32)
    said = None if of_classes is None else of_classes.astype(np.float32)
    return BagTiles(
        places,
        np.zeros_like(places),
        attention.astype(np.float32),
        evidence.astype(np.float32),
        said,
    )


def test_findings_are_where_frames_show_and_count() -> None:
    evidence = np.zeros((20, 2))
    evidence[3:9, 0] = 0.9
    evidence[12:18, 1] = 0.9
    attention = np.full((20, 2), 0.01)
    attention[3:9, 0] = 0.14
    attention /= attention.sum(axis=0)
    thresholds = [0.5, 0.5]
    course = FrameCourse.of(
        record(20, 20, thresholds=thresholds), tiles(evidence, attention[:, 0], attention)
    )
    assert course is not None
    assert len(course) == 20
    assert course.segments == ((Segment(3, 8),), ()), "frames of average attention do not count"
    assert course.importance.mean(axis=0) == pytest.approx([1, 1])
    assert course.peak(0) in range(3, 9)
    higher = record(20, 20, thresholds=[0.95, 0.5])
    again = FrameCourse.of(higher, tiles(evidence, attention[:, 0], attention))
    assert again is not None
    assert again.segments == ((), ())


def test_pictures_of_several_tiles_count_together() -> None:
    evidence = np.array([[0.1, 0], [0.8, 0], [0.2, 0], [0.3, 0]])
    attention = np.array([0.1, 0.3, 0.2, 0.4])
    course = FrameCourse.of(record(2, 4), tiles(evidence, attention, None))
    assert course is not None
    assert course.frames.tolist() == [0, 1]
    assert course.evidence[:, 0].tolist() == pytest.approx([0.8, 0.3])
    assert course.importance[:, 0].tolist() == pytest.approx([0.8, 1.2])


def test_a_slide_has_no_course() -> None:
    one = record(2, 4).model_copy(update={"context": {}})
    assert FrameCourse.of(one, tiles(np.zeros((4, 2)), np.full(4, 0.25), None)) is None


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("....####....", [(4, 7)]),
        ("..#.........", []),
        (".####.####..", [(1, 9)]),
        ("####........", [(0, 3)]),
        ("#", []),
    ],
)
def test_single_frames_neither_make_nor_part_a_finding(
    flags: str, found: list[tuple[int, int]]
) -> None:
    is_seen = np.array([one == "#" for one in flags])
    told = segments_of(np.arange(len(flags)), is_seen)
    assert [(one.first, one.last) for one in told] == found

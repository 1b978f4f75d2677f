"""Parents that are kept up are those that would be found anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from run_files import squares

from pathoview.annotations import parents
from pathoview.annotations.detection_field import DetectionField
from pathoview.annotations.detection_rows import DetectionRows
from pathoview.annotations.feature import Feature
from pathoview.annotations.parents import Parents

SIDE = 100


def random_box(rng: np.random.Generator) -> shapely.Polygon:
    x, y = rng.integers(0, SIDE, 2).tolist()
    width, height = rng.integers(1, SIDE // 2, 2).tolist()
    return shapely.box(x, y, x + width, y + height)


@pytest.fixture
def fields() -> dict[int, DetectionField]:
    corners = np.random.default_rng(5).uniform(0, SIDE, (300, 2)).tolist()
    table = squares([(x, y) for x, y in corners], side=1)
    return {1: DetectionField([DetectionRows(table, None)], (), None)}


def assert_equal(one: Parents, other: Parents) -> None:
    assert one.of_holders.tolist() == other.of_holders.tolist()
    assert one.of_detections[1].tolist() == other.of_detections[1].tolist()


@pytest.mark.parametrize("seed", range(12))
def test_after_any_changes_parents_are_those_found_anew(
    fields: dict[int, DetectionField], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    holders = [Feature(random_box(rng)) for _ in range(25)]
    known = Parents(holders, fields)
    for _step in range(6):
        gone = int(rng.integers(len(holders)))
        edited = int(rng.integers(len(holders)))
        holders[edited] = replace(holders[edited], geometry=random_box(rng))
        del holders[gone]
        holders += [Feature(random_box(rng)), Feature(shapely.Point(rng.uniform(0, SIDE, 2)))]
        known = Parents(holders, fields, known)
        assert_equal(known, Parents(holders, fields))


def test_nothing_is_left_and_something_comes_again(fields: dict[int, DetectionField]) -> None:
    box = Feature(shapely.box(0, 0, SIDE, SIDE))
    known = Parents([box], fields)
    assert known.of_detections[1].max() == 0
    none = Parents([], fields, known)
    assert none.of_detections[1].max() == -1
    assert_equal(Parents([box], fields, none), known)


def test_only_what_is_near_a_change_is_looked_at_again(
    fields: dict[int, DetectionField], monkeypatch: pytest.MonkeyPatch
) -> None:
    far = [Feature(shapely.box(1000 + x, 0, 1001 + x, 1)) for x in range(50)]
    box = Feature(shapely.box(0, 0, 10, 10))
    known = Parents([*far, box], fields)
    looked_at: list[int] = []
    real = parents.parents_of_points
    monkeypatch.setattr(
        parents,
        "parents_of_points",
        lambda shapes, points: looked_at.append(len(shapes)) or real(shapes, points),
    )
    Parents([*far, replace(box, geometry=shapely.box(0, 0, 20, 20))], fields, known)
    assert looked_at == [1]


def test_other_detections_are_looked_at_whole(fields: dict[int, DetectionField]) -> None:
    box = Feature(shapely.box(0, 0, 50, 50))
    more = {1: DetectionField([DetectionRows(squares([(5, 5)]), None)], (), None)}
    assert Parents([box], more, Parents([box], fields)).of_detections[1].tolist() == [0]

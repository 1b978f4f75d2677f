"""What is written and read again is the same, and stays the same however often."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import shapely
from geojson_helpers import read, read_json, write
from hypothesis import given, settings
from hypothesis import strategies as st
from outline_tables import random_table
from qupath_checker import features, violations

from pathoview.annotations.detections import DetectionClass, Detections
from pathoview.annotations.feature import OBJECT_TYPES, Feature
from pathoview.annotations.geojson_elements import CHUNK_BYTES
from pathoview.annotations.geojson_object import feature_object, parse_objects
from pathoview.core.pyramid import Plane

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_LEVEL = st.text("abcdefgÄ核*+", min_size=1, max_size=5)
_CLASS = st.builds(
    DetectionClass,
    st.lists(_LEVEL, min_size=1, max_size=3).map(": ".join),
    st.tuples(*[st.integers(0, 255)] * 3),
)
_PIXEL = st.floats(-1000, 200_000, width=32)
_NUMBER = st.floats(width=32)


@st.composite
def _outlines(draw: st.DrawFn) -> Detections:
    rings = draw(
        st.lists(
            st.lists(
                st.tuples(st.integers(-500, 500), st.integers(-500, 500)),
                min_size=3,
                max_size=9,
                unique=True,
            ),
            min_size=1,
            max_size=6,
        )
    )
    n = len(rings)
    classes = tuple({one.name: one for one in draw(st.lists(_CLASS, max_size=3))}.values())
    indices = st.lists(st.integers(-1, len(classes) - 1), min_size=n, max_size=n)
    names = draw(st.lists(_TEXT, max_size=3, unique=True))
    columns = {name: draw(st.lists(_NUMBER, min_size=n, max_size=n)) for name in names}
    ids = draw(st.lists(st.binary(min_size=16, max_size=16), min_size=n, max_size=n, unique=True))
    return Detections(
        np.array([point for ring in rings for point in ring], np.int32),
        np.cumsum([0, *map(len, rings)]).astype(np.int64),
        np.frombuffer(b"".join(ids), np.uint8).reshape(-1, 16),
        np.array(draw(indices), np.int16),
        classes,
        {name: np.array(column, np.float32) for name, column in columns.items()},
    )


_SHAPE = st.one_of(
    st.builds(shapely.Point, _PIXEL, _PIXEL),
    st.builds(
        lambda x, y, w, h: shapely.box(x, y, x + w, y + h),
        *[_PIXEL, _PIXEL, st.floats(0.1, 500), st.floats(0.1, 500)],
    ),
    st.builds(
        lambda x, y: shapely.box(x, y, x + 9, y + 9) - shapely.box(x + 1, y + 1, x + 2, y + 2),
        *[_PIXEL, _PIXEL],
    ),
    st.lists(st.tuples(_PIXEL, _PIXEL), min_size=2, max_size=6, unique=True).map(
        shapely.MultiPoint
    ),
)
_FEATURE = st.builds(
    Feature,
    geometry=_SHAPE,
    id=st.uuids(),
    object_type=st.sampled_from(OBJECT_TYPES),
    classification=st.none() | _CLASS,
    name=_TEXT,
    color=st.none() | st.tuples(*[st.integers(0, 255)] * 3),
    is_locked=st.booleans(),
    plane=st.builds(Plane, st.integers(0, 5), st.integers(0, 5), st.integers(-1, 5)),
    measurements=st.dictionaries(_TEXT, _NUMBER, max_size=3),
    metadata=st.dictionaries(_TEXT, _TEXT, max_size=3),
    parent_id=st.none() | st.uuids(),
)


@given(_outlines(), st.lists(_FEATURE, max_size=4, unique_by=lambda one: one.id))
@settings(max_examples=60, deadline=None)
def test_a_second_round_trip_changes_nothing(table: Detections, given: list[Feature]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first.geojson"), Path(folder, "second.geojson")
        write(first, [table], given)
        assert violations(first) == []
        again, features_again, warnings = read(first)
        assert not warnings
        write(second, [again], features_again)
        by_id = {one["id"]: one for one in features(first)}
        assert {one["id"]: one for one in features(second)} == by_id


@given(_FEATURE)
@settings(max_examples=60, deadline=None)
def test_nothing_of_an_object_is_lost(feature: Feature) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.geojson")
        if write(path, features=[feature]).n_left_out:
            return
        table, given, _warnings = read(path)
    if len(table):
        assert table.uuid(0) == feature.id
        assert feature.object_type == "detection"
        return
    (again,) = given
    for member in ("id", "object_type", "classification", "name", "color", "is_locked", "plane"):
        assert getattr(again, member) == getattr(feature, member)
    assert again.metadata == feature.metadata
    assert again.parent_id == feature.parent_id
    assert _numbers(again) == _numbers(feature)
    near = shapely.hausdorff_distance(again.geometry, feature.geometry)
    assert near <= 0.005 * 2**0.5 + 1e-9


def _numbers(feature: Feature) -> dict[str, str]:
    return {name: repr(value) for name, value in feature.measurements.items()}


def _assert_equal(table: Detections, again: Detections) -> None:
    assert np.array_equal(again.points, table.points)
    assert np.array_equal(again.offsets, table.offsets)
    assert np.array_equal(again.ids, table.ids)
    assert _class_names(again).tolist() == _class_names(table).tolist()
    for name, column in table.measurements.items():
        assert np.array_equal(again.measurements[name], column, equal_nan=True)


def _class_names(table: Detections) -> npt.NDArray[np.object_]:
    names = np.array([*(entry.name for entry in table.classes), ""], dtype=object)
    return names[table.class_index]


def test_a_table_comes_back_as_it_was_in_its_order(tmp_path: Path) -> None:
    table = random_table(9000)
    path = tmp_path / "out.geojson"
    parts = [table.take(np.arange(start, start + 300)) for start in range(0, 9000, 300)]
    written = write(path, parts)
    assert written.n_objects == 9000
    assert path.stat().st_size == written.n_bytes > 2 * CHUNK_BYTES  # more than one batch
    _assert_equal(table, read(path)[0])


def test_holes_lines_and_cells_between_detections_do_not_disturb_them(tmp_path: Path) -> None:
    table = random_table(40)
    ring = shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)
    others = [
        Feature(ring, object_type="detection"),
        Feature(shapely.LineString([(0, 0), (5, 5)])),
        Feature(shapely.box(0, 0, 9, 9), object_type="cell", nucleus=shapely.box(1, 1, 2, 2)),
    ]
    path = tmp_path / "out.geojson"
    write(path, [table], others)
    mixed = features(path)
    rng = np.random.default_rng(5)
    table_again, given, _warnings = read_json(
        tmp_path, [mixed[place] for place in rng.permutation(len(mixed))]
    )
    order = {one.bytes: row for row in range(40) for one in [table_again.uuid(row)]}
    rows = np.array([order[table.uuid(row).bytes] for row in range(40)])
    _assert_equal(table, table_again.take(rows))
    assert {one.id for one in given} == {one.id for one in others}
    assert any(shapely.equals(one.nucleus, shapely.box(1, 1, 2, 2)) for one in given)


def test_different_classes_of_the_same_name_in_two_tables_are_one_class(tmp_path: Path) -> None:
    red, blue = (
        Detections(
            np.array([[0, 0], [900, 0], [0, 900]], np.int32),
            np.array([0, 3]),
            np.frombuffer(uuid.uuid4().bytes, np.uint8).reshape(1, 16),
            np.zeros(1, np.int16),
            (DetectionClass("a", color),),
            {},
        )
        for color in ((255, 0, 0), (0, 0, 255))
    )
    path = tmp_path / "out.geojson"
    write(path, [red, blue])
    again = read(path)[0]
    assert again.classes == (DetectionClass("a", (255, 0, 0)),)
    assert again.class_index.tolist() == [0, 0]


def test_the_real_annotation_of_qupath_is_read(shared_data: Path) -> None:
    _table, (given,), _warnings = read(shared_data / "annotations" / "qupath_multipolygon.geojson")
    assert given.geometry.geom_type == "MultiPolygon"
    assert given.geometry.bounds[2] > 7000


def test_a_collection_of_napari_is_read(shared_data: Path) -> None:
    _table, given, _warnings = read(shared_data / "annotations" / "napari_wsi_annotations.json")
    assert [one.geometry.geom_type for one in given] == ["Point", "LineString", "Polygon"]


def test_what_only_we_know_of_an_annotation_comes_back_from_its_metadata() -> None:
    feature = Feature(
        shapely.box(10, 20, 30, 40),
        metadata={"block": "A1"},
        role="full",
        is_hidden=True,
        is_uncertain=True,
        is_disputed=True,
        author="Ada",
        created="2026-01-02T03:04:05+00:00",
        changed="2026-01-02T03:04:06+00:00",
        origin="run/1/2",
    )
    written = feature_object(feature)
    assert written is not None
    assert written["properties"]["metadata"]["PathoView author"] == "Ada"
    (read,) = parse_objects(orjson.loads(orjson.dumps(written)), 1, print)
    assert read == feature

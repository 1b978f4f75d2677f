from __future__ import annotations

import numpy as np
import pytest

from pathoview.annotations.detections import DetectionClass, Detections, empty_detections
from pathoview.study.packing import PackedDataError, pack, unpack


def some_detections(n: int = 3, *, seed: int = 0) -> Detections:
    """Return ``n`` outlines of 3 to 7 points, with two classes and two measurements."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(3, 8, n)
    return Detections(
        rng.integers(-1000, 1_000_000, (counts.sum(), 2)).astype(np.int32),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rng.integers(0, 256, (n, 16), dtype=np.uint8),
        rng.integers(-1, 2, n).astype(np.int16),
        (DetectionClass("Tumor: Positive", (200, 0, 0)), DetectionClass("核", (1, 2, 3))),
        {"Area µm²": rng.random(n, np.float32), "x": np.full(n, np.nan, np.float32)},
    )


def assert_equal(table: Detections, other: Detections) -> None:
    for name in ("points", "offsets", "ids", "class_index"):
        first, second = getattr(table, name), getattr(other, name)
        assert first.dtype == second.dtype
        assert np.array_equal(first, second)
    assert table.classes == other.classes
    assert list(table.measurements) == list(other.measurements)
    for name, column in table.measurements.items():
        assert np.array_equal(column, other.measurements[name], equal_nan=True)


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_a_table_comes_back_as_it_was(n: int) -> None:
    table = some_detections(n)
    assert_equal(unpack(pack(table)), table)


def test_an_empty_table_comes_back() -> None:
    assert_equal(unpack(pack(empty_detections())), empty_detections())


def test_unpacked_arrays_cannot_be_written_to() -> None:
    table = unpack(pack(some_detections()))
    with pytest.raises(ValueError, match="read-only"):
        table.points[0] = 1


def test_arrays_of_other_layouts_are_stored_the_same() -> None:
    table = some_detections(20)
    turned = Detections(
        np.asfortranarray(table.points),
        table.offsets.astype(">i8"),
        table.ids[::1],
        table.class_index,
        table.classes,
        {name: np.repeat(column, 2)[::2] for name, column in table.measurements.items()},
    )
    assert pack(turned) == pack(table)


def test_bytes_cut_off_or_added_are_noticed() -> None:
    data = pack(some_detections())
    for broken in (b"", data[:3], data[:7], data[:40], data[:-1], data + b"\0", b"PVD2" + data[4:]):
        with pytest.raises(PackedDataError):
            unpack(broken)


@pytest.mark.parametrize("position", range(0, 330, 3))
def test_a_damaged_header_is_an_error_or_harmless(position: int) -> None:
    data = bytearray(pack(some_detections()))
    data[position] ^= 0x15
    try:
        table = unpack(bytes(data))
    except PackedDataError:
        return
    assert len(table) == 3


def test_arrays_that_contradict_each_other_are_noticed() -> None:
    table = some_detections(5)
    wrong = (
        {"offsets": table.offsets[:-1]},
        {"offsets": table.offsets[::-1].copy()},
        {"ids": table.ids[:4]},
        {"class_index": table.class_index + np.int16(5)},
        {"points": table.points[:-1]},
        {"measurements": {"a": np.zeros(4, np.float32)}},
    )
    for change in wrong:
        members = {name: getattr(table, name) for name in Detections.__slots__} | change
        with pytest.raises(PackedDataError):
            unpack(pack(Detections(**members)))

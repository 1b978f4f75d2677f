from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.affine import Affine
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect

numbers = st.floats(-1e4, 1e4)
maps = st.builds(
    lambda angle, scale, x, y, mirrored: (
        Affine.scaled(-scale if mirrored else scale, scale)
        .then(Affine.turned(angle))
        .then(Affine.moved(x, y))
    ),
    st.floats(-720, 720),
    st.floats(0.01, 100),
    numbers,
    numbers,
    st.booleans(),
)


@given(maps, numbers, numbers)
def test_the_way_there_and_back_ends_where_it_began(there: Affine, x: float, y: float) -> None:
    assert there.inverse().point(*there.point(x, y)) == pytest.approx((x, y), abs=1e-4)


@given(maps, maps, numbers, numbers)
def test_one_map_after_another(first: Affine, second: Affine, x: float, y: float) -> None:
    expected = second.point(*first.point(x, y))
    assert first.then(second).point(x, y) == pytest.approx(expected, abs=1e-3, rel=1e-9)
    many = first.then(second).points(np.array([[x, y]]))
    assert many[0] == pytest.approx(expected, abs=1e-3, rel=1e-9)


@given(maps)
def test_three_pairs_of_points_tell_the_map(wanted: Affine) -> None:
    sources = [(0.0, 0.0), (1000.0, 20.0), (-30.0, 800.0)]
    found = Affine.through(sources, [wanted.point(*point) for point in sources])
    assert found.point(300, -200) == pytest.approx(wanted.point(300, -200), abs=1e-3, rel=1e-6)


def test_three_points_on_a_line_tell_nothing() -> None:
    line, triangle = [(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 0), (0, 1)]
    with pytest.raises(UsageError):
        Affine.through(line, triangle)
    with pytest.raises(UsageError):
        Affine.through(triangle, line)


def test_a_quarter_turn_is_clockwise_and_exact() -> None:
    assert Affine.turned(90).point(1, 0) == (0, 1)
    assert Affine.turned(-90).point(1, 0) == (0, -1)
    assert Affine.turned(90).rect(Rect(0, 0, 4, 2)) == Rect(-2, 0, 2, 4)
    assert Affine.scaled(2, 3).is_axis_parallel
    assert not Affine.turned(180).is_axis_parallel

"""The estimate of the time left: pauses and earlier work do not count."""

from __future__ import annotations

import pytest

from pathoview.jobs.time_left import TimeLeft


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_speed_so_far_tells_the_time_left() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    assert left.update(0.0) is None
    clock.now += 10
    assert left.update(0.25) == pytest.approx(30)


def test_preparing_before_the_first_tile_does_not_count() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.update(0.0)
    clock.now += 100
    left.update(0.0)
    clock.now += 10
    assert left.update(0.5) == pytest.approx(10)


def test_tiles_of_an_earlier_run_do_not_count() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.update(0.8)
    clock.now += 10
    assert left.update(0.9) == pytest.approx(10)


def test_a_pause_does_not_count() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.update(0.0)
    clock.now += 5
    left.pause()
    clock.now += 1000
    assert left.update(0.25) == pytest.approx(15)
    left.resume()
    clock.now += 5
    assert left.update(0.5) == pytest.approx(10)


def test_only_the_last_minute_tells_the_speed() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    fraction = 0.0
    for speed in [0.0001] * 100 + [0.005] * 100:
        clock.now += 1
        fraction += speed
        seconds = left.update(fraction)
    assert seconds == pytest.approx((1 - fraction) / 0.005, rel=0.05)


def test_too_short_a_time_says_nothing() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.update(0.0)
    clock.now += 0.2
    assert left.update(0.5) is None

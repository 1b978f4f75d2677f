from __future__ import annotations

import time

from pathoview.core.pyramid import TileKey
from pathoview.layers.failures import Failures

FIRST, SECOND, OTHER = (1, TileKey(0, 0, 0)), (1, TileKey(0, 1, 0)), (2, TileKey(0, 0, 0))


def test_every_further_failure_doubles_the_pause_up_to_a_minute() -> None:
    failures = Failures()
    pauses = []
    for _time in range(9):
        failures.note(FIRST, "gone")
        at = failures.next_try({FIRST}, 0.0)
        assert at is not None
        pauses.append(round(at - time.monotonic()))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_only_another_reason_is_news() -> None:
    failures = Failures()
    assert failures.note(FIRST, "gone")
    assert not failures.note(FIRST, "gone")
    assert failures.note(FIRST, "broken")
    assert failures.reason(FIRST) == "broken"


def test_a_tile_that_comes_again_has_the_others_of_its_source_tried_at_once() -> None:
    failures = Failures()
    for place in (FIRST, SECOND, OTHER):
        failures.note(place, "gone")
    now = time.monotonic()
    failures.clear(FIRST)
    assert [failures.may_try(place, now) for place in (FIRST, SECOND, OTHER)] == [True, True, False]
    assert failures.reason(FIRST) is None
    assert failures.reason(SECOND) == "gone"


def test_all_are_tried_again_when_a_person_says_so() -> None:
    failures = Failures()
    for place in (FIRST, OTHER):
        failures.note(place, "gone")
    failures.retry()
    assert all(failures.may_try(place, time.monotonic()) for place in (FIRST, OTHER))
    assert failures.next_try({FIRST, OTHER}, time.monotonic()) is None


def test_a_source_is_forgotten_with_its_failures() -> None:
    failures = Failures()
    for place in (FIRST, SECOND, OTHER):
        failures.note(place, "gone")
    failures.forget(1)
    assert failures.places == {OTHER}

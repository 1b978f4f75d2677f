from __future__ import annotations

from typing import Any

from psygnal import Signal

from pathoview.core.pyramid import TileKey
from pathoview.session.notices import Notice
from pathoview.session.tile_troubles import TileTroubles

SOURCE = object()
GONE = "The disk is gone."


class Scheduler:
    failed = Signal(object, object, str)
    ready = Signal(object, object)


def troubles(scheduler: Any) -> tuple[TileTroubles, list[Notice]]:
    told: list[Notice] = []
    return TileTroubles(scheduler, told.append), told


def test_many_broken_tiles_are_told_once() -> None:
    scheduler = Scheduler()
    _troubles, told = troubles(scheduler)
    for column in range(9):
        scheduler.failed.emit(SOURCE, TileKey(0, column, 0), GONE)
        scheduler.ready.emit(SOURCE, TileKey(0, column, 1))
    assert [notice.text for notice in told] == [GONE]
    assert told[0].action == ("Try again", "view.retry")


def test_what_goes_wrong_after_it_was_fine_is_told_again() -> None:
    scheduler = Scheduler()
    _troubles, told = troubles(scheduler)
    key = TileKey(0, 0, 0)
    for _time in range(2):
        scheduler.failed.emit(SOURCE, key, GONE)
        scheduler.ready.emit(SOURCE, key)
    assert len(told) == 2


def test_another_slide_has_its_own_notice() -> None:
    scheduler = Scheduler()
    first, told = troubles(scheduler)
    scheduler.failed.emit(SOURCE, TileKey(0, 0, 0), GONE)
    first.clear()
    scheduler.failed.emit(SOURCE, TileKey(0, 0, 0), GONE)
    assert len(told) == 2

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pathoview.core.byte_cache import ByteCache
from pathoview.layers.cache import TileCache
from pathoview.layers.layer import LayerList
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.view import View
from pathoview.session.viewport import Viewport
from pathoview.session.views import Views


@pytest.fixture
def views() -> Iterator[Views]:
    layers, scheduler = (
        LayerList(),
        TileScheduler(TileCache(ByteCache(2**20)), lambda call: call(), 1),
    )
    views = Views(lambda: View(layers, scheduler, lambda call: call()))
    views.active.viewport.set_size(800, 600)
    views.set_slide(40_000, 30_000)
    yield views
    views.close()
    scheduler.close()


def look(viewport: Viewport) -> tuple[object, ...]:
    return viewport.center_l0, viewport.scale, viewport.rotation, viewport.is_flipped


def looks(views: Views) -> set[tuple[object, ...]]:
    return {look(view.viewport) for view in views.all}


def test_linked_views_look_at_the_same_place_in_the_same_way(views: Views) -> None:
    views.set_count(4)
    views.all[2].viewport.look_at(9_000, 8_000, 0.5)
    views.all[1].viewport.turn(30)
    views.all[3].viewport.flip()
    assert looks(views) == {((9_000, 8_000), 0.5, 330, True)}


def test_views_of_other_sizes_keep_the_same_place_and_scale(views: Views) -> None:
    views.set_count(2)
    small, large = (view.viewport for view in views.all)
    large.look_at(9_000, 8_000, 0.5)
    small.set_size(160, 120)
    large.set_size(1600, 1200)
    assert looks(views) == {((9_000, 8_000), 0.5, 0, False)}
    small.zoom(1e-9)
    assert looks(views) == {((9_000, 8_000), small.scale, 0, False)}
    assert small.scale < large.fit_scale / 2


def test_a_slide_fitted_to_one_view_is_told_to_the_others(views: Views) -> None:
    views.set_count(2)
    first, second = (view.viewport for view in views.all)
    first.set_size(400, 300)
    assert first.scale == first.fit_scale
    second.set_size(400, 300)
    assert looks(views) == {((20_000, 15_000), first.fit_scale, 0, False)}


def test_another_slide_is_fitted_to_the_active_view(views: Views) -> None:
    views.set_count(2)
    views.all[1].viewport.set_size(300, 200)
    views.activate(views.all[1])
    views.set_slide(1_000, 2_000)
    assert looks(views) == {((500, 1_000), views.active.viewport.fit_scale, 0, False)}


def test_unlinked_views_move_on_their_own_until_they_are_linked_again(views: Views) -> None:
    views.set_count(2)
    first, second = (view.viewport for view in views.all)
    views.is_linked = False
    before = look(first)
    second.look_at(9_000, 8_000, 0.5)
    assert look(first) == before
    views.activate(views.all[1])
    views.is_linked = True
    assert look(first) == look(second) == ((9_000, 8_000), 0.5, 0, False)


def test_the_view_that_stays_looks_where_the_active_one_did(views: Views) -> None:
    views.set_count(4)
    views.is_linked = False
    views.activate(views.all[3])
    views.active.viewport.look_at(9_000, 8_000, 0.5)
    told = []
    views.viewport_changed.connect(lambda: told.append(look(views.active.viewport)))
    views.set_count(1)
    assert look(views.active.viewport) == ((9_000, 8_000), 0.5, 0, False)
    assert told[-1] == look(views.active.viewport)


def test_views_that_go_leave_no_thread(views: Views) -> None:
    before = set(threading.enumerate())
    views.set_count(4)
    assert len(set(threading.enumerate()) - before) == 3
    views.set_count(1)
    assert set(threading.enumerate()) == before

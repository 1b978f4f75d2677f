from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fakes import ArraySlide
from stage import Loop

from pathoview.core.byte_cache import ByteCache
from pathoview.core.pyramid import Plane
from pathoview.layers.backdrop import Backdrop
from pathoview.layers.cache import TileCache
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.slide_source import SlideSource
from pathoview.session.view import View

BACKDROP = Backdrop((0, 0, 0), (9, 9, 9))


class Stage:
    """A slide with two layers on it, seen in one view."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.layers = LayerList()
        self.scheduler = TileScheduler(TileCache(ByteCache(2**26)), loop.post, 1)
        pixels = np.zeros((512, 512, 3), np.uint8)
        self.slide, self.nuclei, self.heat = (
            Layer(name, SlideSource(ArraySlide(pixels))) for name in ("Slide", "Nuclei", "Heat")
        )
        for layer in (self.slide, self.nuclei, self.heat):
            self.layers.add(layer)
            self.scheduler.add(layer.source, Plane())
        self.view = View(self.layers, self.scheduler, loop.post)
        self.view.viewport.set_size(300, 200)
        self.view.viewport.set_slide(512, 512)
        self.curtain = self.view.curtain
        self.n_changes = 0
        self.curtain.changed.connect(self._on_changed)

    def _on_changed(self) -> None:
        self.n_changes += 1

    def compose(self) -> None:
        """Have both pictures composed, and wait for them."""
        self.view.compose(1.0, BACKDROP)
        self.loop.run_until(lambda: self.view.is_idle and self.scheduler.n_pending == 0)

    @property
    def orders(self) -> tuple[list[object], list[object]]:
        """The sources that were ordered for the view's own picture, and for the other."""
        view = self.view
        return (
            [item.source for item in view.shown],
            [item.source for item in view._shown_without(self.curtain.left)],
        )


@pytest.fixture
def stage(loop: Loop) -> Iterator[Stage]:
    stage = Stage(loop)
    yield stage
    stage.view.close()
    stage.scheduler.close()


def compositors() -> int:
    return sum(thread.name == "compositor" for thread in threading.enumerate())


def sources(*layers: Layer) -> list[object]:
    return [layer.source for layer in layers]


def test_the_chosen_layer_is_compared_with_what_lies_below_it(stage: Stage) -> None:
    assert stage.curtain.draw(stage.nuclei)
    assert stage.curtain.left is stage.nuclei
    assert stage.curtain.right is None
    assert (stage.curtain.left_name, stage.curtain.right_name) == ("Nuclei", "Without Nuclei")
    assert stage.orders == (
        sources(stage.slide, stage.nuclei, stage.heat),
        sources(stage.slide, stage.heat),
    )


def test_the_foremost_layer_stands_in_for_the_slide_and_for_what_is_hidden(stage: Stage) -> None:
    assert stage.curtain.default(stage.slide) is stage.heat
    assert stage.curtain.default(None) is stage.heat
    stage.heat.visible = False
    assert stage.curtain.default(stage.heat) is stage.nuclei
    stage.view.set_shown(stage.nuclei, False)
    assert stage.curtain.default(stage.nuclei) is None


def test_two_layers_are_each_seen_on_one_side_only(stage: Stage) -> None:
    stage.curtain.draw(stage.nuclei)
    stage.curtain.choose(stage.nuclei, stage.heat)
    assert stage.orders == (
        sources(stage.slide, stage.nuclei),
        sources(stage.slide, stage.heat),
    )
    assert stage.curtain.right_name == "Heat"


def test_a_slide_alone_cannot_be_compared(stage: Stage) -> None:
    for layer in (stage.nuclei, stage.heat):
        layer.visible = False
    assert not stage.curtain.draw(stage.nuclei)
    assert not stage.curtain.flick(stage.nuclei)
    assert not stage.curtain.is_on
    assert stage.n_changes == 0


def test_the_curtain_stays_within_the_view(stage: Stage) -> None:
    places = []
    stage.curtain.moved.connect(lambda: places.append(stage.curtain.position))
    for position in (0.3, 0.3, -2, 7):
        stage.curtain.position = position
    assert places == [0.3, 0, 1]
    stage.curtain.draw(None)
    assert stage.curtain.position == 0.5


def test_the_other_picture_is_there_only_while_it_is_needed(stage: Stage) -> None:
    before = compositors()
    stage.compose()
    assert compositors() == before
    stage.curtain.draw(stage.heat)
    stage.compose()
    assert compositors() == before + 1
    assert stage.curtain.picture is not None
    stage.curtain.end()
    assert stage.curtain.picture is None
    assert compositors() == before


def test_the_other_picture_is_kept_after_a_flick_until_it_is_out_of_date(stage: Stage) -> None:
    before = compositors()
    stage.curtain.flick(stage.heat)
    stage.compose()
    first = stage.curtain.picture
    assert first is not None
    stage.curtain.unflick()
    assert stage.curtain.picture is None
    stage.compose()
    stage.curtain.flick(stage.heat)
    assert stage.curtain.picture is first, "it is there at once"
    stage.curtain.unflick()
    stage.view.viewport.pan(10, 0)
    stage.compose()
    assert compositors() == before


def test_another_layer_is_flicked_with_a_picture_of_its_own(stage: Stage) -> None:
    stage.curtain.flick(stage.heat)
    stage.compose()
    stage.curtain.unflick()
    stage.curtain.flick(stage.nuclei)
    assert stage.curtain.left is stage.nuclei
    assert stage.curtain.picture is None, "that was without the heatmap"


def test_a_comparison_ends_when_its_layer_goes(stage: Stage) -> None:
    stage.curtain.draw(stage.nuclei)
    stage.layers.remove(stage.heat)
    assert stage.curtain.is_drawn
    stage.layers.remove(stage.nuclei)
    assert not stage.curtain.is_on
    assert stage.curtain.left is None


@pytest.mark.parametrize("close", [View.forget, View.close])
def test_nothing_is_left_when_the_slide_or_the_view_goes(
    loop: Loop, close: Callable[[View], None]
) -> None:
    before = compositors()
    stage = Stage(loop)
    stage.curtain.draw(stage.heat)
    stage.compose()
    close(stage.view)
    assert stage.curtain.picture is None or close is View.close
    if close is View.forget:
        assert compositors() == before + 1
        stage.view.close()
    assert compositors() == before
    stage.scheduler.close()

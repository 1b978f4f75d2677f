from __future__ import annotations

import pytest
from painted import PlainSource

from pathoview.core.geometry import Rect
from pathoview.layers.layer import Layer, LayerList


def test_changes_of_a_layer_and_of_its_source_are_relayed_while_it_is_in_the_list() -> None:
    layers, layer = LayerList(), Layer("Slide", PlainSource())
    changes: list[int] = []
    repainted: list[tuple[Layer, Rect | None]] = []
    layers.changed.connect(lambda: changes.append(1))
    layers.repainted.connect(lambda which, rect: repainted.append((which, rect)))
    layers.add(layer)
    layer.opacity = 0.5
    layer.opacity = 0.5
    layer.visible = False
    layer.name = "Other"
    layer.source.changed.emit(Rect(1, 2, 3, 4))
    assert len(changes) == 4
    assert repainted == [(layer, Rect(1, 2, 3, 4))]
    layers.remove(layer)
    layer.visible = True
    layer.source.changed.emit(None)
    assert len(changes) == 5
    assert len(repainted) == 1


def test_new_layers_lie_in_front_and_can_be_moved() -> None:
    layers = LayerList()
    back, middle, front = (Layer(name, PlainSource()) for name in "abc")
    for layer in (back, middle, front):
        layers.add(layer)
    layers.move(front, 1)
    assert [layer.name for layer in layers] == ["a", "c", "b"]
    layers.clear()
    assert len(layers) == 0


@pytest.mark.parametrize(("given", "kept"), [(-1, 0), (0.3, 0.3), (7, 1)])
def test_opacity_has_bounds(given: float, kept: float) -> None:
    layer = Layer("a", PlainSource())
    layer.opacity = given
    assert layer.opacity == kept


def test_a_layer_alone_and_again_as_before() -> None:
    layers = LayerList()
    back, middle, front = (Layer(name, PlainSource()) for name in "abc")
    for layer in (back, middle, front):
        layers.add(layer)
    middle.visible = False
    layers.toggle_solo(middle)
    layers.toggle_solo(front)
    assert [layer.visible for layer in layers] == [False, False, True]
    assert layers.solo is front
    layers.toggle_solo(front)
    assert [layer.visible for layer in layers] == [True, False, True]
    assert layers.solo is None


def test_a_layer_is_not_alone_any_more_when_another_is_shown_by_hand() -> None:
    layers = LayerList()
    for name in "ab":
        layers.add(Layer(name, PlainSource()))
    layers.toggle_solo(layers[1])
    layers[0].visible = True
    assert layers.solo is None
    layers.toggle_solo(layers[1])
    layers.toggle_solo(layers[1])
    assert layers[0].visible


def test_a_layer_is_in_the_list_once_and_comes_back_to_its_place() -> None:
    layers = LayerList()
    for name in "abc":
        layers.add(Layer(name, PlainSource()))
    middle = layers[1]
    layers.add(middle)
    assert len(layers) == 3
    place = layers.remove(middle)
    layers.add(middle, place)
    assert layers.index(middle) == 1

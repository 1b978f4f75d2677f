from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import ArraySlide

from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.slide_source import SlideSource
from pathoview.session.overlay import Overlay
from pathoview.session.settings import Settings


def picture() -> SlideSource:
    return SlideSource(ArraySlide(np.full((100, 100, 3), 200, np.uint8)))


def detections(name: str = "Nuclei") -> Layer:
    return Layer(name, DetectionSource(100, 100))


@pytest.fixture
def layers() -> LayerList:
    layers = LayerList()
    layers.add(Layer("Slide", picture()))
    return layers


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def overlay(layers: LayerList, settings: Settings) -> Overlay:
    return Overlay(layers, settings)


def style_of(layer: Layer) -> OutlineStyle:
    assert isinstance(layer.source, DetectionSource)
    return layer.source.style


def test_a_layer_hidden_by_itself_stays_hidden_when_all_are_shown_again(
    overlay: Overlay, layers: LayerList
) -> None:
    first, second, heat = detections(), detections(), Layer("Heat", picture())
    for layer in (first, second, heat):
        layers.add(layer)
    first.visible = False
    for toggle in (overlay.toggle_detections, overlay.toggle_all):
        toggle()
        assert not second.visible
        toggle()
        assert second.visible
        assert not first.visible
    assert heat.visible
    assert layers[0].visible


def test_everything_hidden_one_by_one_is_shown_by_the_switch(
    overlay: Overlay, layers: LayerList
) -> None:
    layers.add(detections())
    layers[1].visible = False
    assert not overlay.shows_any
    overlay.toggle_all()
    assert layers[1].visible


def test_layers_to_come_follow_the_switch_of_their_kind(
    overlay: Overlay, layers: LayerList
) -> None:
    overlay.toggle_detections()
    nuclei, notes = detections(), Layer("Notes", FeatureSource(100, 100))
    for layer in (nuclei, notes):
        overlay.adopt(layer)
        layers.add(layer)
    assert not nuclei.visible
    assert notes.visible
    nuclei.visible = True
    later = detections()
    overlay.adopt(later)
    assert later.visible


def test_opacity_steps_keep_what_differs(
    overlay: Overlay, layers: LayerList, settings: Settings
) -> None:
    for opacity in (1.0, 0.5):
        layers.add(Layer("a", picture(), opacity=opacity))
    overlay.change_opacity(-0.1)
    assert [layer.opacity for layer in layers] == [1.0, 0.9, 0.4]
    assert settings.overlay.opacity == 0.9


def test_one_layer_may_look_different_and_is_the_model_of_those_to_come(
    overlay: Overlay, layers: LayerList
) -> None:
    first, second, third = detections(), detections(), detections()
    for layer in (first, second):
        overlay.adopt(layer)
        layers.add(layer)
    style = replace(style_of(first), mode="measurement", measurement="Area µm²", fill_opacity=0.5)
    overlay.set_style(first, style)
    assert style_of(first) == style
    assert style_of(second).mode == "class"
    overlay.adopt(third)
    assert style_of(third) == style


def test_filling_and_recolouring_keep_how_a_layer_differs(
    overlay: Overlay, layers: LayerList
) -> None:
    first, second = detections(), detections()
    for layer in (first, second):
        layers.add(layer)
    overlay.set_style(first, replace(style_of(first), line_width_px=5))
    overlay.toggle_fill()
    overlay.set_color((1, 2, 3))
    assert [style_of(layer).line_width_px for layer in (first, second)] == [5, 1.5]
    assert all(style_of(layer).fill_opacity > 0 for layer in (first, second))
    assert all(style_of(layer).color == (1, 2, 3) for layer in (first, second))

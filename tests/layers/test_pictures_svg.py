from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image
from painted import boxes

from pathoview.annotations.detections import DetectionClass
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.layers.compose import compose, shown_layers
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.frame import Frame, Look
from pathoview.layers.layer import Layer
from pathoview.layers.pictures import svg
from pathoview.layers.pictures.order import PictureOrder
from pathoview.layers.pictures.svg import write_svg
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
CLASSES = (DetectionClass("Tumour & more", (200, 0, 0)), DetectionClass("Stroma", (0, 150, 0)))
RECTS = [Rect(210, 160, 40, 30), Rect(300, 200, 40, 30), Rect(400, 300, 40, 30), Rect(1, 1, 4, 4)]


@pytest.fixture
def slide() -> Layer:
    return Layer("Slide", SlideSource(ArraySlide(he_image(800, 600))))


@pytest.fixture
def nuclei() -> Layer:
    source = DetectionSource(800, 600)
    source.append(boxes(RECTS, CLASSES, (0, 1, 0, 0)))
    source.style = replace(source.style, fill_opacity=0.25)
    return Layer("Nuclei", source, opacity=0.8)


def order(*layers: Layer) -> PictureOrder:
    frame = Frame.around((320, 240), Look(1.0), 400, 300)
    legend = tuple((layer.name, layer.source) for layer in layers)
    return PictureOrder(
        frame, shown_layers(layers), Rect(0, 0, 800, 600), (0.5, 0.5), legend=legend
    )


def written(wanted: PictureOrder, folder: Path) -> ElementTree.Element:
    write_svg(wanted, folder / "a.svg", SilentProgress())
    return ElementTree.parse(folder / "a.svg").getroot()


def embedded(image: ElementTree.Element) -> Rgba:
    data = base64.b64decode(image.attrib[LINK].removeprefix("data:image/png;base64,"))
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], np.uint8)


def points(path: ElementTree.Element) -> list[tuple[float, float]]:
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", path.attrib["d"])]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_the_slide_is_embedded_and_outlines_are_paths(
    slide: Layer, nuclei: Layer, tmp_path: Path
) -> None:
    wanted = order(slide, nuclei)
    root = written(wanted, tmp_path)
    assert (root.attrib["width"], root.attrib["height"]) == ("400", "300")
    expected = compose([slide], Rect(120, 90, 400, 300), 400, 300)[..., :3]
    images = root.findall(f"{SVG}image")
    np.testing.assert_array_equal(embedded(images[0]), expected)
    paths = list(root.iter(f"{SVG}path"))
    assert len(paths) == 3  # the fourth is not seen
    corners = {min(points(path)) for path in paths}
    assert corners == {(90, 70), (180, 110), (280, 210)}
    groups = [group for group in root.iter(f"{SVG}g") if "stroke" in group.attrib]
    assert {group.attrib["stroke"]: len(group) for group in groups} == {"#c80000": 2, "#009600": 1}
    assert {group.attrib["fill-opacity"] for group in groups} == {"0.25"}


def test_words_are_text_and_the_scale_bar_is_a_shape(
    slide: Layer, nuclei: Layer, tmp_path: Path
) -> None:
    root = written(order(slide, nuclei), tmp_path)
    said = [element.text for element in root.iter(f"{SVG}text")]
    assert {"Tumour & more", "Stroma", "Nuclei"} <= set(said)
    assert any(text and text.endswith(" µm") for text in said)
    assert len(list(root.iter(f"{SVG}rect"))) > 5


def test_turned_outlines_lie_where_they_are_seen(
    slide: Layer, nuclei: Layer, tmp_path: Path
) -> None:
    wanted = order(slide, nuclei)
    wanted = replace(wanted, frame=Frame.around((320, 240), Look(0.7, 40, True), 400, 300))
    root = written(wanted, tmp_path)
    corner = wanted.frame.to_px.point(300, 200)
    near = [point for path in root.iter(f"{SVG}path") for point in points(path)]
    assert min(np.hypot(x - corner[0], y - corner[1]) for x, y in near) < 0.02


@pytest.mark.parametrize("why", ["too many", "blended", "covered"])
def test_what_cannot_be_paths_is_drawn_into_the_picture(
    why: str, slide: Layer, nuclei: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [slide, nuclei]
    if why == "too many":
        monkeypatch.setattr(svg, "MOST_SHAPES", 2)
    elif why == "blended":
        nuclei.blend = "multiply"
    else:
        layers.append(Layer("Another", slide.source, opacity=0.2))
    root = written(order(*layers), tmp_path)
    assert not list(root.iter(f"{SVG}path"))
    expected = compose(layers, Rect(120, 90, 400, 300), 400, 300)[..., :3]
    np.testing.assert_array_equal(embedded(root.findall(f"{SVG}image")[0]), expected)


def test_hidden_classes_are_no_paths_and_the_grid_is_lines(
    slide: Layer, nuclei: Layer, tmp_path: Path
) -> None:
    assert isinstance(nuclei.source, DetectionSource)
    nuclei.source.hidden_classes = frozenset({"Stroma"})
    root = written(replace(order(slide, nuclei), grid=True, grid_um=50), tmp_path)
    assert len(list(root.iter(f"{SVG}path"))) == 2
    lines = list(root.iter(f"{SVG}line"))
    assert {float(line.attrib["x1"]) for line in lines} >= {80, 180, 280, 380}

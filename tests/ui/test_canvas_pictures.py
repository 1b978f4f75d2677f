"""What the canvas shows of every kind of layer, beside what it ought to show, computed here anew.

The expected picture is made with plain numpy in floating point: which colour a layer has at each
pixel of the slide, and what the blending makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from hands import picture, settle
from makers import he_image, make_plain
from pytestqt.qtbot import QtBot
from shapely.geometry import box

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.annotations.feature import Feature
from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.colormaps import colors_of
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource, FeatureStyle
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.label_source import LabelSource, LabelStyle
from pathoview.layers.layer import BLENDS, Blend, Layer
from pathoview.layers.many_colors import many_colors
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import TileSource
from pathoview.layers.synthetic_source import BADGE_EVERY_PX, PictureSource, SyntheticSource
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas

WIDTH, HEIGHT = 1600, 1200
STEP = 16
"""px of the slide a px of the rasters."""
FREE = np.s_[70:-70, 10:-10]
"""The part of the canvas over which nothing is written."""

Floats = npt.NDArray[np.float64]


@dataclass
class Expected:
    """A layer, and what it shows at each pixel of the slide."""

    source: TileSource
    colors: Floats
    """(height, width, 3) 0–255."""
    alpha: Floats
    """(height, width) 0–1; NaN: not compared (edges that are smoothed, badges)."""


def grid(seed: int, low: int, high: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(low, high, (HEIGHT // STEP, WIDTH // STEP))


def large(small: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return small.repeat(STEP, 0).repeat(STEP, 1)


def heatmap() -> Expected:
    values = grid(1, 0, 1000) / 1000
    values[grid(2, 0, 5) == 0] = np.nan
    style = HeatmapStyle(limits=(0.2, 0.8), threshold=0.1)
    raster = ArrayRaster(values.astype(np.float32))
    source = HeatmapSource(raster, Affine.scaled(STEP), WIDTH, HEIGHT, style)
    share = np.clip((np.nan_to_num(values) - 0.2) / 0.6, 0, 1)
    colors = colors_of("viridis")[np.rint(share * 255).astype(int)]
    drawn = np.nan_to_num(values, nan=-1) >= 0.1
    return Expected(source, large(colors).astype(float), large(drawn).astype(float))


def class_map() -> Expected:
    classes = {1: DetectionClass("Tumor", (200, 0, 0)), 2: DetectionClass("Stroma", (0, 150, 90))}
    values = grid(3, 0, 3)
    raster = ArrayRaster(values.astype(np.uint8))
    source = ClassMapSource(raster, Affine.scaled(STEP), WIDTH, HEIGHT, classes, nothing=0)
    table = np.array([(0, 0, 0), classes[1].color, classes[2].color], float)
    return Expected(source, large(table[values]), large(values > 0).astype(float))


def labels() -> Expected:
    values = grid(4, 0, 4) * grid(5, 0, 900)
    style = LabelStyle(fill_opacity=1.0, line_width_px=0)
    raster = ArrayRaster(values.astype(np.uint16))
    source = LabelSource(raster, Affine.scaled(STEP), WIDTH, HEIGHT, style)
    colors = many_colors()[values % len(many_colors())]
    return Expected(source, large(colors).astype(float), large(values > 0).astype(float))


def boxes_and_alpha() -> tuple[list[Rect], Floats, Floats]:
    rects = [Rect(x, y, 90, 60) for x in range(40, WIDTH, 150) for y in range(30, HEIGHT, 110)]
    alpha, colors = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH, 3))
    for number, rect in enumerate(rects):
        x, y, width, height = rect.as_ints()
        alpha[max(0, y - 4) : y + height + 4, max(0, x - 4) : x + width + 4] = np.nan
        alpha[y + 4 : y + height - 4, x + 4 : x + width - 4] = 1
        colors[y : y + height, x : x + width] = (200, 0, 0) if number % 2 else (0, 0, 200)
    return rects, alpha, colors


def detections() -> Expected:
    rects, alpha, colors = boxes_and_alpha()
    corners = [[(r.x, r.y), (r.right, r.y), (r.right, r.bottom), (r.x, r.bottom)] for r in rects]
    n = len(rects)
    table = Detections(
        np.array(corners, np.int32).reshape(-1, 2) * SUBPIXEL,
        np.arange(n + 1, dtype=np.int64) * 4,
        np.random.default_rng(0).integers(0, 256, (n, 16), dtype=np.uint8),
        (np.arange(n) % 2).astype(np.int16),
        (DetectionClass("Blue", (0, 0, 200)), DetectionClass("Red", (200, 0, 0))),
        {},
    )
    source = DetectionSource(WIDTH, HEIGHT, OutlineStyle(fill_opacity=1.0))
    source.append(table)
    return Expected(source, colors, alpha)


def annotations() -> Expected:
    rects, alpha, colors = boxes_and_alpha()
    source = FeatureSource(
        WIDTH,
        HEIGHT,
        [
            Feature(
                box(r.x, r.y, r.right, r.bottom), color=(200, 0, 0) if number % 2 else (0, 0, 200)
            )
            for number, r in enumerate(rects)
        ],
    )
    source.style = FeatureStyle(fill_opacity=1.0)
    return Expected(source, colors, alpha)


def second_slide() -> Expected:
    image = he_image(900, 700, seed=7)
    source = RegisteredSource(SlideSource(ArraySlide(image)), Affine.moved(300, 200), WIDTH, HEIGHT)
    colors, alpha = np.zeros((HEIGHT, WIDTH, 3)), np.zeros((HEIGHT, WIDTH))
    colors[200:900, 300:1200], alpha[200:900, 300:1200] = image, 1
    alpha[198:202, 298:1202] = alpha[898:902, 298:1202] = np.nan
    alpha[198:902, 298:302] = alpha[198:902, 1198:1202] = np.nan
    return Expected(source, colors, alpha)


def synthetic() -> Expected:
    image = he_image(WIDTH, HEIGHT, seed=8)
    raster = ArrayRaster(image)
    source = SyntheticSource(PictureSource(raster), Affine(), WIDTH, HEIGHT)
    return Expected(source, image.astype(float), np.ones((HEIGHT, WIDTH)))


KINDS: Mapping[str, Callable[[], Expected]] = {
    "heatmap": heatmap,
    "class map": class_map,
    "labels": labels,
    "detections": detections,
    "annotations": annotations,
    "second slide": second_slide,
    "synthetic": synthetic,
}


SMOOTH = ("second slide", "synthetic")
"""Pictures that were resampled are smooth at any size, so there are no squares to compare."""


def blended(below: Floats, layer: Expected, opacity: float, mode: Blend) -> Floats:
    alpha = (layer.alpha * opacity)[..., None]
    if mode == "additive":
        return np.minimum(255, below + layer.colors * alpha)
    top = below * layer.colors / 255 if mode == "multiply" else layer.colors
    return below * (1 - alpha) + top * alpha


@pytest.fixture(scope="module")
def image() -> npt.NDArray[np.uint8]:
    return he_image(WIDTH, HEIGHT)


@pytest.fixture
def looking(
    qtbot: QtBot, canvas: Canvas, session: Session, image: npt.NDArray[np.uint8], tmp_path: Path
) -> Callable[[Layer, float, float], npt.NDArray[np.uint8]]:
    session.open(make_plain(tmp_path / "slide.png", image))
    qtbot.waitUntil(lambda: session.slide is not None)
    canvas.overview.hide()

    def look(layer: Layer, scale: float, rotation: float) -> npt.NDArray[np.uint8]:
        session.layers.add(layer)
        session.scheduler.add(layer.source)
        session.viewport.set_turn(rotation, is_flipped=False)
        session.viewport.look_at(700, 600, scale)
        settle(qtbot, canvas, session)
        return picture(canvas)

    return look


def seen_part(picture_l0: Floats, scale: int, rotation: int) -> Floats:
    """Return the 800 × 600 px of the canvas around (700, 600), cut from level-0 px."""
    width, height = (600, 800) if rotation % 180 else (800, 600)
    left, top = 700 - width // (2 * scale), 600 - height // (2 * scale)
    part = picture_l0[top : top + height // scale, left : left + width // scale]
    return np.rot90(part.repeat(scale, 0).repeat(scale, 1), -rotation // 90)


@pytest.mark.parametrize("mode", BLENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layer_in_every_blend_mode(
    kind: str,
    mode: Blend,
    looking: Callable[[Layer, float, float], npt.NDArray[np.uint8]],
    image: npt.NDArray[np.uint8],
) -> None:
    layer = KINDS[kind]()
    seen = looking(Layer(kind, layer.source, opacity=0.6, blend=mode), 1.0, 0)
    wanted = seen_part(blended(image.astype(float), layer, 0.6, mode), 1, 0)
    assert share_of_equal(seen, wanted) > lowest_share(kind)


@pytest.mark.parametrize(("scale", "rotation"), [(2, 0), (1, 90), (4, 180)])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layer_enlarged_and_turned(
    kind: str,
    scale: int,
    rotation: int,
    looking: Callable[[Layer, float, float], npt.NDArray[np.uint8]],
    image: npt.NDArray[np.uint8],
) -> None:
    if kind in SMOOTH:
        scale = min(scale, 2)
    layer = KINDS[kind]()
    seen = looking(Layer(kind, layer.source), scale, rotation)
    whole = blended(image.astype(float), layer, 1.0, "normal")
    wanted = seen_part(whole, scale, rotation)
    bound = 24 if scale == 2 else 3  # smooth between the slide's own pixels at twice the size
    assert share_of_equal(seen, wanted, bound) > lowest_share(kind)


def share_of_equal(seen: npt.NDArray[np.uint8], wanted: Floats, bound: float = 3) -> float:
    """Return the share of what is compared that is equal but for rounding."""
    difference = np.abs(seen[FREE].astype(float) - wanted[FREE]).max(axis=2)
    compared = np.isfinite(difference)
    assert compared.mean() > 0.5
    return float((difference[compared] <= bound).mean())


def lowest_share(kind: str) -> float:
    """Badges lie on a synthetic picture; all else is equal, but for a pixel in a thousand."""
    return 0.9 if kind == "synthetic" else 0.999


def test_a_synthetic_picture_shows_its_badge_on_every_screen(
    looking: Callable[[Layer, float, float], npt.NDArray[np.uint8]],
    image: npt.NDArray[np.uint8],
) -> None:
    layer = synthetic()
    seen = looking(Layer("synthetic", layer.source), 1.0, 0)
    wanted = seen_part(layer.colors, 1, 0)
    differs = (np.abs(seen[FREE].astype(float) - wanted[FREE]).max(axis=2) > 3).astype(int)
    assert differs[: BADGE_EVERY_PX + 60, : BADGE_EVERY_PX + 60].sum() > 500

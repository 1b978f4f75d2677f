from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image
from painted import boxes

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import Cancelled, StorageError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Control, SilentProgress
from pathoview.layers.compose import compose, shown_layers
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.frame import Frame, Look
from pathoview.layers.layer import Layer
from pathoview.layers.pictures.drawing import MOST_PX, drawn, marks_of, write_png
from pathoview.layers.pictures.lettering import lettering
from pathoview.layers.pictures.marks import Box, Ramp, Words
from pathoview.layers.pictures.order import DARK, PictureOrder
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba

TUMOUR = DetectionClass("Tumour", (200, 0, 0))
STROMA = DetectionClass("Stroma", (0, 150, 0))
WHOLE = Rect(0, 0, 1500, 1200)


def slide_layer() -> Layer:
    return Layer("Slide", SlideSource(ArraySlide(he_image(1500, 1200))))


FULL = Look(1.0)


def order(look: Look = FULL, *layers: Layer, **changes: object) -> PictureOrder:
    shown = shown_layers(layers or (slide_layer(),))
    frame = Frame.around((750, 600), look, 1100, 900)
    plain = PictureOrder(frame, shown, WHOLE, (0.5, 0.5), scale_bar=False)
    return replace(plain, **changes)  # type: ignore[arg-type]


def made(wanted: PictureOrder) -> Rgba:
    return drawn(wanted, SilentProgress())


def words(wanted: PictureOrder) -> list[str]:
    return [mark.text for mark in marks_of(wanted) if isinstance(mark, Words)]


def test_a_picture_is_what_the_painter_gives_without_seams_between_blocks() -> None:
    layer = slide_layer()
    picture = made(order(Look(1.0), layer))
    frame = order().frame
    expected = compose([layer], Rect(frame.left, frame.top, 1100, 900), 1100, 900)
    np.testing.assert_array_equal(picture, expected)


def test_twice_the_size_reads_finer_pixels_of_the_same_place() -> None:
    slide = ArraySlide(he_image(1500, 1200), downsamples=(1, 2, 4))
    layer = Layer("Slide", SlideSource(slide))
    small = Frame.around((750, 600), Look(0.5, 30), 400, 300)
    large = Frame.around((750, 600), Look(1.0, 30), 800, 600)
    one, two = (
        made(replace(order(Look(1.0), layer), frame=frame, enlarged=frame.scale / 0.5))
        for frame in (small, large)
    )
    assert two.shape == (600, 800, 4)
    shrunk = cv2.resize(two, (400, 300), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - one)[20:-20, 20:-20].mean() < 6
    sharp, blurred = (
        cv2.Laplacian(seen, cv2.CV_32F) for seen in (two, cv2.resize(one, (800, 600)))
    )
    assert sharp.std() > 2 * blurred.std()


def test_right_of_the_curtain_are_the_other_layers(tmp_path: Path) -> None:
    slide, nuclei_layer = slide_layer(), Layer("Nuclei", nuclei("single"))
    full, bare = (made(order(FULL, *layers)) for layers in ((slide, nuclei_layer), (slide,)))
    wanted = order(FULL, slide, nuclei_layer, beyond=shown_layers([slide]), curtain=0.55)
    picture = made(wanted)
    np.testing.assert_array_equal(picture[:, :600], full[:, :600])
    np.testing.assert_array_equal(picture[:, 610:], bare[:, 610:])
    assert (full[:, :600] != bare[:, :600]).any()
    assert (full[:, 610:] != bare[:, 610:]).any()
    assert tuple(picture[450, 605, :3]) == (215, 217, 222)


def test_around_the_slide_is_the_background() -> None:
    picture = made(order(Look(0.3), background=DARK))
    assert tuple(picture[5, 5]) == (*DARK, 255)
    assert picture[450, 550, :3].mean() > 100


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    wanted = order(Look(0.5), scale_bar=True)  # 1 µm a px
    (text,) = words(wanted)
    assert text == "100 µm"
    bar = max(
        (mark for mark in marks_of(wanted) if isinstance(mark, Box) and mark.opacity == 1),
        key=lambda mark: mark.rect.width,
    )
    assert bar.rect.width == pytest.approx(100)
    picture = made(replace(wanted, background=DARK))
    y = round(bar.rect.center[1] - 0.5)
    bright = np.flatnonzero(picture[y, :170, :3].min(axis=1) > 190)
    assert bright.max() - bright.min() + 1 == pytest.approx(100, abs=1)
    assert words(replace(wanted, mpp=None)) == []


def test_letters_and_lines_grow_with_the_picture() -> None:
    one = marks_of(order(Look(0.5), scale_bar=True))
    two = marks_of(replace(order(Look(1.0), scale_bar=True), enlarged=2.0))
    sizes = [{mark.size for mark in marks if isinstance(mark, Words)}.pop() for marks in (one, two)]
    assert sizes[1] == 2 * sizes[0]


def nuclei(mode: str = "class") -> DetectionSource:
    source = DetectionSource(1500, 1200)
    rects = [Rect(700, 560, 40, 30), Rect(800, 600, 40, 30), Rect(900, 700, 40, 30)]
    source.append(boxes(rects, (TUMOUR, STROMA), (0, 1, -1), Area=[10, 20, 30]))
    source.style = replace(source.style, mode=mode, measurement="Area", limits=(10, 1234))  # type: ignore[arg-type]
    return source


def test_the_legend_names_the_classes_that_are_seen() -> None:
    source = nuclei()
    wanted = order(Look(1.0), slide_layer(), Layer("Nuclei", source), legend=(("Nuclei", source),))
    assert set(words(wanted)) == {"Nuclei", "Tumour", "Stroma", "Unclassified"}
    swatches = {mark.color for mark in marks_of(wanted) if isinstance(mark, Box)}
    assert {TUMOUR.color, STROMA.color} <= swatches
    picture = made(wanted)
    corner = picture[16:120, 16:60, :3].reshape(-1, 3)
    assert (corner == TUMOUR.color).all(axis=1).sum() > 60
    source.hidden_classes = frozenset({"Stroma"})
    assert "Stroma" not in words(wanted)


def test_the_legend_of_a_measurement_is_a_colour_bar_with_its_ends() -> None:
    source = nuclei("measurement")
    wanted = order(legend=(("Nuclei", source),))
    assert words(wanted) == ["Area", "10", "1,234"]
    assert len([mark for mark in marks_of(wanted) if isinstance(mark, Ramp)]) == 1


def test_a_legend_that_does_not_fit_says_how_much_is_left_out() -> None:
    source = DetectionSource(1500, 1200)
    classes = tuple(DetectionClass(f"Class {n}", (n, n, n)) for n in range(40))
    rects = [Rect(20 * n, 30, 10, 10) for n in range(40)]
    source.append(boxes(rects, classes, range(40)))
    wanted = order(legend=(("Nuclei", source),))
    wanted = replace(wanted, frame=replace(wanted.frame, height=300))
    assert words(wanted)[-1].endswith(" more")
    n_named = sum(text.startswith("Class ") for text in words(wanted))
    assert words(wanted)[-1] == f"{40 - n_named} more"
    lowest = max(mark.rect.bottom for mark in marks_of(wanted) if isinstance(mark, Box))
    assert lowest < 300


def test_a_note_stands_at_the_bottom_right() -> None:
    with_note, without = made(order(note="Research use only")), made(order())
    rows, columns = np.nonzero((with_note != without).any(axis=2))
    assert rows.min() > 850
    assert columns.min() > 900


def test_the_grid_lies_on_the_slide_whatever_the_turn() -> None:
    glass = Layer("Slide", SlideSource(ArraySlide(np.full((1200, 1500, 3), 255, np.uint8))))
    for look in (Look(0.4), Look(0.4, 90), Look(0.4, 0, True)):
        wanted = order(look, glass, grid=True, grid_um=100)  # a line every 200 px of level 0
        picture = made(wanted)[..., 0]
        for x_l0, y_l0 in ((400, 500), (800, 700), (650, 600)):
            x, y = (round(value) for value in wanted.frame.to_px.point(x_l0, y_l0))
            assert picture[y - 1 : y + 2, x - 1 : x + 2].min() < 200
        x, y = (round(value) for value in wanted.frame.to_px.point(500, 500))
        assert picture[y - 9 : y + 9, x - 9 : x + 9].min() == 255


def test_a_picture_is_stopped_when_asked_and_none_is_left(tmp_path: Path) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        write_png(order(), tmp_path / "a.png", SilentProgress(control))
    assert list(tmp_path.iterdir()) == []


def test_too_large_a_picture_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    huge = order()
    huge = replace(huge, frame=replace(huge.frame, width=MOST_PX, height=2))
    with pytest.raises(UsageError, match="too large"):
        made(huge)
    with pytest.raises(StorageError, match="folder"):
        write_png(order(), tmp_path / "no" / "a.png", SilentProgress())


def test_letters_of_all_scripts_are_drawn_and_markup_is_text() -> None:
    for text in ("100 µm", "20× – ↻", "Ki-67 <3 & more", "Größe é"):
        line = lettering(text, 20)
        assert line.ink.max() == 255
        assert line.ink.shape[1] > 30
    assert lettering("a", 20).y > lettering("A", 20).y
    assert lettering(" ", 20).width == 0

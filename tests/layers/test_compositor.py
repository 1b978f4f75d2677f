from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from makers import he_image
from painted import PlainSource, boxes

from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.backdrop import Backdrop
from pathoview.layers.blocks import Blocks
from pathoview.layers.cache import TileCache
from pathoview.layers.compose import Shown
from pathoview.layers.compositor import Compositor
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.frame import Frame, Look
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.picture import BLOCK_PX, Order, Picture
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import TileSource

SURROUND, UNREAD = (10, 20, 30), (40, 50, 60)
COLORS = Backdrop(SURROUND, UNREAD)


class Stage:
    """A compositor with a hand-cranked event loop."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.scheduler = TileScheduler(TileCache(ByteCache(64 * 2**20)), self.calls.put, 2)
        self.compositor = Compositor(self.scheduler, self.calls.put)
        self.pictures: list[Picture | None] = []
        self.compositor.changed.connect(self._on_changed)

    def _on_changed(self) -> None:
        self.pictures.append(self.compositor.picture)

    def run_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < deadline, "it never came about"
            try:
                self.calls.get(timeout=0.02)()
            except queue.Empty:
                continue

    def show(self, frame: Frame, *sources: TileSource, side: float = 3000) -> Picture:
        """Order a picture; return it when it is sharp."""
        shown = tuple(Shown(source) for source in sources)
        self.compositor.show(Order(frame, shown, COLORS, Rect(0, 0, side, side)))
        self.run_until(lambda: self.is_sharp(frame))
        assert self.compositor.picture is not None
        return self.compositor.picture

    def is_sharp(self, frame: Frame) -> bool:
        picture = self.compositor.picture
        return (
            picture is not None
            and picture.is_sharp
            and picture.look == frame.look
            and self.compositor.is_idle
            and self.scheduler.n_pending == 0
        )

    def close(self) -> None:
        self.compositor.close()
        self.scheduler.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def cut(picture: Picture, frame: Frame) -> npt.NDArray[np.uint8]:
    """Return what a canvas would copy, (height, width, 3) RGB; magenta where no block is."""
    out = np.full((frame.height, frame.width, 3), (255, 0, 255), np.uint8)
    for (column, row), pixels in picture.blocks.items():
        x, y = column * BLOCK_PX - frame.left, row * BLOCK_PX - frame.top
        left, top = max(0, x), max(0, y)
        right, bottom = min(frame.width, x + BLOCK_PX), min(frame.height, y + BLOCK_PX)
        if left < right and top < bottom:
            part = pixels[top - y : bottom - y, left - x : right - x]
            out[top:bottom, left:right] = part[..., 2::-1]
    return out


@cache
def tissue() -> npt.NDArray[np.uint8]:
    return np.tile(he_image(600, 600), (5, 5, 1))


def slide_source(side: int = 3000) -> tuple[npt.NDArray[np.uint8], SlideSource]:
    image = tissue()[:side, :side]
    return image, SlideSource(ArraySlide(image, downsamples=(1, 4)))


def test_at_full_size_the_picture_is_the_slide_s_pixels(stage: Stage) -> None:
    image, source = slide_source()
    frame = Frame.around((1500, 1300), Look(1.0), 900, 700)
    seen = cut(stage.show(frame, source), frame)
    np.testing.assert_array_equal(seen, image[950:1650, 1050:1950])


@pytest.mark.parametrize(
    ("look", "way_back"),
    [
        (Look(1.0, 90), cv2.ROTATE_90_COUNTERCLOCKWISE),
        (Look(1.0, 180), cv2.ROTATE_180),
        (Look(1.0, 270), cv2.ROTATE_90_CLOCKWISE),
    ],
)
def test_quarter_turns_lose_nothing(stage: Stage, look: Look, way_back: int) -> None:
    image, source = slide_source()
    frame = Frame.around((1500, 1300), look, 700, 700)
    seen = cut(stage.show(frame, source), frame)
    np.testing.assert_array_equal(cv2.rotate(seen, way_back), image[950:1650, 1150:1850])


def test_a_flipped_picture_is_mirrored(stage: Stage) -> None:
    image, source = slide_source()
    frame = Frame.around((1500, 1300), Look(1.0, is_flipped=True), 700, 700)
    seen = cut(stage.show(frame, source), frame)
    np.testing.assert_array_equal(seen[:, ::-1], image[950:1650, 1150:1850])


@pytest.mark.parametrize("look", [Look(0.37), Look(2.6, 33), Look(0.5, 120, is_flipped=True)])
def test_outlines_lie_on_the_pixels_they_surround_however_one_looks(
    stage: Stage, look: Look
) -> None:
    image = np.full((3000, 3000, 3), 255, np.uint8)
    box = Rect(1403, 1601, 300, 200)
    image[1601:1801, 1403:1703] = 0
    outlines = DetectionSource(3000, 3000, OutlineStyle(color=(255, 0, 0), fill_opacity=1.0))
    outlines.append(boxes([box]))
    frame = Frame.around((1500, 1700), look, 900, 700)
    seen = cut(stage.show(frame, SlideSource(ArraySlide(image)), outlines), frame).astype(int)
    is_red = (seen[..., 0] > 150) & (seen[..., 1] < 100)
    is_black = seen.max(axis=2) < 60
    expected = np.zeros(seen.shape[:2], np.uint8)
    corners = np.array([(1403, 1601), (1703, 1601), (1703, 1801), (1403, 1801)], float)
    cv2.fillPoly(expected, [np.rint(frame.to_px.points(corners)).astype(np.int32)], 1)
    inner = cv2.erode(expected, np.ones((9, 9), np.uint8)) > 0
    outer = cv2.dilate(expected, np.ones((9, 9), np.uint8)) > 0
    assert is_red[inner].all()
    assert not is_red[~outer].any()
    assert is_black.sum() < 40


def test_a_pan_keeps_blocks_and_equals_what_would_be_drawn_anew(stage: Stage) -> None:
    _image, source = slide_source()
    frame = Frame.around((1500, 1300), Look(0.71), 800, 600)
    before = stage.show(frame, source)
    moved = frame.moved(130, -57)
    after = stage.show(moved, source)
    kept = [place for place in after.blocks if before.blocks.get(place) is after.blocks[place]]
    assert len(kept) >= 4
    fresh = Stage()
    anew = cut(fresh.show(moved, source), moved)
    fresh.close()
    np.testing.assert_array_equal(cut(after, moved), anew)


def test_around_the_slide_is_the_surround_and_behind_unread_tiles_the_other_colour(
    stage: Stage,
) -> None:
    source = PlainSource(1024, 1024, 128)
    source.gate.clear()
    frame = Frame.around((0, 0), Look(1.0), 400, 400)
    order = Order(frame, (Shown(source),), COLORS, Rect(0, 0, 1024, 1024))
    stage.compositor.show(order)
    stage.run_until(lambda: bool(stage.pictures and stage.pictures[-1].blocks))
    assert stage.compositor.picture is not None
    assert not stage.compositor.picture.is_sharp
    seen = cut(stage.compositor.picture, frame)
    assert seen[50, 50].tolist() == list(SURROUND)
    assert seen[300, 300].tolist() == list(UNREAD)
    source.gate.set()
    stage.run_until(lambda: stage.is_sharp(frame))
    assert cut(stage.compositor.picture, frame)[300, 300].tolist() == [41, 51, 61], "a faint tile"


def test_a_tile_that_comes_has_only_its_blocks_composed_again(stage: Stage) -> None:
    source = DetectionSource(3000, 3000)
    frame = Frame.around((1536, 1536), Look(1.0), 1536, 1536)
    before = stage.show(frame, source)
    source.append(boxes([Rect(1600, 1600, 40, 40)]))
    stage.compositor.wish_again()
    stage.run_until(lambda: stage.is_sharp(frame) and stage.compositor.picture is not before)
    after = stage.compositor.picture
    assert after is not None
    changed = [place for place in before.blocks if before.blocks[place] is not after.blocks[place]]
    assert changed == [(3, 3)]


def test_a_tile_that_cannot_be_read_is_hatched_and_does_not_keep_the_rest_waiting(
    stage: Stage,
) -> None:
    source = PlainSource(1024, 1024, 128)
    source.broken = {TileKey(0, 3, 3)}
    frame = Frame.around((512, 512), Look(1.0), 700, 700)
    stage.compositor.show(Order(frame, (Shown(source),), COLORS, Rect(0, 0, 1024, 1024)))
    stage.run_until(
        lambda: stage.compositor.picture is not None and stage.compositor.picture.is_sharp
    )
    assert stage.compositor.picture is not None
    seen = cut(stage.compositor.picture, frame).astype(int)
    orange = seen[..., 0] - seen[..., 2] > 100
    ys, xs = np.nonzero(orange)
    left, top = 3 * 128 - frame.left, 3 * 128 - frame.top
    assert 0.1 < orange[top : top + 128, left : left + 128].mean() < 0.3
    assert xs.min() >= left - 1
    assert xs.max() <= left + 128
    assert ys.min() >= top - 1
    assert ys.max() <= top + 128


def test_the_base_picture_is_the_whole_slide_and_comes_first(stage: Stage) -> None:
    image, source = slide_source()
    stage.scheduler.add(source)
    stage.run_until(lambda: stage.scheduler.n_pending == 0)
    frame = Frame.around((300, 300), Look(4.0), 400, 300)
    order = Order(frame, (Shown(source),), COLORS, Rect(0, 0, 3000, 3000))
    blocks = Blocks(stage.scheduler)
    blocks.take(order, ())
    first, *_others, last = blocks.pictures(order, lambda: order)
    assert first.base is not None
    assert not first.blocks
    assert last.blocks
    small = cv2.resize(image, first.base.pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
    difference = np.abs(first.base.pixels[..., 2::-1].astype(int) - small)
    assert np.median(difference) <= 4


def test_only_what_is_near_is_kept(stage: Stage) -> None:
    _image, source = slide_source(2048)
    frame = Frame.around((100, 100), Look(4.0), 600, 400)
    stage.show(frame, source, side=2048)
    far = Frame.around((1900, 1900), Look(4.0), 600, 400)
    picture = stage.show(far, source, side=2048)
    assert len(picture.blocks) <= 16


def test_forgetting_drops_everything(stage: Stage) -> None:
    _image, source = slide_source()
    frame = Frame.around((1500, 1300), Look(1.0), 300, 200)
    stage.show(frame, source)
    stage.compositor.forget()
    assert stage.compositor.picture is None
    stage.run_until(lambda: stage.compositor.is_idle)
    assert stage.compositor.picture is None
    assert cut(stage.show(frame, source), frame).min() < 255

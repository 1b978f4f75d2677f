from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import shapely
from fakes import ArraySlide
from makers import he_image
from scenes import drawn, image_of, labels_of

from pathoview.core.geometry import Rect
from pathoview.datasets.labels import UNKNOWN, LabelledImage
from pathoview.datasets.patches import PatchReader, Place
from pathoview.slides.reading import read_patch

WHOLE = drawn(shapely.box(0, 0, 600, 400), "Tumor")


def test_pixels_and_masks_of_a_place_lie_over_each_other() -> None:
    nucleus = drawn(shapely.box(100, 60, 120, 100), "Stroma")
    image = image_of(labels_of(nucleus))
    reader = PatchReader([image], 1.0, 64)
    place = Place(0, 40, 20)
    assert reader.rect_l0(place) == Rect(80, 40, 128, 128)
    grid = reader.grids[0]
    np.testing.assert_array_equal(
        reader.pixels(place), read_patch(image.slide, grid, 40, 20, 64, 64)
    )
    assert (reader.mask(place)[10:30, 10:20] == 2).all()
    assert (reader.mask(place) == 2).sum() == 200
    found = reader.instances(place)
    assert (found.labels > 0).sum() == found.is_known.sum() == 200
    xy, values = reader.points(place)
    assert xy.tolist() == [[15, 20]]
    assert values.tolist() == [2]


def test_a_picture_kept_whole_gives_the_same_pixels_as_a_large_one() -> None:
    image = image_of(labels_of(WHOLE), 150, 90)
    kept, read = (PatchReader([image], 0.5, 64, cache_bytes=n) for n in (1 << 20, 1))
    for x, y in ((0, 0), (-20, -30), (120, 70), (300, 300), (30, -100)):
        np.testing.assert_array_equal(
            kept.pixels(Place(0, x, y)), read.pixels(Place(0, x, y)), err_msg=f"{x} {y}"
        )


def test_a_small_picture_is_read_once_however_many_ask() -> None:
    class Counting(ArraySlide):
        n_reads = 0

        def read(self, *place, **more):  # type: ignore[no-untyped-def]
            self.n_reads += 1
            return super().read(*place, **more)

    slide = Counting(he_image(150, 90))
    reader = PatchReader([LabelledImage(slide, labels_of(WHOLE), "a")], 0.5, 32)
    with ThreadPoolExecutor(8) as pool:
        patches = list(pool.map(reader.pixels, [Place(0, 5, 5)] * 32))
    assert slide.n_reads == 1
    assert all((patch == patches[0]).all() for patch in patches)


def test_beyond_the_edge_nothing_is_known_though_it_is_drawn_on() -> None:
    over = drawn(shapely.box(-50, -50, 200, 200), "Tumor")
    full = drawn(shapely.box(-50, -50, 200, 200), role="full")
    reader = PatchReader([image_of(labels_of(over), 100, 80)], 0.5, 64)
    between = PatchReader([image_of(labels_of(full), 100, 80)], 0.5, 64)
    mask = reader.mask(Place(0, -10, -20))
    assert (mask[20:, 10:] == 1).all()
    assert (mask[:20] == UNKNOWN).all()
    assert (mask[:, :10] == UNKNOWN).all()
    beyond = reader.mask(Place(0, 80, 60))
    assert (beyond[:20, :20] == 1).all()
    assert (beyond != UNKNOWN).sum() == 400
    assert between.instances(Place(0, 80, 60)).is_known.sum() == 400


def test_only_what_lies_within_counts() -> None:
    reader = PatchReader([image_of(labels_of(WHOLE))], 0.5, 64)
    place = Place(0, 100, 100, within_l0=Rect(90, 110, 30, 1000))
    mask = reader.mask(place)
    assert (mask[10:, :20] == 1).all()
    assert (mask != UNKNOWN).sum() == 54 * 20


def test_every_image_has_its_own_true_resolution() -> None:
    slides = [ArraySlide(he_image(200, 100), mpp) for mpp in (0.23, 0.5)]
    images = [LabelledImage(slide, labels_of(WHOLE), "a") for slide in slides]
    reader = PatchReader(images, 0.5, 64)
    assert [round(grid.mpp, 2) for grid in reader.grids] == [0.46, 0.5]
    assert reader.rect_l0(Place(0, 0, 0)).width == 128
    assert reader.rect_l0(Place(1, 0, 0)).width == 64

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import he_scene
from scenes import data_of, drawn, image_of, labels_of

from pathoview.annotations.feature import Feature
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.datasets.anchors import AnchorMap
from pathoview.datasets.image_labels import InstanceImage
from pathoview.datasets.labels import UNKNOWN, LabelledImage, TrainingData
from pathoview.datasets.meanings import Target
from pathoview.datasets.patches import PatchReader, Place
from pathoview.datasets.sampling import PatchSampler, require_values, validation_places

SIDE = 64
COMMON = drawn(shapely.box(0, 0, 600, 200), "Tumor")
RARE = drawn(shapely.box(500, 300, 520, 320), "Stroma")


def sampler_of(
    data: TrainingData, target: Target = "classes", mpp: float = 0.5, **more: float
) -> tuple[PatchSampler, PatchReader]:
    reader = PatchReader(data.images, mpp, SIDE)
    return PatchSampler(data, AnchorMap(reader, target), **more), reader  # type: ignore[arg-type]


def places(sampler: PatchSampler, n: int) -> list[Place]:
    return [sampler.place(number // 4, number % 4) for number in range(n)]


def test_places_depend_on_seed_step_and_slot_only() -> None:
    data = data_of(image_of(labels_of(COMMON, RARE)))
    one, other = (sampler_of(data, seed=7)[0] for _time in range(2))
    assert places(one, 20) == places(other, 20)
    assert one.place(3, 2) == places(one, 20)[14]
    assert places(sampler_of(data, seed=8)[0], 20) != places(one, 20)
    assert len(set(places(one, 20))) > 15


def test_patches_may_be_asked_for_of_some_values_only() -> None:
    data = data_of(image_of(labels_of(COMMON, RARE)))
    sampler, reader = sampler_of(data)
    rare = [sampler.place(step, 0, [2]) for step in range(30)]
    assert all((reader.mask(place) == 2).any() for place in rare)
    assert [sampler.place(step, 0, [1, 2]) for step in range(9)] == [
        sampler.place(step, 0) for step in range(9)
    ]


def test_classes_are_drawn_alike_however_rare_within_the_bounds_of_weights() -> None:
    data = data_of(image_of(labels_of(COMMON, RARE)))
    sampler, reader = sampler_of(data)
    assert sampler.counts[1] == pytest.approx(120_000, rel=0.02)
    assert sampler.counts[2] == pytest.approx(400, rel=0.1)
    n_rare = sum((reader.mask(place) == 2).any() for place in places(sampler, 400))
    assert n_rare / 400 == pytest.approx(10 / (10 + 301 * 0.5), abs=0.04)
    equal = drawn(shapely.box(0, 300, 60, 380), "Stroma")
    common = drawn(shapely.box(0, 0, 600, 60), "Tumor")
    sampler, reader = sampler_of(data_of(image_of(labels_of(common, equal))))
    n_of = Counter(int((reader.mask(place) == 2).any()) for place in places(sampler, 400))
    assert n_of[1] / 400 == pytest.approx(0.5, abs=0.08)


def test_images_are_drawn_alike_however_much_is_labelled_in_them() -> None:
    little = drawn(shapely.box(100, 100, 130, 130), "Tumor")
    data = data_of(image_of(labels_of(COMMON)), image_of(labels_of(little), name="b"))
    n_of = Counter(place.image for place in places(sampler_of(data)[0], 400))
    assert n_of[1] / 400 == pytest.approx(0.5, abs=0.08)


def test_a_label_may_be_anywhere_in_its_patch() -> None:
    data = data_of(image_of(labels_of(drawn(shapely.Point(300, 200), "Tumor"))))
    sampler, _reader = sampler_of(data, "points")
    at = np.array([(300 - place.x, 200 - place.y) for place in places(sampler, 300)])
    assert at.min() >= 0
    assert at.max() <= SIDE
    assert (at.min(axis=0) < 8).all()
    assert (at.max(axis=0) > SIDE - 8).all()


def test_patches_lie_within_their_image_and_small_images_in_their_middle() -> None:
    full = drawn(shapely.box(-9, -9, 999, 999), role="full")
    data = data_of(image_of(labels_of(full)), image_of(labels_of(full), 40, 600, name="b"))
    for place in places(sampler_of(data)[0], 100):
        width, height = ((600, 400), (40, 600))[place.image]
        assert place.x == -12 if width < SIDE else 0 <= place.x <= width - SIDE
        assert 0 <= place.y <= height - SIDE


SHAPES = st.tuples(st.floats(0, 550), st.floats(0, 350), st.floats(3, 200)).map(
    lambda at: shapely.box(at[0], at[1], at[0] + at[2], at[1] + at[2] / 2)
)
RECTS = st.builds(Rect, st.floats(0, 500), st.floats(0, 300), st.floats(20, 200), st.floats(20, 99))


@settings(max_examples=25)
@given(
    st.lists(SHAPES, min_size=1, max_size=4),
    st.lists(RECTS, max_size=3),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.5, 1.0]),
)
def test_no_patch_touches_what_is_held_back_and_none_is_without_labels(
    shapes: list[shapely.Polygon], held_back: list[Rect], share: float, mpp: float
) -> None:
    features = [drawn(shape, "Tumor") for shape in shapes]
    images = [
        image_of(labels_of(*features)),
        image_of(labels_of(*features), name="measured", split="val"),
    ]
    data = TrainingData(images, (), {"a": tuple(held_back)})
    try:
        sampler, reader = sampler_of(data, mpp=mpp, unlabelled_share=share, margin_um=5)
    except UsageError:
        return  # all labels lie in what is held back
    for place in places(sampler, 12):
        assert place.image == 0
        near = reader.rect_l0(place).expanded(9.9)
        assert not any(near.intersects(rect) for rect in held_back)
        assert (reader.mask(place) != UNKNOWN).any() == place.is_labelled


def test_some_patches_are_drawn_from_tissue_without_labels() -> None:
    data = data_of(image_of(labels_of(RARE)), image_of(labels_of(), name="bare"))
    sampler, reader = sampler_of(data, unlabelled_share=0.4)
    found = places(sampler, 300)
    bare = [place for place in found if not place.is_labelled]
    assert len(bare) / 300 == pytest.approx(0.4, abs=0.08)
    assert {place.image for place in bare} == {0, 1}
    assert all((reader.mask(place) == UNKNOWN).all() for place in bare)
    assert {place.image for place in found if place.is_labelled} == {0}


def test_objects_and_what_lies_between_them_are_drawn_alike() -> None:
    scene = he_scene(600, 400, seed=2)
    image = image_of(InstanceImage(scene.labels))
    sampler, reader = sampler_of(data_of(image), "instances")
    assert list(sampler.counts) == [0, 1]
    assert sampler.counts[1] == pytest.approx((scene.labels > 0).sum(), rel=0.05)
    assert reader.instances(sampler.place(0, 0)).is_known.all()


def test_labels_that_a_target_does_not_know_are_no_labels() -> None:
    stroke = drawn(shapely.LineString([(10, 10), (300, 300)]), "Tumor", role="scribble")
    data = data_of(image_of(labels_of(stroke)))
    sampler_of(data, "classes")
    for target in ("points", "instances", "objects"):
        with pytest.raises(UsageError, match="no labels to learn from") as raised:
            sampler_of(data, target)  # type: ignore[arg-type]
        assert raised.value.hint


def test_one_class_is_too_few_for_what_tells_classes_apart() -> None:
    require_values({0: 5.0, 1: 3.0}, 2)
    with pytest.raises(UsageError, match="at least 2"):
        require_values({1: 3.0}, 2)


def measured(most: int, *images: LabelledImage, **held_back: tuple[Rect, ...]) -> list[Place]:
    data = TrainingData(images, (), held_back)
    return validation_places(data, AnchorMap(PatchReader(images, 0.5, SIDE), "classes"), most)


def test_images_to_measure_on_are_cut_side_by_side_where_something_is_known() -> None:
    area = drawn(shapely.box(0, 0, 128, 64), "Tumor")
    trained = image_of(labels_of(COMMON))
    kept = image_of(labels_of(area, RARE), name="b", split="val")
    found = measured(64, trained, kept)
    assert [(place.image, place.x, place.y) for place in found] == [
        (1, 0, 0), (1, 64, 0), (1, 448, 256), (1, 512, 256)
    ]  # fmt: skip
    assert measured(64, trained) == []


def test_blocks_that_are_held_back_are_measured_and_nothing_around_them() -> None:
    image = image_of(labels_of(COMMON))
    block = Rect(100, 0, 100, 100)
    found = measured(64, image, a=(block,))
    reader = PatchReader([image], 0.5, SIDE)
    known = sum(int((reader.mask(place) != UNKNOWN).sum()) for place in found)
    assert known == 100 * 100
    assert len(found) == 4


def test_of_many_places_some_of_every_class_are_measured() -> None:
    kept = image_of(labels_of(COMMON, RARE), split="val")
    found = measured(6, kept)
    assert len(found) == 6
    reader = PatchReader([kept], 0.5, SIDE)
    assert {1, 2} <= {value for place in found for value in np.unique(reader.mask(place)).tolist()}
    assert found == measured(6, kept)


def test_tiny_labels_are_found_on_a_coarse_grid() -> None:
    dots: list[Feature] = [drawn(shapely.Point(50 + 100 * x, 50), "Tumor") for x in range(5)]
    data = data_of(image_of(labels_of(*dots, point_um=0.1)))
    sampler, reader = sampler_of(data, mpp=2.0)
    assert all((reader.mask(place) == 1).any() for place in places(sampler, 20))

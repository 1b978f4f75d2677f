from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import data_of, drawn, image_of, labels_of

from pathoview.annotations.feature import Feature
from pathoview.datasets.anchors import AnchorMap
from pathoview.datasets.held_back import hold_back
from pathoview.datasets.labels import UNKNOWN, LabelledImage, TrainingData
from pathoview.datasets.patches import PatchReader
from pathoview.datasets.sampling import PatchSampler
from pathoview.datasets.supply import patch_supply


def squares(name: str, n: int = 12, left: float = 0, top: float = 0) -> list[Feature]:
    return [
        drawn(shapely.box(left + 30 * k, top + 10, left + 30 * k + 20, top + 30), name)
        for k in range(n)
    ]


def held(data: TrainingData, seed: int = 0) -> tuple[TrainingData, str]:
    anchors = AnchorMap(PatchReader(data.images, 0.5, 64), "classes")
    return hold_back(data, anchors, seed=seed, margin_um=8)


def both(name: str, group: str = "", **more: str) -> LabelledImage:
    labels = labels_of(*squares("Tumor"), *squares("Stroma", top=200))
    return image_of(labels, name=name, group=group, **more)  # type: ignore[arg-type]


@settings(max_examples=15)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=12), st.integers(0, 99))
def test_patients_are_held_back_whole(patients: list[int], seed: int) -> None:
    images = [both(f"i{n}", f"patient {who}") for n, who in enumerate(patients)]
    if len(set(patients)) < 2:
        return
    data, sentence = held(data_of(*images), seed)
    train, val = ({one.group for one in data.of(split)} for split in ("train", "val"))
    assert not train & val
    assert len(val) == max(1, round(0.2 * len(set(patients))))
    assert len(train) + len(val) == len(set(patients))
    assert not data.held_back_l0
    assert f"{len(val)} of {len(set(patients))}" in sentence
    assert held(data_of(*images), seed)[0].of("val") == data.of("val")


def test_another_seed_holds_back_another_patient() -> None:
    images = [both(f"i{n}", f"patient {n}") for n in range(8)]
    chosen = {held(data_of(*images), seed)[0].of("val")[0].name for seed in range(6)}
    assert len(chosen) > 1


def test_every_class_is_on_both_sides_where_it_can_be() -> None:
    only = [image_of(labels_of(*squares("Tumor")), name=f"t{n}") for n in range(8)]
    rare = [both("r0"), both("r1")]
    for seed in range(4):
        data, _sentence = held(data_of(*only, *rare), seed)
        kept = {one.name for one in data.of("val")}
        assert len(kept & {"r0", "r1"}) == 1


def test_slides_of_one_patient_are_held_back_where_there_is_no_other_patient() -> None:
    data, sentence = held(data_of(*(both(f"i{n}", "patient 1") for n in range(3))))
    assert len(data.of("val")) == 1
    assert "same patient" in sentence


def test_no_slide_is_held_back_that_has_a_class_of_its_own() -> None:
    images = [
        image_of(labels_of(*squares("Tumor", 18)), name="a"),
        image_of(labels_of(*squares("Stroma", 18)), name="b"),
    ]
    data, _sentence = held(data_of(*images))
    assert len(data.of("train")) == 2
    assert set(data.held_back_l0) == {"a", "b"}


@settings(max_examples=15)
@given(st.integers(0, 5), st.sampled_from(["grid", "rows"]))
def test_of_a_single_slide_blocks_are_held_back_away_from_all_patches(
    seed: int, layout: str
) -> None:
    rng = np.random.default_rng(seed)
    if layout == "rows":
        features = [*squares("Tumor", 19), *squares("Stroma", 19, top=300)]
    else:
        features = [
            drawn(shapely.box(x, y, x + 15, y + 15), name)
            for x, y in rng.integers(0, (580, 380), (60, 2)).tolist()
            for name in [("Tumor", "Stroma")[(x + y) % 2]]
        ]
    images = [image_of(labels_of(*features))]
    supply = patch_supply(data_of(*images), "classes", mpp=0.5, patch_px=64, margin_um=8, seed=seed)
    blocks = supply.data.held_back_l0["a"]
    assert "block" in supply.sentence
    patches = [supply.reader.rect_l0(supply.sampler.place(step, 0)) for step in range(60)]
    gap = 8 / 0.5 - 0.1
    assert not any(one.expanded(gap).intersects(block) for one in patches for block in blocks)
    values = {
        value
        for place in supply.validation
        for value in np.unique(supply.reader.mask(place)).tolist()
    }
    assert values - {UNKNOWN} == {1, 2}
    assert set(supply.sampler.counts) == {1, 2}


def test_few_labels_are_all_learned_from_and_it_is_said() -> None:
    data = data_of(both("a"), both("b"))
    few = data_of(image_of(labels_of(*squares("Tumor", 4))), image_of(labels_of(), name="b"))
    assert held(data)[0] != data
    same, sentence = held(few)
    assert same is few
    assert "too few" in sentence


def test_labels_too_close_together_are_all_learned_from() -> None:
    tiny = [drawn(shapely.Point(x, 30), "Tumor") for x in range(20, 50, 2)]
    data = data_of(image_of(labels_of(*tiny), 70, 70))
    same, sentence = held(data)
    assert same is data
    assert "too close" in sentence


def test_images_meant_to_measure_on_are_taken_as_they_are() -> None:
    data = data_of(both("a"), both("b", split="val"))
    same, sentence = held(data)
    assert same is data
    assert "1 image" in sentence


def test_images_without_labels_are_never_what_is_measured_on() -> None:
    bare = [image_of(labels_of(), name=f"bare{n}") for n in range(8)]
    data, _sentence = held(data_of(both("a"), both("b"), *bare))
    assert {one.name for one in data.of("val")} <= {"a", "b"}
    assert len(data.of("val")) == 1
    reader = PatchReader(data.images, 0.5, 64)
    assert PatchSampler(data, AnchorMap(reader, "classes")).counts


def test_nothing_to_learn_from_is_told_when_patches_are_asked_for() -> None:
    with pytest.raises(Exception, match="no labels to learn from"):
        patch_supply(data_of(image_of(labels_of())), "classes", mpp=0.5, patch_px=64)

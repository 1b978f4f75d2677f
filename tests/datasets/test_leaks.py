from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leak_scenes import clean_items, item, packed_again, planted_items, scene

from pathoview.core.errors import Cancelled, InputError, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.datasets.leak_embedding import describe
from pathoview.datasets.leak_items import LeakItem, Picture, look_at
from pathoview.datasets.leak_metadata import told_by_metadata
from pathoview.datasets.leak_pairs import near_pairs
from pathoview.datasets.leaks import Audit, Finding, audit


def audited(items: Sequence[LeakItem]) -> Audit:
    return audit(items, SilentProgress(), describe)


def found(items: Sequence[LeakItem], kind: str) -> Finding:
    (one,) = [one for one in audited(items).findings if one.kind == kind]
    return one


def test_nothing_is_found_in_a_clean_split() -> None:
    result = audited(clean_items())
    assert [one.sentence for one in result.findings] == []
    assert result.splits == {"train": 24, "val": 12, "test": 12}
    assert result.priors["benign"] == {"train": 12, "val": 6, "test": 6}


def test_three_patients_and_five_copies_are_all_found() -> None:
    items = planted_items()
    result = audited(items)
    by_kind = {one.kind: one for one in result.findings if one.severity == "error"}
    assert set(by_kind) == {"patient", "identical", "near"}
    assert result.n_errors == 3
    assert by_kind["patient"].sentence == (
        "3 patients are in several splits: patient 0, patient 1, patient 2."
    )
    first = len(items) - 5
    same = {pair.places for pair in by_kind["identical"].pairs}
    near = {pair.places: pair.is_turned for pair in by_kind["near"].pairs}
    assert same == {(10, first), (14, first + 4)}
    assert near == {(11, first + 1): False, (12, first + 2): True, (13, first + 3): True}


def test_many_names_are_cut_short_and_counted_in_their_order() -> None:
    items = [
        replace(one, patient=f"patient {n % 12}", label="") for n, one in enumerate(clean_items())
    ]
    sentence = found(items, "patient").sentence
    assert sentence.startswith("12 patients are in several splits: patient 0, patient 1, patient 2")
    assert sentence.endswith("patient 9 and 2 more.")


def test_a_slide_and_a_block_in_two_splits_are_told_of_by_name() -> None:
    items = clean_items()
    items[-1] = replace(items[-1], slide=items[0].slide)
    items[0], items[30] = replace(items[0], block="B1"), replace(items[30], block="B1")
    assert found(items, "slide").sentence == "1 slide is in several splits: slide 0-0."
    assert found(items, "block").pairs[0].second == 30


def test_what_is_alike_though_not_the_same_is_a_warning() -> None:
    items = clean_items()
    disc = np.zeros((192, 192, 1), np.uint8)
    cv2.circle(disc, (96, 96), 90, 1, -1)
    tissue = np.where(
        disc, cv2.GaussianBlur(cv2.resize(scene(900), (192, 192)), (0, 0), 3), np.uint8(240)
    ).astype(np.uint8)
    matrix = cv2.getRotationMatrix2D((95.5, 95.5), 40, 1)
    turned = cv2.warpAffine(tissue, matrix, (192, 192), borderValue=(240, 240, 240))
    items[0] = replace(items[0], load=lambda: Picture(tissue, 96, 96))
    items[-1] = replace(items[-1], load=lambda: Picture(np.asarray(turned, np.uint8), 96, 96))
    one = found(items, "alike")
    assert one.severity == "warning"
    assert [pair.places for pair in one.pairs] == [(0, 47)]
    items[-1] = replace(items[-1], patient="patient 0", label="benign")  # which explains it
    assert {one.kind for one in audited(items).findings} == {"patient"}


def test_a_label_that_the_size_gives_away_is_named() -> None:
    items = [
        replace(one, load=lambda one=one: wider(one)) if one.label == "malignant" else one  # type: ignore[misc]
        for one in clean_items()
    ]
    one = found(items, "metadata")
    assert one.severity == "warning"
    assert "by the image size alone (AUROC 1.00)" in one.sentence


def wider(one: LeakItem) -> Picture:
    return replace(one.load(), width=200)


def test_a_label_that_the_file_name_or_the_scanner_gives_away_is_named() -> None:
    items = [replace(one, tokens=frozenset({one.label, "x"})) for one in clean_items()]
    assert "by the words of the file name alone" in found(items, "metadata").sentence
    items = [replace(one, metadata={"stain": one.label[:3]}) for one in clean_items()]
    assert "by the “stain” alone" in found(items, "metadata").sentence


def test_what_only_tells_patients_apart_gives_nothing_away() -> None:
    patients = [f"p{n // 8}" for n in range(320)]
    one, look = clean_items()[0], look_at(Picture(scene(0), 96, 96))
    items = [replace(one, label=("benign", "malignant")[n // 8 % 2]) for n in range(320)]
    colors = np.random.default_rng(3).uniform(100, 200, (40, 3)).tolist()
    looks = [replace(look, mean_rgb=tuple(colors[n // 8])) for n in range(320)]
    assert told_by_metadata(items, looks, patients) == []
    (told,) = told_by_metadata(items, looks, [str(n) for n in range(320)])
    assert told.feature == "mean colour"


def test_a_split_against_time_is_a_warning() -> None:
    items = clean_items()
    items[0] = replace(items[0], date="2099-01-01T10:00")
    sentences = [one.sentence for one in audited(items).findings if one.kind == "date"]
    assert len(sentences) == 2
    assert "12 of 12 of val are older than the newest of train" in sentences[0]
    assert "2099" not in sentences[0]


def test_a_patient_with_two_labels_is_told_of_where_labels_are_the_patients() -> None:
    items = clean_items()
    items[0] = replace(items[0], label="malignant")
    one = found(items, "conflict")
    assert one.severity == "warning"
    assert "patient 0" in one.sentence
    assert [pair.places for pair in one.pairs] == [(0, 1)]
    of_tiles = [
        replace(one, label=("benign", "malignant")[n % 2]) for n, one in enumerate(clean_items())
    ]
    assert "conflict" not in {one.kind for one in audited(of_tiles).findings}


def test_copies_with_different_labels_are_an_error() -> None:
    items = planted_items()
    items[-1] = replace(items[-1], label="unheard of")
    conflict = found(items, "conflict")
    assert conflict.severity == "error"
    assert [pair.places for pair in conflict.pairs] == [(14, len(items) - 1)]
    assert "“unheard of” is never learned" in found(items, "missing label").sentence


def test_a_picture_that_cannot_be_read_is_told_of() -> None:
    def broken() -> Picture:
        raise InputError("broken")

    items = clean_items()
    items[3] = replace(items[3], load=broken)
    assert "1 picture could not be read" in found(items, "unread").sentence


def test_empty_glass_is_not_taken_for_copies() -> None:
    items = []
    for n in range(20):
        glass = np.full((96, 96, 3), 240, np.uint8)
        glass[48:] += 2  # the same uneven light on all
        glass[n, n] = 230
        items.append(item(glass, name=str(n), split="train" if n % 2 else "val"))
    assert audited(items).findings == ()


def test_one_split_is_refused_and_a_stop_is_obeyed() -> None:
    with pytest.raises(UsageError):
        audited([replace(one, split="train") for one in clean_items()])
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        audit(clean_items(), SilentProgress(control))


@settings(max_examples=30)
@given(st.integers(0, 400), st.integers(0, 3), st.booleans(), st.integers(60, 95))
def test_a_copy_is_near_however_it_is_turned_and_packed(
    seed: int, turns: int, is_mirrored: bool, quality: int
) -> None:
    rgb = scene(seed)
    turned = np.rot90(rgb[:, ::-1] if is_mirrored else rgb, turns)
    other = packed_again(np.ascontiguousarray(turned), quality)
    looks = [look_at(Picture(one, 96, 96)) for one in (rgb, other)]
    pairs = near_pairs(np.array([look.hashes for look in looks]), None, SilentProgress())
    assert [pair.places for pair in pairs] == [(0, 1)]


def test_hashes_are_compared_across_blocks() -> None:
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**63, (700, 8), np.uint64)
    hashes[690] = hashes[5] ^ np.uint64(0b101)
    hashes[600, 3] = hashes[300, 0]
    pairs = near_pairs(hashes, None, SilentProgress())
    assert [(pair.first, pair.second, pair.score, pair.is_turned) for pair in pairs] == [
        (5, 690, 2, False),
        (300, 600, 0, True),
    ]
    apart = np.zeros(700, np.int64)
    apart[690] = 1
    assert [pair.first for pair in near_pairs(hashes, apart, SilentProgress())] == [5]

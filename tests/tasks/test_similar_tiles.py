"""Tiles that look alike are found over slides, and laid out as a map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bag_runs import ENCODER, SIDE_L0, write_features
from makers import he_image, make_plain
from studies import opened

from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.study.feature_file import FeatureFile, find_features
from pathoview.study.model import SlideRecord
from pathoview.tasks import similar_tiles, tile_map
from pathoview.tasks.similar_tiles import cosine
from pathoview.tasks.tile_map import principal

QUIET = SilentProgress()
N_COLUMNS = 4


def features(seed: int, n: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (n, 8)).astype(np.float16)


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    path = make_plain(tmp_path / "one.png", he_image(256, 192))
    with open_slide(path) as opened_slide:
        write_features(opened_slide.content_hash, "own", features(0), N_COLUMNS)
    return path


@pytest.fixture
def study(tmp_path: Path, slide: Path) -> Path:
    """The slide, one that is described alike, one that is described otherwise, one not at all."""
    path = tmp_path / "s.pathoview"
    with open_slide(slide) as opened_slide:
        own = opened_slide.content_hash
    write_features("a" * 32, "alike", features(1), N_COLUMNS)
    other = replace(ENCODER, weights="w1")
    write_features("b" * 32, "otherwise", np.tile(features(0)[5], (12, 1)), N_COLUMNS, other)
    with opened(path) as opened_study:
        names = ((own, "own"), ("a" * 32, "alike"), ("b" * 32, "otherwise"), ("c" * 32, "not"))
        opened_study.put(*(SlideRecord(slide_hash=key, pseudonym=name) for key, name in names))
    return path


def name_of(slide: Path) -> str:
    with open_slide(slide) as opened_slide:
        return opened_slide.pseudonym


def request(slide: Path, study: Path | None = None, **changes: object) -> dict[str, object]:
    place = {"x_l0": 1.5 * SIDE_L0, "y_l0": 1.5 * SIDE_L0}  # tile 5
    return {"slide": str(slide), "study": str(study or ""), **place, **changes}


def test_the_most_similar_tiles_of_all_slides_described_alike_come_first(
    slide: Path, study: Path
) -> None:
    result = similar_tiles.run(request(slide, study, n=7), QUIET)
    query = features(0)[5].astype(float)
    rows = np.concatenate([features(0), features(1)]).astype(float)
    truth = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    truth[5] = -2
    best = np.argsort(-truth)[:7]
    got = [(one["pseudonym"], one["x_l0"], one["y_l0"]) for one in result["similar"]]
    places = [
        ("alike" if row >= 12 else name_of(slide), row % 12 % 4 * SIDE_L0, row % 12 // 4 * SIDE_L0)
        for row in best
    ]
    assert got == places
    said = [one["similarity"] for one in result["similar"]]
    assert said == pytest.approx(truth[best].tolist(), abs=1e-3)
    assert (result["n_slides"], result["n_tiles"], result["n_without"]) == (2, 24, 2)
    assert (result["tile"]["x_l0"], result["tile"]["y_l0"]) == (SIDE_L0, SIDE_L0)


def test_without_a_study_only_the_slide_is_searched_and_never_the_tile_itself(slide: Path) -> None:
    result = similar_tiles.run(request(slide, n=100), QUIET)
    assert len(result["similar"]) == 11
    assert (SIDE_L0, SIDE_L0) not in {(one["x_l0"], one["y_l0"]) for one in result["similar"]}


def test_the_encoder_that_is_wanted_is_taken_and_unfinished_features_are_not(slide: Path) -> None:
    with open_slide(slide) as opened_slide:
        key = opened_slide.content_hash
    newer = replace(ENCODER, tile_px=32)
    write_features(key, "own", features(3), N_COLUMNS, newer, finished="2027-01-01T00:00:00")
    write_features(key, "own", features(4), N_COLUMNS, replace(ENCODER, mpp=(1.0,)), finished="")
    assert [record.tile_px for _path, record in find_features(key)] == [32, 64]

    def best(**changes: object) -> list[float]:
        found = similar_tiles.run(request(slide, n=1, **changes), QUIET)["similar"]
        return [one["similarity"] for one in found]

    rows = features(3).astype(np.float32)
    expected = np.delete(cosine(rows, rows[5]), 5).max()
    assert best() == pytest.approx([expected], abs=1e-3)
    rows = features(0).astype(np.float32)
    expected = np.delete(cosine(rows, rows[5]), 5).max()
    assert best(encoder=ENCODER) == pytest.approx([expected], abs=1e-3)


def test_what_cannot_be_compared_is_said(slide: Path, study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no described tile at 900, 10"):
        similar_tiles.run(request(slide, x_l0=900, y_l0=10), QUIET)
    bare = make_plain(tmp_path / "bare.png", he_image(128, 128, 9))
    with pytest.raises(InputError, match="not described yet"):
        similar_tiles.run(request(bare), QUIET)
    with pytest.raises(InputError, match="not described yet"):
        similar_tiles.run(request(slide, encoder=replace(ENCODER, name="other")), QUIET)


def test_a_damaged_file_of_another_slide_is_left_out(slide: Path, study: Path) -> None:
    ((path, _record),) = find_features("a" * 32)
    with FeatureFile.open(path, writable=True) as file:
        file.update_record(n_features=5)
    result = similar_tiles.run(request(slide, study), QUIET)
    assert {one["pseudonym"] for one in result["similar"]} == {name_of(slide)}


def test_tiles_without_features_are_like_nothing() -> None:
    rows = np.array([[0, 0], [3, 0], [-2, 0]], np.float32)
    assert cosine(rows, rows[1]).tolist() == [0, 1, -1]


def test_a_map_keeps_the_two_directions_in_which_tiles_differ_most(slide: Path) -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(0, (5, 2), (300, 2))
    directions = np.linalg.qr(rng.normal(0, 1, (8, 2)))[0]
    rows = (plane @ directions.T + rng.normal(0, 0.1, (300, 8)) + 7).astype(np.float32)
    points, shares = principal(rows)
    assert np.abs(np.corrcoef(points[:, 0], plane[:, 0])[0, 1]) > 0.99
    assert np.abs(np.corrcoef(points[:, 1], plane[:, 1])[0, 1]) > 0.99
    variances = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    assert shares == pytest.approx(variances[:2] / variances.sum(), rel=1e-4)
    points_again, _shares = principal(rows[:, ::-1].copy())
    assert np.abs(points_again) == pytest.approx(np.abs(points), abs=1e-3)


def test_a_map_says_where_each_point_lies_and_draws_lots_where_there_are_too_many(
    slide: Path, study: Path
) -> None:
    whole = tile_map.run({"slide": str(slide), "study": str(study)}, QUIET)
    assert whole["slide"] == [0] * 12 + [1] * 12
    assert [one["pseudonym"] for one in whole["slides"]] == [name_of(slide), "alike"]
    assert (whole["x_l0"][5], whole["y_l0"][5]) == (SIDE_L0, SIDE_L0)
    assert 0 < sum(whole["shares"]) < 1
    some = tile_map.run({"slide": str(slide), "study": str(study), "n_most": 8}, QUIET)
    assert some["slide"] == [0] * 4 + [1] * 4
    assert some["n_tiles"] == 24
    assert some == tile_map.run({"slide": str(slide), "study": str(study), "n_most": 8}, QUIET)


def test_equal_tiles_make_a_map_of_one_place(tmp_path: Path) -> None:
    path = make_plain(tmp_path / "flat.png", he_image(128, 128, 2))
    with open_slide(path) as opened_slide:
        key = opened_slide.content_hash
        write_features(key, "flat", np.ones((4, 1), np.float16), 2)
    result = tile_map.run({"slide": str(path)}, QUIET)
    assert result["shares"] == [0, 0]
    assert set(result["x"]) == {0.0}

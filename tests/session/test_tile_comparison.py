"""Similar tiles, the map of tiles, and a second run beside the one that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bag_runs import SIDE_L0, bag_run, write_features
from makers import he_image, make_svs
from stage import FakeRunner, Loop, end

from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobState
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide
from pathoview.tasks import similar_tiles, tile_map

OpenSlide = Callable[[Path], None]
WEIGHTS = np.arange(1, 97).reshape(8, 12)
RNG = np.random.default_rng(0)


def described(path: Path, seed: int) -> Path:
    with open_slide(path) as slide:
        rows = np.random.default_rng(seed).normal(0, 1, (96, 8))
        write_features(slide.content_hash, slide.pseudonym, rows, 12)
    return path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Two slides of 12 × 8 described tiles; the first has two runs, the older one flat."""
    paths = [make_svs(tmp_path / f"{n}.svs", he_image(768, 512, n)) for n in range(2)]
    other = WEIGHTS.copy()
    other[0, 0] = 200
    with open_slide(paths[0]) as slide:
        flat = np.ones((8, 12))
        facts = {"title": "Mean", "started": "2026-01-01T00:00:00+00:00"}
        bag_run(slide, flat, other / 200, **facts)
        bag_run(slide, WEIGHTS)
    return [described(path, seed) for seed, path in enumerate(paths)]


@pytest.fixture
def ready(
    session: Session, loop: Loop, paths: list[Path], open_slide_of: OpenSlide, tmp_path: Path
) -> Session:
    assert session.studies.create(tmp_path / "s.pathoview")
    for path in reversed(paths):
        open_slide_of(path)
        loop.run_until(lambda: session.studies.book is not None)
    loop.run_until(lambda: session.review.tiles.run is not None)
    return session


def answered(runner: FakeRunner, task: Callable[..., dict[str, object]]) -> None:
    job = runner.taken[-1]
    assert job.request.task == f"{task.__module__}:run"
    end(job, JobState.DONE, task(job.request.payload, SilentProgress()))


def test_similar_tiles_of_the_study_are_found_and_their_slides_opened(
    ready: Session, runner: FakeRunner, loop: Loop, paths: list[Path]
) -> None:
    similar, review = ready.review.similar, ready.review.tiles
    assert not similar.can_find
    review.go_to(review.place(review.rect_l0(50)))
    similar.find()
    assert similar.is_busy
    study = ready.studies.study
    assert study is not None
    assert study.writer.flush(5.0)
    answered(runner, similar_tiles.run)
    assert not similar.is_busy
    found = similar.answer
    assert found is not None
    assert (len(found.similar), found.n_slides, found.n_tiles) == (20, 2, 192)
    own = ready.slide.content_hash if ready.slide else ""
    here = next(one for one in found.similar if one.slide_hash == own)
    similar.go_to(here.place)
    assert review.chosen_l0 == here.place.rect_l0
    there = next(one for one in found.similar if one.slide_hash != own)
    similar.go_to(there.place)
    loop.run_until(lambda: ready.path == paths[1])
    assert review.chosen_l0 == there.place.rect_l0
    assert ready.viewport.center_l0 == there.place.rect_l0.center
    assert similar.answer is found


def test_why_there_is_no_answer_is_told(ready: Session, runner: FakeRunner) -> None:
    similar, review = ready.review.similar, ready.review.tiles
    review.go_to(review.place(review.rect_l0(3)))
    similar.find()
    job = runner.taken[-1]
    job.error, job.hint = "Not described.", "Describe it."
    end(job, JobState.FAILED)
    assert (similar.problem, similar.is_busy) == ("Not described. Describe it.", False)
    similar.find()
    assert similar.problem == ""
    similar.forget()
    end(runner.taken[-1], JobState.DONE, {})
    assert similar.answer is None


def test_points_of_the_map_are_tiles_and_have_the_numbers_of_the_run(
    ready: Session, runner: FakeRunner, loop: Loop
) -> None:
    drawn, review = ready.review.map, ready.review.tiles
    study = ready.studies.study
    assert study is not None
    assert study.writer.flush(5.0)
    drawn.draw(others=True)
    answered(runner, tile_map.run)
    assert drawn.answer is not None
    assert drawn.answer.points.shape == (192, 2)
    shades = drawn.values("attention")
    assert shades[:96] == pytest.approx(review.numbers("attention"))
    assert np.isnan(shades[96:]).all()
    assert drawn.values("evidence")[95] == pytest.approx(1)
    assert drawn.values("slide")[[0, 100]].tolist() == [0, 1]
    assert drawn.chosen is None
    ready.review.similar.go_to(drawn.answer.place(17))
    assert review.chosen_l0 == Rect(5 * SIDE_L0, SIDE_L0, SIDE_L0, SIDE_L0)
    assert drawn.chosen == 17


def test_another_run_is_compared_and_one_goes_to_where_they_disagree_most(
    ready: Session, loop: Loop
) -> None:
    comparison, review = ready.review.comparison, ready.review.tiles
    comparison.look()
    loop.run_until(lambda: comparison.result is not None)
    assert [one.record.title for one in comparison.others] == ["Mean"]
    assert comparison.value == "Tumor"  # its attention is flat
    result = comparison.result
    assert result is not None
    assert len(result.tiles) == 96
    truth = np.arange(96.0)
    other = np.concatenate([[95], np.arange(95.0)])
    assert result.spearman == pytest.approx(np.corrcoef(truth, other)[0, 1])
    worst = comparison.differences(2)[0]
    assert worst.rect_l0 == review.rect_l0(0)
    assert (worst.rank_here, worst.rank_there) == (0, 1)
    comparison.set_value("")
    assert comparison.result is not None
    assert comparison.result.spearman is None
    comparison.set_value("Benign")
    assert comparison.result is not None
    assert comparison.result.spearman == pytest.approx(-(result.spearman or 0))


def test_two_runs_are_seen_side_by_side_and_the_review_stays_with_its_own(
    ready: Session, loop: Loop
) -> None:
    comparison, review = ready.review.comparison, ready.review.tiles
    run = review.run
    comparison.look()
    loop.run_until(lambda: comparison.result is not None)
    comparison.show_side_by_side()
    loop.run_until(lambda: comparison.is_side_by_side)
    assert review.run is run
    left, right = ready.views.all
    names = [
        [layer.name for layer in ready.layers if layer.visible and view.shows(layer)]
        for view in (left, right)
    ]
    assert names == [["Slide", "Tumor or not: attention"], ["Slide", "Mean: evidence"]]
    assert ready.views.is_linked
    comparison.show_one()
    assert len(ready.views.all) == 1
    assert all(ready.views.active.shows(layer) for layer in ready.layers)

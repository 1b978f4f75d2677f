"""The tiles of a whole slide are walked over and answered, and what was said is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from bag_runs import SIDE_L0, bag_run
from makers import he_image, make_svs
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.annotations.change import Change
from pathoview.core.geometry import Rect
from pathoview.session.commands import command, run_command
from pathoview.session.pointing import click, leave
from pathoview.session.session import Session
from pathoview.session.tile_review import AT_EACH_END, TileReview
from pathoview.slides.opening import open_slide
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict

OpenSlide = Callable[[Path], None]
WEIGHTS = np.arange(1, 97).reshape(8, 12)
"""The tile at the lower right counted most."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = make_svs(tmp_path / "one.svs", he_image(768, 512))
    with open_slide(path) as slide:
        bag_run(slide, WEIGHTS)
    return path


@pytest.fixture
def review(session: Session, loop: Loop, path: Path, open_slide_of: OpenSlide) -> TileReview:
    session.settings.author = "Ada"
    open_slide_of(path)
    tiles = session.review.tiles
    loop.run_until(lambda: tiles.run is not None and session.studies.book is not None)
    return tiles


def kept(session: Session) -> tuple[TileVerdict, ...]:
    """Return what is on disk."""
    assert session.slide is not None
    key = session.slide.content_hash
    book = session.studies.book
    assert book is not None
    assert book.study.writer.flush(5.0)
    with StudyFile.open(private_path(key)) as file:
        record = file.record(SlideVerdicts, key)
    return () if record is None else record.verdicts


def test_both_ends_of_the_order_are_shown_page_by_page(review: TileReview) -> None:
    most, least = review.ends()
    assert most.tolist() == list(range(95, 83, -1))
    assert least.tolist() == list(range(12))
    assert review.n_pages == 4
    review.turn_page(9)
    most, least = review.ends()
    assert (most.tolist(), least.tolist()) == ([*range(59, 47, -1)], [*range(36, 48)])
    review.turn_page(-9)
    review.ask_about("Benign")
    review.set_order("evidence")
    assert review.ends()[0].tolist() == list(range(12))
    assert review.values[0] == pytest.approx(1 - 1 / 96)
    assert len(review.shown()) == 2 * AT_EACH_END


def test_a_tile_is_gone_to_and_outlined(session: Session, review: TileReview) -> None:
    review.go(1)
    assert review.chosen == 95
    assert review.chosen_l0 == Rect(11 * SIDE_L0, 7 * SIDE_L0, SIDE_L0, SIDE_L0)
    viewport = session.viewport
    assert viewport.center_l0 == (11.5 * SIDE_L0, 7.5 * SIDE_L0)
    assert viewport.scale * SIDE_L0 == pytest.approx(min(viewport.size_view) / 3)
    leave(session)
    assert review.chosen_l0 is None


def test_a_click_on_the_slide_chooses_the_tile_there(session: Session, review: TileReview) -> None:
    click(session, 100, 70)
    assert review.chosen == 13
    click(session, 5000, 70)
    assert review.chosen is None
    for layer in session.layers:
        layer.visible = False
    click(session, 100, 70)
    assert review.chosen is None


def test_an_answer_is_kept_with_author_and_time_and_undone(
    session: Session, review: TileReview
) -> None:
    review.go(1)
    run_command(session, "review.accept")
    (said,) = kept(session)
    assert (said.x_l0, said.y_l0, said.side_l0) == (11 * SIDE_L0, 7 * SIDE_L0, SIDE_L0)
    assert (said.class_name, said.answer, said.author) == ("Tumor", "agree", "Ada")
    assert said.model == "m1"
    assert said.created
    assert review.answer_of(95) == "agree"
    assert review.chosen == 94  # the next one without an answer
    assert review.n_answered == 1
    run_command(session, "annotate.delete")
    run_command(session, "annotate.uncertain")
    assert [one.answer for one in kept(session)] == ["agree", "disagree", "unsure"]
    assert session.history.undo_name == "Tile at 576, 448: unsure of Tumor"
    session.undo()
    session.undo()
    session.undo()
    assert kept(session) == ()
    assert review.answer_of(95) is None


def test_an_answer_is_changed_and_each_class_and_author_has_its_own(
    session: Session, review: TileReview
) -> None:
    review.go(1)
    review.answer("agree")
    review.go(-1)
    assert review.chosen == 95
    review.answer("disagree")
    assert review.chosen == 95  # it was answered before: one stays
    assert review.answer_of(95) == "disagree"
    review.ask_about("Benign")
    assert review.answer_of(95) is None
    review.ask_about("Tumor")
    session.settings.author = "Bo"
    assert review.answer_of(95) is None
    review.answer("unsure")
    assert {(one.author, one.answer) for one in kept(session)} == {
        ("Ada", "disagree"),
        ("Bo", "unsure"),
    }


def test_the_walk_passes_over_what_is_answered_and_tells_when_all_are(
    session: Session, review: TileReview, ears: Ears
) -> None:
    review.go_to(review.place(review.rect_l0(94)))
    review.answer("agree")
    review.go_to(review.place(review.rect_l0(95)))
    review.answer("agree")
    assert review.chosen == 93
    for _tile in range(22):
        run_command(session, "review.accept")
    assert review.n_answered == 24
    assert "Turn the page" in ears.notices[-1].text
    review.turn_page(1)
    run_command(session, "review.next")
    assert review.chosen == 83
    run_command(session, "review.next")
    assert review.chosen == 82
    run_command(session, "review.previous")
    assert review.chosen == 83


def test_what_is_chosen_besides_takes_the_keys(session: Session, review: TileReview) -> None:
    review.go(1)
    assert command("review.accept").enabled(session)
    session.viewport.look_at(0, 0)
    assert not review.can_answer
    review.go_to(review.place(review.rect_l0(50)))
    drawn = session.annotations.new(shapely.box(10, 10, 90, 90))
    session.annotations.apply("Draw", Change.adding([drawn]))
    session.annotations.select([drawn.id])
    assert not review.answer("agree")
    run_command(session, "annotate.delete")
    assert session.exchange.n_annotations == 0
    assert kept(session) == ()


def test_answers_are_there_when_the_slide_is_opened_again(
    session: Session, loop: Loop, review: TileReview, path: Path, open_slide_of: OpenSlide
) -> None:
    review.go(1)
    review.answer("agree")
    session.close_slide()
    assert review.chosen_l0 is None
    assert review.shown() == []
    open_slide_of(path)
    loop.run_until(lambda: review.run is not None and session.studies.book is not None)
    assert review.answer_of(95) == "agree"


def test_the_object_review_has_its_keys_where_no_tiles_are(
    session: Session, loop: Loop, tmp_path: Path, open_slide_of: OpenSlide
) -> None:
    path = make_svs(tmp_path / "two.svs", he_image(512, 384, 3))
    with open_slide(path) as slide, new_run(slide, state="done") as run:
        run.add_tile(0, 0, squares([(10, 10)]))
    open_slide_of(path)
    loop.run_until(lambda: session.results and session.results.statistics.n)
    loop.run_until(lambda: session.studies.book is not None)
    tiles = session.review.tiles
    assert not tiles.is_active
    assert tiles.shown() == []
    click(session, 20, 20)
    assert session.selection is not None
    run_command(session, "review.accept")
    assert session.exchange.n_annotations == 1
    assert not command("review.tiles").enabled(session)

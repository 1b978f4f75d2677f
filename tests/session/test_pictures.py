from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from makers import make_svs
from run_files import new_run, squares
from stage import Loop

from pathoview.core.errors import Cancelled, UsageError
from pathoview.layers.compose import compose
from pathoview.layers.source import Rgba
from pathoview.session.pictures import picture_order, save_picture, take_picture
from pathoview.session.session import Session
from pathoview.session.settings import PictureSettings

PLAIN = PictureSettings(scale_bar=False, legend=False)


@pytest.fixture
def open_session(
    session: Session, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> Session:
    open_slide_of(make_svs(tmp_path / "a.svs"))
    return session


def taken(session: Session, loop: Loop, options: PictureSettings) -> Rgba:
    answers: list[tuple[Rgba | None, BaseException | None]] = []
    progress = take_picture(session, options, lambda *answer: answers.append(answer))
    loop.run_until(lambda: answers)
    picture, error = answers[0]
    assert error is None
    assert picture is not None
    assert progress.fraction == 1
    return picture


def test_a_picture_is_what_is_seen(open_session: Session, loop: Loop) -> None:
    open_session.viewport.look_at(500, 400, 1.0)
    picture = taken(open_session, loop, PLAIN)
    rect_l0 = open_session.viewport.visible_l0
    np.testing.assert_array_equal(picture, compose(open_session.layers, rect_l0, 800, 600))


def test_a_picture_three_times_as_large_shows_the_same(open_session: Session, loop: Loop) -> None:
    open_session.viewport.look_at(500, 400, 0.7)
    open_session.viewport.set_turn(25, True)
    options = PLAIN.model_copy(update={"factor": 3})
    picture = taken(open_session, loop, options)
    assert picture.shape == (1800, 2400, 4)
    small = taken(open_session, loop, PLAIN)
    shrunk = cv2.resize(picture, (800, 600), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small).mean() < 8


def test_results_bring_a_note_and_a_legend_and_hidden_ones_no_entry(
    open_session: Session, loop: Loop, open_slide_of: Callable[[Path], None]
) -> None:
    assert picture_order(open_session, PictureSettings()).note == ""
    slide = open_session.slide
    assert slide is not None
    with new_run(slide, state="done") as run:
        run.add_tile(0, 0, squares([(10, 10)], class_name="Tumour"))
    open_session.open(slide.path)
    loop.run_until(lambda: open_session.results and open_session.results.statistics.n)
    order = picture_order(open_session, PictureSettings())
    assert order.note == "Research use only"
    assert "Nuclei" in dict(order.legend)
    open_session.overlay.toggle_detections()
    order = picture_order(open_session, PictureSettings())
    assert "Nuclei" not in dict(order.legend)
    assert order.note == ""


def test_the_kind_of_file_is_that_of_its_name(
    open_session: Session, loop: Loop, tmp_path: Path
) -> None:
    answers: list[BaseException | None] = []
    for name in ("a.png", "a.svg"):
        save_picture(
            open_session, tmp_path / name, PLAIN, lambda _none, error: answers.append(error)
        )
    loop.run_until(lambda: len(answers) == 2)
    assert answers == [None, None]
    assert cv2.imread(str(tmp_path / "a.png")).shape == (600, 800, 3)
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<?xml")


def test_a_picture_is_cancelled_and_one_too_large_is_refused(
    open_session: Session, loop: Loop, tmp_path: Path
) -> None:
    answers: list[BaseException | None] = []
    progress = save_picture(
        open_session, tmp_path / "a.png", PLAIN, lambda _none, error: answers.append(error)
    )
    progress.control.cancel()
    loop.run_until(lambda: answers)
    assert isinstance(answers[0], Cancelled) or (tmp_path / "a.png").exists()
    open_session.viewport.set_size(30_000, 20_000)
    with pytest.raises(UsageError, match="too large"):
        take_picture(open_session, PLAIN, lambda *_answer: None)

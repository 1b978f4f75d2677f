"""Places are found, walked over and answered; one comes back to where one was."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.annotations.detections import CONFIDENCE, DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide
from pathoview.study.raster_rows import quantised

OpenSlide = Callable[[Path], None]
CORNERS = [(100.0, 100.0), (400.0, 100.0), (700.0, 100.0), (130.0, 110.0)]
SURE = [0.9, 0.55, 0.7, 0.95]
"""The last one lies in the field of the first, and the method is surer of it."""


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "one.svs")


def store_run(
    svs: Path, corners: list[tuple[float, float]], sure: list[float] | None, year: int = 2000
) -> str:
    table = squares(corners)
    if sure is not None:
        table = dataclasses.replace(table, measurements={CONFIDENCE: np.array(sure, np.float32)})
    started = f"{year}-01-01T00:00:00+00:00"
    with open_slide(svs) as slide, new_run(slide, state="done", started=started) as run:
        run.add_tile(0, 0, table)
        return str(run.path)


def loaded(session: Session, loop: Loop, n: int) -> None:
    loop.run_until(lambda: session.annotations.document is not None and session.results)
    loop.run_until(lambda: session.results and session.results.statistics.n == n)


@pytest.fixture
def reviewing(session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide) -> Session:
    """The queue of a run that says how sure it is of four objects."""
    store_run(svs, CORNERS, SURE)
    open_slide_of(svs)
    loaded(session, loop, 4)
    assert session.review.reasons == ["confidence"]
    run_command(session, "review.next")
    loop.run_until(lambda: session.review.is_walking)
    return session


def all_of(session: Session) -> list[Feature]:
    return list(session.annotations.document or ())


def here(session: Session) -> tuple[float, float]:
    assert session.review.place is not None
    return session.review.place.x_l0, session.review.place.y_l0


def test_the_least_sure_come_first_and_one_stands_for_its_field(reviewing: Session) -> None:
    queue = reviewing.review.queue
    assert [(one.x_l0, round(one.value, 2)) for one in queue.places] == [
        (410, 0.55),
        (710, 0.7),
        (110, 0.9),
    ]
    assert reviewing.viewport.center_l0 == pytest.approx((410, 110))
    assert reviewing.selection is not None
    assert reviewing.selection.outline_l0.mean(axis=0).tolist() == [410, 110]


def test_each_answer_is_a_label_and_goes_on(reviewing: Session, ears: Ears) -> None:
    run_command(reviewing, "review.accept")
    assert here(reviewing) == (710, 110)
    assert reviewing.annotations.n_selected == 0, "the next answer is for the next place only"
    run_command(reviewing, "annotate.uncertain")
    assert here(reviewing) == (110, 110)
    run_command(reviewing, "annotate.delete")
    accepted, unsure, none = all_of(reviewing)
    assert not accepted.is_uncertain
    assert unsure.is_uncertain
    assert none.geometry.geom_type == "Point"
    assert all(one.author and one.created for one in all_of(reviewing))
    assert ears.notices[-1].text == "All places are answered."
    assert reviewing.review.n_answered == 3
    reviewing.undo()
    assert reviewing.review.n_answered == 2
    assert here(reviewing) == (110, 110)


def test_one_goes_on_and_back_without_answering(reviewing: Session) -> None:
    run_command(reviewing, "review.next")
    run_command(reviewing, "review.next")
    run_command(reviewing, "review.next")
    assert here(reviewing) == (110, 110)
    run_command(reviewing, "review.accept")
    assert here(reviewing) == (410, 110), "what was passed over comes again"
    run_command(reviewing, "review.previous")
    assert here(reviewing) == (410, 110)


def test_a_zoom_that_is_about_right_is_kept(reviewing: Session) -> None:
    scale = reviewing.viewport.scale
    reviewing.viewport.zoom(1.5)
    run_command(reviewing, "review.next")
    assert reviewing.viewport.scale == pytest.approx(1.5 * scale)
    reviewing.viewport.zoom(0.1)
    run_command(reviewing, "review.next")
    assert reviewing.viewport.scale == pytest.approx(scale)


def test_what_is_labelled_already_is_not_asked(reviewing: Session, loop: Loop) -> None:
    run_command(reviewing, "class.1")
    run_command(reviewing, "review.find")
    loop.run_until(lambda: not reviewing.review.is_searching)
    assert [one.x_l0 for one in reviewing.review.queue.places] == [710, 110]


def test_the_place_is_remembered_with_its_answers(
    reviewing: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    run_command(reviewing, "review.accept")
    queue = reviewing.review.queue
    reviewing.places.keeper.flush()
    reviewing.close_slide()
    assert reviewing.review.place is None
    open_slide_of(svs)
    loaded(reviewing, loop, 4)
    loop.run_until(lambda: reviewing.review.queue.places)
    assert reviewing.review.queue == queue
    assert not reviewing.review.is_walking
    run_command(reviewing, "review.next")
    assert here(reviewing) == (710, 110), "at first to where one was"
    assert reviewing.review.n_answered == 1


def test_marks_are_there_for_open_places_and_go_with_the_slide(reviewing: Session) -> None:
    (layer,) = [one for one in reviewing.layers if one.name == "Places to label"]
    assert len(layer.source) == 3  # type: ignore[arg-type]
    run_command(reviewing, "review.accept")
    assert len(layer.source) == 2  # type: ignore[arg-type]
    reviewing.undo()
    assert len(layer.source) == 3  # type: ignore[arg-type]
    reviewing.close_slide()
    assert len(reviewing.layers) == 0


def test_two_runs_are_asked_about_where_they_disagree(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    older = store_run(svs, [(100, 100), (400, 100)], None)
    store_run(svs, [(104, 102), (700, 400)], None, year=2001)
    open_slide_of(svs)
    loaded(session, loop, 2)
    assert session.review.reasons == []
    assert not command("review.find").enabled(session)
    newer = session.results
    assert newer is not None
    session._desk.show(Path(older))
    loop.run_until(lambda: len(session.runs) == 2 and session.runs[-1].statistics.n == 2)
    assert session.review.reasons == ["disagreement"]
    run_command(session, "review.find")
    loop.run_until(lambda: session.review.is_walking)
    places = session.review.queue.places
    assert sorted(one.x_l0 for one in places) == [410, 710]
    by_run = {one.run_id: one.x_l0 for one in places}
    assert by_run[newer.record.id] == 710
    n = len(places)
    run_command(session, "review.accept")
    run_command(session, "annotate.delete")
    assert session.review.n_answered == n


@pytest.fixture
def mapped(session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide) -> Session:
    """A map that is sure of stroma but for one spot at (600, 400)."""
    first = np.full((384, 512), 0.99, np.float32)
    first[190:210, 290:310] = 0.55
    planes = np.zeros((2, 512, 512), np.uint8)
    planes[:, :384] = quantised(np.stack([first, 1 - first], axis=2))
    classes = (DetectionClass("Stroma", (1, 2, 3)), DetectionClass("Tumor", (3, 2, 1)))
    facts = {"gives": "pixel", "classes": classes, "grid_px": (512, 384), "scale_l0": 2.0}
    with (
        open_slide(svs) as slide,
        new_run(slide, mpp=1.0, tile_px=512, state="done", **facts) as run,
    ):
        run.map_rows().add(0, 0, planes, 1)
    open_slide_of(svs)
    loop.run_until(lambda: session.annotations.document is not None and session.results)
    loop.run_until(lambda: session.review.reasons == ("map",))
    run_command(session, "review.find")
    loop.run_until(lambda: session.review.is_walking)
    return session


def test_a_map_is_asked_about_in_its_most_doubtful_fields(mapped: Session) -> None:
    x, y = here(mapped)
    assert abs(x - 600) < 25
    assert abs(y - 400) < 25
    run_command(mapped, "review.accept")
    (point,) = all_of(mapped)
    assert point.geometry.coords[0] == pytest.approx((x, y), abs=0.01)
    stroma = mapped.classes.named("Stroma")
    assert stroma is not None
    assert point.classification == stroma.drawn
    assert mapped.review.n_answered == 1
    run_command(mapped, "class.1")
    assert all_of(mapped)[1].classification != point.classification
    run_command(mapped, "annotate.delete")
    assert all_of(mapped)[2].is_disputed, "wrong, and nobody says what is right: not learned from"
    run_command(mapped, "annotate.uncertain")
    assert all_of(mapped)[3].is_uncertain
    assert mapped.review.n_answered == 4


def test_what_is_not_seen_is_not_answered(mapped: Session) -> None:
    mapped.viewport.look_at(60, 60, 8.0)
    assert not mapped.review.can_answer
    run_command(mapped, "review.accept")
    assert all_of(mapped) == []


def test_the_map_of_uncertainty_is_a_layer_that_goes_by_undo(
    reviewing: Session, loop: Loop
) -> None:
    n = len(reviewing.layers)
    run_command(reviewing, "review.map")
    loop.run_until(lambda: len(reviewing.layers) > n)
    source = reviewing.layers[-1].source
    assert isinstance(source, HeatmapSource)
    assert source.value_at(410, 110) == pytest.approx(0.45)
    assert source.value_at(900, 700) is None
    reviewing.undo()
    assert len(reviewing.layers) == n

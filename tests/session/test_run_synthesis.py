"""A pseudo-healthy run in the session: it grows, is compared by the curtain, and goes as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from growing_runs import analyzed_by_tiles
from stage import Ears, FakeRunner, Loop, end
from synthesis_methods import has_synthesis, known_bleach, made_by

from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobState
from pathoview.session.commands import command, run_command
from pathoview.session.runs import Loaded
from pathoview.session.session import Session
from pathoview.tasks import take_regions

OpenSlide = Callable[[Path], None]
COMPARE = "compare.healthy"


@pytest.fixture
def analyzed(
    session: Session,
    loop: Loop,
    open_slide_of: OpenSlide,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[float]:
    """Areas analysed as they were seen while the run went on."""
    model = known_bleach(monkeypatch, tmp_path)
    return analyzed_by_tiles(
        session, loop, open_slide_of, model, lambda here: made_by(here).area_mm2
    )


def test_a_run_grows_with_its_tiles_and_says_what_it_found(
    session: Session, ears: Ears, analyzed: list[float]
) -> None:
    assert len(analyzed) > 4
    run, made = session.results, made_by(session)
    assert run is not None
    assert made.pathology_mm2() == pytest.approx(run.record.pathology_mm2)
    assert 0 < made.pathology_mm2(0.9) < made.pathology_mm2() < made.area_mm2
    assert made.counts.mean_inside > 2 * made.counts.mean_outside
    assert "mm² taken for pathology" in ears.notices[-1].text
    assert ears.notices[-1].action == ("Compare by curtain", COMPARE)


def test_its_layers_are_shown_hidden_and_brought_back_together(
    session: Session, analyzed: list[float]
) -> None:
    names = [layer.name for layer in session.layers][1:]
    assert names == [
        f"{what}: Bleached tumor"
        for what in ("Pseudo-healthy", "Difference", "Darker or brighter", "Pathology")
    ]
    assert [layer.visible for layer in session.layers] == [True, False, False, False, True]
    assert session.active_layer is made_by(session).pathology_layer
    before = list(session.layers)
    session.layer_desk.remove(session.layers[2])
    assert len(session.layers) == 1
    assert not command(COMPARE).enabled(session)
    session.undo()
    assert list(session.layers) == before


def test_tiles_that_come_are_drawn_in_all_layers(session: Session, analyzed: list[float]) -> None:
    run = session.results
    assert run is not None
    told: list[Rect] = []
    for layer in made_by(session).layers:
        layer.source.changed.connect(told.append)
    run.tell(Loaded(None, None, False, True, Rect(20, 0, 10, 10)))
    assert told == [Rect(20, 0, 10, 10)] * 4


def test_one_command_draws_the_curtain_and_takes_it_away(
    session: Session, analyzed: list[float]
) -> None:
    made, view = made_by(session), session.views.active
    switch = command(COMPARE)
    assert switch.checked is not None
    run_command(session, COMPARE)
    assert switch.checked(session)
    assert (view.curtain.left, view.curtain.right) == (made.picture_layer, None)
    assert view.curtain.left_name == "Pseudo-healthy: Bleached tumor"
    assert [layer.visible for layer in made.layers] == [True, False, False, False]
    beyond = [one.source for one in view.shown_beyond]
    assert made.picture_layer.source not in beyond
    assert made.picture_layer.source in [one.source for one in view.shown]
    run_command(session, "compare.flicker")
    assert view.curtain.is_flicked
    run_command(session, "compare.flicker")
    run_command(session, COMPARE)
    assert not switch.checked(session)
    assert not view.curtain.is_drawn
    assert [layer.visible for layer in made.layers] == [False, False, False, True]


def test_another_curtain_gives_way_to_that_before_the_picture(
    session: Session, analyzed: list[float]
) -> None:
    made, curtain = made_by(session), session.views.active.curtain
    run_command(session, "compare.curtain")
    assert curtain.left is made.pathology_layer
    run_command(session, COMPARE)
    assert curtain.is_drawn
    assert curtain.left is made.picture_layer
    session.remove_results()
    assert not curtain.is_drawn


def test_a_finished_run_is_shown_when_its_slide_is_opened_again(
    session: Session, loop: Loop, analyzed: list[float], open_slide_of: OpenSlide
) -> None:
    path = session.path
    assert path is not None
    session.close_slide()
    assert not session.runs
    open_slide_of(path)
    loop.run_until(lambda: has_synthesis(session))
    assert made_by(session).area_mm2 == analyzed[-1]
    assert len(session.layers) == 5


def test_areas_become_annotations_in_one_step(
    session: Session, loop: Loop, runner: FakeRunner, analyzed: list[float]
) -> None:
    loop.run_until(lambda: session.studies.book is not None)
    session.settings.export.synthesis = {"smallest_um2": 20.0, "probability": 0.7}
    run_command(session, "annotate.take_regions")
    job = runner.taken[-1]
    assert job.request.payload["map"]["probability"] == 0.7
    result = take_regions.run(job.request.payload, SilentProgress())
    end(job, JobState.DONE, result)
    loop.run_until(lambda: session.exchange.n_annotations > 0)
    document = session.annotations.document
    assert document is not None
    assert {one.classification.name for one in document if one.classification} == {"Tumor"}
    session.undo()
    assert session.exchange.n_annotations == 0


def test_without_such_a_run_there_is_nothing_to_compare(session: Session) -> None:
    assert not command(COMPARE).enabled(session)
    run_command(session, COMPARE)
    assert not session.views.active.curtain.is_drawn

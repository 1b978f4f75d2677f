"""What a run has found is accepted, deleted, given a class, merged and cut, one step each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from makers import make_svs
from run_files import new_run, squares
from stage import Loop

from pathoview.annotations.feature import Feature
from pathoview.annotations.origin import stands_for
from pathoview.core.geometry import Rect
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.session.commands import run_command
from pathoview.session.correcting import NO_NUCLEUS
from pathoview.session.pointing import click
from pathoview.session.runs import RunView
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide

OpenSlide = Callable[[Path], None]
CORNERS = [(100.0, 100.0), (120.0, 100.0), (200.0, 100.0), (300.0, 300.0)]


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "one.svs")


def store_run(svs: Path, corners: list[tuple[float, float]] = CORNERS, year: int = 2000) -> None:
    started = f"{year}-01-01T00:00:00+00:00"
    with open_slide(svs) as slide, new_run(slide, state="done", started=started) as run:
        run.add_tile(0, 0, squares(corners))


def loaded(session: Session, loop: Loop, n: int = len(CORNERS)) -> RunView:
    loop.run_until(lambda: session.annotations.document is not None and session.results)
    loop.run_until(lambda: session.results and session.results.statistics.n == n)
    run = session.results
    assert run is not None
    return run


@pytest.fixture
def run(session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide) -> RunView:
    """A run of four squares of 20 px on the open slide; the first two touch."""
    store_run(svs)
    open_slide_of(svs)
    return loaded(session, loop)


def all_of(session: Session) -> list[Feature]:
    return list(session.annotations.document or ())


def seen(run: RunView) -> list[int]:
    """Return which of the squares are seen."""
    return [n for n, (x, y) in enumerate(CORNERS) if run.source.pick(x + 10, y + 10) is not None]


def choose(session: Session, run: RunView, *places: int) -> None:
    for n in places:
        x, y = CORNERS[n]
        click(session, x + 10, y + 10, add=n != places[0])
    assert len(run.source.chosen) == len(places)


def test_what_is_accepted_is_covered_until_it_is_taken_back(session: Session, run: RunView) -> None:
    choose(session, run, 0, 2)
    run_command(session, "review.accept")
    first, second = all_of(session)
    assert first.geometry.equals(shapely.box(100, 100, 120, 120))
    assert first.author
    assert first.created
    assert stands_for(second.origin) == [run.source.detections.ids[2].tobytes()]
    assert seen(run) == [1, 3]
    assert session.selection is None
    assert session.history.undo_name == "Accept 2 nuclei"
    session.undo()
    assert all_of(session) == []
    assert seen(run) == [0, 1, 2, 3]
    session.history.redo()
    assert seen(run) == [1, 3]
    session.annotations.select([second.id])
    run_command(session, "annotate.delete")
    assert seen(run) == [1, 2, 3], "who deletes the correction has the detection back"


def test_what_is_deleted_becomes_a_point_that_means_no_nucleus(
    session: Session, run: RunView
) -> None:
    choose(session, run, 3)
    run_command(session, "annotate.delete")
    (point,) = all_of(session)
    assert point.geometry.equals(shapely.Point(310, 310))
    known = session.classes.named(NO_NUCLEUS)
    assert known is not None
    assert known.meaning == "negative"
    assert point.classification == known.drawn
    assert session.annotations.n_selected == 0
    assert seen(run) == [0, 1, 2]
    choose(session, run, 2)
    run_command(session, "annotate.delete")
    assert session.classes.count_named(NO_NUCLEUS) == 2
    session.undo()
    session.undo()
    assert session.classes.named(NO_NUCLEUS) not in session.classes.listed
    assert seen(run) == [0, 1, 2, 3]


def test_a_digit_gives_its_class_to_detections_and_annotations_together(
    session: Session, run: RunView
) -> None:
    drawn = session.annotations.draw(shapely.box(400, 400, 420, 420), "Draw")
    assert drawn is not None
    choose(session, run, 0)
    session.annotations.select([drawn.id])
    run_command(session, "class.2")
    assert {one.classification.name for one in all_of(session) if one.classification} == {"Stroma"}
    assert len(all_of(session)) == 2
    session.undo()
    assert all_of(session) == [drawn]


def test_pieces_of_a_nucleus_are_merged_wherever_they_lie(session: Session, run: RunView) -> None:
    choose(session, run, 0, 1)
    run_command(session, "review.merge")
    (whole,) = all_of(session)
    assert whole.geometry.equals(shapely.box(100, 100, 140, 120))
    assert len(stands_for(whole.origin)) == 2
    assert seen(run) == [2, 3]
    session.undo()
    choose(session, run, 0, 2)
    run_command(session, "review.merge")
    (whole,) = all_of(session)
    assert whole.geometry.equals(shapely.box(100, 100, 220, 120))
    session.undo()
    choose(session, run, 0)
    run_command(session, "review.merge")
    assert all_of(session) == []


def test_corrections_that_are_made_one_still_cover_all_their_nuclei(
    session: Session, run: RunView
) -> None:
    choose(session, run, 0, 1)
    run_command(session, "review.accept")
    session.annotations.select_all()
    run_command(session, "annotate.merge")
    assert len(all_of(session)) == 1
    assert seen(run) == [2, 3]
    session.undo()
    assert len(all_of(session)) == 2
    assert seen(run) == [2, 3]
    session.redo()
    assert seen(run) == [2, 3]
    run_command(session, "annotate.delete")
    assert seen(run) == [0, 1, 2, 3]


def test_a_line_cuts_what_it_crosses_or_what_is_chosen_of_it(
    session: Session, run: RunView
) -> None:
    line = shapely.LineString([(90, 110), (230, 110)])
    assert session.review.corrections.split(line)
    assert len(all_of(session)) == 6
    assert {one.geometry.area for one in all_of(session)} == {200}
    assert seen(run) == [3]
    session.undo()
    choose(session, run, 1)
    assert session.review.corrections.split(line)
    assert len(all_of(session)) == 2
    assert seen(run) == [0, 2, 3]
    assert not session.review.corrections.split(shapely.LineString([(305, 290), (305, 310)]))


def test_what_lies_in_an_area_is_chosen(session: Session, run: RunView) -> None:
    session.annotations.select_in(shapely.box(90, 90, 150, 150))
    assert run.source.chosen == (0, 1)
    session.annotations.select_in(shapely.box(190, 90, 230, 150), add=True)
    assert run.source.chosen == (0, 1, 2)
    area = session.annotations.draw(shapely.box(290, 290, 330, 330), "Draw")
    run_command(session, "review.inside")
    assert run.source.chosen == (3,)
    assert area is not None
    session.annotations.select_in(shapely.box(0, 0, 5, 5))
    assert session.selection is None
    run.detection_layer.visible = False
    session.annotations.select_in(shapely.box(90, 90, 150, 150))
    assert session.selection is None


def test_unsure_is_kept_and_not_learned_from(session: Session, run: RunView) -> None:
    choose(session, run, 0)
    run_command(session, "annotate.uncertain")
    (one,) = all_of(session)
    assert one.is_uncertain
    run_command(session, "annotate.uncertain")
    assert not all_of(session)[0].is_uncertain, "now the annotation is chosen"


def test_corrections_are_as_left_when_the_slide_is_opened_again(
    session: Session, loop: Loop, run: RunView, svs: Path, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    choose(session, run, 0)
    run_command(session, "review.accept")
    choose(session, run, 3)
    run_command(session, "annotate.delete")
    before = all_of(session)
    session.close_slide()
    open_slide_of(svs)
    again = loaded(session, loop)
    assert again is not run
    assert all_of(session) == before
    loop.run_until(lambda: seen(again) == [1, 2])
    session.undo()
    assert seen(again) == [1, 2, 3]


def test_another_run_with_the_same_objects_covers_them_and_alters_no_annotation(
    session: Session, loop: Loop, run: RunView, svs: Path, open_slide_of: OpenSlide
) -> None:
    choose(session, run, 0)
    run_command(session, "review.accept")
    choose(session, run, 3)
    run_command(session, "annotate.delete")
    before = all_of(session)
    session.close_slide()
    store_run(svs, [*CORNERS, (500.0, 500.0)], year=2001)
    open_slide_of(svs)
    again = loaded(session, loop, n=5)
    loop.run_until(lambda: seen(again) == [1, 2])
    assert all_of(session) == before


def test_corrections_teach(session: Session, run: RunView) -> None:
    choose(session, run, 0, 1)
    run_command(session, "review.merge")
    choose(session, run, 2)
    run_command(session, "class.1")
    choose(session, run, 3)
    run_command(session, "annotate.delete")
    labels = FeatureLabels(
        all_of(session), session.classes.listed, {"Tumor": 1}, mpp=0.5, size_l0=(1024, 768)
    )
    assert labels.points().xy_l0.tolist() == [[120, 110], [210, 110]]
    assert labels.examples().values.tolist() == [1, 0], "a nucleus and none; one has no class"
    patch = labels.instances(Rect(0, 0, 400, 400), 400, 400)
    assert len(set(patch.labels[patch.labels > 0].tolist())) == 2
    assert patch.is_known[310, 310]
    assert patch.labels[310, 310] == 0

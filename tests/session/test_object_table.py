"""The table of the session: what it shows and when, and what is chosen with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.annotations.change import Change
from pathoview.annotations.columns import NumberColumn
from pathoview.annotations.feature import Feature
from pathoview.annotations.object_filter import ObjectFilter, Order
from pathoview.core.errors import Cancelled, UsageError
from pathoview.session.commands import run_command
from pathoview.session.object_export import export_table
from pathoview.session.object_table import DEFAULT_COLUMNS, ObjectTable
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide

NUCLEI = [(100, 100), (300, 100), (500, 400)]


@pytest.fixture
def table(
    session: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> ObjectTable:
    """A table that is looked at, of a slide with three nuclei and nothing drawn."""
    path = make_svs(tmp_path / "a.svs")
    with open_slide(path) as slide, new_run(slide, n_objects=3, state="done") as run:
        run.add_tile(0, 0, squares(NUCLEI, class_name="Tumor"))
        run.update_record(state="done")
    open_slide_of(path)
    loop.run_until(lambda: session.annotations.document is not None and session.runs)
    loop.run_until(lambda: len(session.runs[0].source) == 3)
    table = ObjectTable(session)
    table.is_live = True
    settle(table, loop)
    return table


def settle(table: ObjectTable, loop: Loop) -> None:
    loop.run_until(lambda: not table.is_busy)


def draw(session: Session, *shapes: shapely.Geometry, name: str = "") -> list[Feature]:
    drawn = [session.annotations.new(shape, name=name) for shape in shapes]
    assert session.annotations.apply("Draw", Change.adding(drawn))
    return drawn


def column(table: ObjectTable, name: str) -> list[str]:
    view = table.view
    return view.columns[view.names.index(name)].texts(view.rows)


def test_detections_are_shown_and_annotations_join_them_when_they_are_drawn(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    assert column(table, "Kind") == ["detection"] * 3
    assert "Area µm²" in table.view.names
    assert "Area px²" not in table.view.names
    draw(session, shapely.box(0, 0, 600, 300), name="Left")
    settle(table, loop)
    assert column(table, "Kind") == ["annotation"] + ["detection"] * 3
    assert column(table, "Detections inside") == ["2", "", "", ""]
    assert column(table, "Parent") == ["", "Left", "Left", ""]
    session.undo()
    settle(table, loop)
    assert column(table, "Kind") == ["detection"] * 3


def test_a_table_that_nobody_sees_rests(session: Session, loop: Loop, table: ObjectTable) -> None:
    table.is_live = False
    before = table.view
    draw(session, shapely.box(0, 0, 10, 10))
    loop.run_for(0.05)
    assert table.view is before
    table.is_live = True
    settle(table, loop)
    assert len(table.view.rows) == 4


def test_filter_and_order_are_computed_elsewhere_and_the_view_stays_until_then(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    draw(session, shapely.box(0, 0, 600, 300))
    settle(table, loop)
    before = table.view
    table.set_filter(ObjectFilter(kind="detection"))
    table.sort(Order("Centroid X µm", is_descending=True))
    assert table.view is before
    assert table.is_busy
    settle(table, loop)
    assert table.view.rows.tolist() == [3, 2, 1]
    assert table.view.classes == ("Tumor", "")
    table.set_filter(ObjectFilter())
    settle(table, loop)
    assert table.view.rows.tolist() == [3, 2, 0, 1]


def test_columns_are_chosen_and_remembered(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    table.show_columns(["Id", "Solidity", "No such"])
    settle(table, loop)
    assert table.view.names == ("Id", "Solidity")
    assert session.settings.table_columns == ["Id", "Solidity", "No such"]
    table.show_columns(())
    settle(table, loop)
    assert table.view.names == tuple(name for name in DEFAULT_COLUMNS if name in table.view.names)


def test_choosing_rows_chooses_annotations_and_one_detection(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    first, second = draw(session, shapely.box(0, 0, 9, 9), shapely.box(20, 0, 29, 9))
    settle(table, loop)
    table.choose(np.array([0, 1, 3]), 3)
    assert session.annotations.selected == (first, second)
    assert session.selection is not None
    assert session.selection.index == 1
    assert table.chosen() == [0, 1, 3]
    table.choose(np.array([2]), 2)
    assert session.annotations.selected == ()
    assert session.runs[0].source.selected == 0
    table.choose(np.array([0]), 0)
    assert session.selection is None


def test_what_is_chosen_on_the_slide_has_its_place_in_the_table(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    session.select_at(310, 110)
    assert table.chosen() == [1]
    table.sort(Order("Centroid X µm", is_descending=True))
    table.set_filter(ObjectFilter(measurement="Centroid X µm", low=100))
    settle(table, loop)
    assert table.chosen() == [1]
    table.set_filter(ObjectFilter(measurement="Centroid X µm", low=200))
    settle(table, loop)
    assert table.chosen() == []


def test_what_is_corrected_is_listed_once_and_its_detection_is_back_when_it_is_undone(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    draw(session, shapely.box(0, 0, 600, 300), name="Left")
    session.select_at(110, 110)
    run_command(session, "review.accept")
    settle(table, loop)
    assert column(table, "Kind") == ["annotation"] * 2 + ["detection"] * 2
    assert column(table, "Detections inside") == ["2", "", "", ""]
    assert column(table, "Parent") == ["", "Left", "Left", ""]
    table.choose(np.array([2]), 2)
    assert session.runs[0].source.selected == 1, "the row after the one that is left out"
    assert table.chosen() == [2]
    run_command(session, "annotate.delete")
    settle(table, loop)
    assert column(table, "Kind") == ["annotation"] * 3 + ["detection"]
    assert column(table, "Detections inside") == ["1", "", "", ""], "a rejected one is none"
    session.undo()
    session.undo()
    settle(table, loop)
    assert column(table, "Kind") == ["annotation"] + ["detection"] * 3
    assert column(table, "Detections inside") == ["2", "", "", ""]


def test_what_is_given_a_class_that_is_not_looked_for_is_counted_when_its_meaning_changes(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    draw(session, shapely.box(0, 0, 600, 300), name="Left")
    other = session.classes.named("Other")
    assert other is not None
    session.select_at(110, 110)
    assert session.review.corrections.reclass(other.number)
    settle(table, loop)
    assert column(table, "Class")[1] == "Other"
    assert column(table, "Detections inside")[0] == "1"
    assert session.classes.set_meaning(other.number, "positive")
    settle(table, loop)
    assert column(table, "Detections inside")[0] == "2"


def test_one_flies_to_an_object_and_keeps_a_zoom_that_shows_it(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    table.fly(2)
    assert session.viewport.center_l0 == (510, 410)
    assert session.viewport.scale == 1.0
    session.viewport.look_at(0, 0, 4.0)
    table.fly(0)
    assert session.viewport.center_l0 == (110, 110)
    assert session.viewport.scale == 4.0
    draw(session, shapely.box(0, 0, 1000, 700))
    settle(table, loop)
    table.fly(0)
    assert session.viewport.scale < 0.5


def test_a_table_is_written_as_it_is_shown_or_whole(
    session: Session, loop: Loop, table: ObjectTable, tmp_path: Path
) -> None:
    table.sort(Order("Centroid X µm", is_descending=True))
    table.set_filter(ObjectFilter(measurement="Centroid X µm", low=100))
    table.show_columns(["Centroid X µm", "Class"])
    settle(table, loop)
    ends: list[tuple[int | None, BaseException | None]] = []

    def written(name: str, **options: bool) -> list[str]:
        export_table(session, table, tmp_path / name, lambda *end: ends.append(end), **options)
        n = len(ends)
        loop.run_until(lambda: len(ends) > n)
        return (tmp_path / name).read_text("utf-8-sig").splitlines()

    assert written("a.csv") == ["Centroid X µm,Class", "255,Tumor", "155,Tumor"]
    assert len(written("b.tsv", is_filtered=False)) == 4
    whole = written("c.csv", has_all_columns=True)
    assert set(table.view.objects.names) == set(whole[0].split(","))
    assert ends == [(2, None), (3, None), (2, None)]


def test_an_export_is_stopped_and_a_wrong_name_refused(
    session: Session, loop: Loop, table: ObjectTable, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        export_table(session, table, tmp_path / "a.doc", lambda *_end: None)
    ends: list[BaseException | None] = []
    progress = export_table(
        session, table, tmp_path / "a.csv", lambda _n, error: ends.append(error)
    )
    progress.control.cancel()
    loop.run_until(lambda: ends)
    if isinstance(ends[0], Cancelled):  # else it was faster
        assert not (tmp_path / "a.csv").exists()


def test_another_slide_has_other_objects(
    session: Session, loop: Loop, table: ObjectTable, open_slide_of: Callable[[Path], None]
) -> None:
    draw(session, shapely.box(0, 0, 9, 9))
    session.close_slide()
    settle(table, loop)
    assert len(table.view.objects) == 0


# -- stains ----------------------------------------------------------------------------------------


def test_stains_of_chosen_annotations_are_measured_as_one_step_and_become_columns(
    session: Session, loop: Loop, table: ObjectTable, ears: Ears
) -> None:
    first, second, point = draw(
        session, shapely.box(0, 0, 100, 100), shapely.box(200, 0, 300, 90), shapely.Point(5, 5)
    )
    session.annotations.select([first.id, second.id, point.id])
    run_command(session, "objects.stains")
    loop.run_until(lambda: session.history.undo_name == "Measure stains")
    assert ears.notices[-1].text == "Stains of 2 annotations measured."
    settle(table, loop)
    name = "Hematoxylin mean (0.5 µm/px)"
    assert name in table.view.objects.names
    values = table.view.objects.column(name)
    assert isinstance(values, NumberColumn)
    assert (values.values[:2] > 0).all()
    assert np.isnan(values.values[2:]).all()
    session.undo()
    document = session.annotations.document
    assert document is not None
    assert document.get(first.id) == first


def test_stains_need_an_annotation_with_an_area(
    session: Session, table: ObjectTable, ears: Ears
) -> None:
    (point,) = draw(session, shapely.Point(5, 5))
    session.annotations.select([point.id])
    run_command(session, "objects.stains")
    assert ears.notices[-1].level == "warning"
    assert session.history.undo_name == "Draw"


def test_stains_of_an_annotation_that_was_reshaped_meanwhile_are_not_kept(
    session: Session, loop: Loop, table: ObjectTable
) -> None:
    first, second = draw(session, shapely.box(0, 0, 100, 100), shapely.box(0, 0, 50, 50))
    session.annotations.select([first.id, second.id])
    run_command(session, "objects.stains")
    session.annotations.reshape(first, shapely.box(0, 0, 60, 60), "Edit")
    loop.run_until(lambda: session.history.undo_name == "Measure stains")
    document = session.annotations.document
    assert document is not None
    measured = [bool(one.measurements) for one in document]
    assert measured == [False, True]

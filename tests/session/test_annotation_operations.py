from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import Distance
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide

OpenSlide = Callable[[Path], None]


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "one.svs")


@pytest.fixture
def labelling(session: Session, loop: Loop, open_slide_of: OpenSlide, svs: Path) -> Session:
    """A slide whose annotations are read."""
    open_slide_of(svs)
    loop.run_until(lambda: session.annotations.document is not None)
    return session


def draw(session: Session, left: float = 0, side: float = 20, class_number: int = 1) -> Feature:
    session.annotations.choose_class(class_number)
    drawn = session.annotations.draw(shapely.box(left, 0, left + side, side), "Draw")
    assert drawn is not None
    return drawn


def all_of(session: Session) -> list[Feature]:
    return list(session.annotations.document or ())


def last_command(session: Session) -> dict[str, object]:
    book = session.studies.book
    assert book is not None
    return dict(book.step(book.steps[-1].number).command)


def test_one_operation_is_one_named_step_with_its_command(labelling: Session) -> None:
    draw(labelling)
    draw(labelling, 10)
    before = all_of(labelling)
    labelling.annotations.select_all()
    labelling.operations.do("expand", Distance(5, "um"))
    assert [one.geometry.bounds[0] for one in all_of(labelling)] == [-10, 0]
    assert labelling.history.undo_name == "Expand annotations (5 µm)"
    assert last_command(labelling) == {
        "verb": "annotate",
        "what": "expand",
        "class": ["Tumor"],
        "um": 5,
    }
    run_command(labelling, "annotate.merge")
    assert len(all_of(labelling)) == 1
    assert labelling.annotations.n_selected == 1
    labelling.undo()
    labelling.undo()
    assert all_of(labelling) == before


def test_some_of_a_class_are_named_by_their_ids(labelling: Session) -> None:
    first = draw(labelling)
    draw(labelling, 100)
    labelling.annotations.select([first.id])
    run_command(labelling, "annotate.convex_hull")
    labelling.operations.set_class(2)
    assert last_command(labelling) == {
        "verb": "annotate",
        "what": "set-class",
        "id": [str(first.id)],
        "to": "Stroma",
    }
    assert labelling.history.undo_name == "Set class Stroma"


def test_what_stays_as_it_is_is_told(labelling: Session, ears: Ears) -> None:
    draw(labelling)
    run_command(labelling, "annotate.lock")
    assert all_of(labelling)[0].is_locked
    draw(labelling, 100)
    labelling.annotations.select_all()
    labelling.operations.do("shrink", Distance(30, "px"))
    text = ears.notices[-1].text
    assert "1 annotation is locked" in text
    assert "1 annotation stays as it is: nothing would be left of it." in text
    run_command(labelling, "annotate.delete")
    assert len(all_of(labelling)) == 1
    run_command(labelling, "annotate.lock")
    assert not all_of(labelling)[0].is_locked
    run_command(labelling, "annotate.fill_holes")
    assert ears.notices[-1].text == "There was nothing to change."


def test_a_distance_in_um_without_a_scale_becomes_a_notice(
    session: Session, loop: Loop, ears: Ears, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    open_slide_of(make_svs(tmp_path / "bare.svs", mpp=None))
    loop.run_until(lambda: session.annotations.document is not None)
    draw(session)
    session.operations.do("expand", Distance(5, "um"))
    assert "no scale" in ears.notices[-1].text
    session.operations.do("expand", Distance(5, "px"))
    assert session.history.undo_name == "Expand annotations (5 px)"


def test_many_are_worked_on_by_another_thread(labelling: Session, loop: Loop) -> None:
    n = 20_000
    boxes = shapely.box(*(shapely.get_coordinates(shapely.points(range(n), [0] * n)).T), 9999, 9)
    labelling.annotations.apply("Draw", Change.adding(Feature(one) for one in boxes))
    labelling.annotations.select_all()
    labelling.operations.set_class(1)
    run_command(labelling, "annotate.duplicate")
    run_command(labelling, "annotate.delete")
    assert len(all_of(labelling)) == n
    labelling.annotations.select_all()
    run_command(labelling, "annotate.convex_hull")
    labelling.annotations.select(())
    labelling.annotations.select_all()
    labelling.operations.do("simplify", Distance(1, "px"))
    steps = len(labelling.history.done)
    loop.run_for(0.5)
    assert len(labelling.history.done) == steps, "a box is its own hull, and simple"


def test_what_changes_meanwhile_stops_the_work_of_another_thread(
    labelling: Session, loop: Loop, ears: Ears
) -> None:
    boxes = [Feature(shapely.box(i, 0, i + 5, 5)) for i in range(500)]
    labelling.annotations.apply("Draw", Change.adding(boxes))
    labelling.annotations.select_all()
    labelling.operations.do("expand", Distance(1, "px"))
    labelling.annotations.apply("Delete", Change.removing(boxes[:1]))
    assert ears.notices[-1].text == "500 annotations are being worked on…"
    loop.run_until(lambda: len(ears.notices) > 1)
    assert "changed meanwhile" in ears.notices[-1].text
    assert len(all_of(labelling)) == 499
    labelling.operations.do("expand", Distance(1, "px"))
    loop.run_until(lambda: "Expand" in labelling.history.undo_name)


def test_a_digit_draws_in_a_class_and_gives_it_to_what_is_chosen_with_the_move_tool(
    labelling: Session, ears: Ears
) -> None:
    draw(labelling, class_number=1)
    labelling.set_tool("brush")
    run_command(labelling, "class.2")
    assert labelling.annotations.drawing_class == labelling.classes.get(2)
    assert labelling.classes.count(1) == 1, "what was drawn in Tumor stays Tumor"
    labelling.set_tool("move")
    run_command(labelling, "class.2")
    assert labelling.classes.count(2) == 1
    steps = len(labelling.history.done)
    run_command(labelling, "class.2")
    assert len(labelling.history.done) == steps
    run_command(labelling, "class.0")
    assert labelling.classes.count(0) == 1
    assert labelling.annotations.drawing_class is None
    labelling.set_tool("brush")
    run_command(labelling, "class.3")
    assert labelling.classes.count(3) == 1, "it had no class yet"
    run_command(labelling, "class.9")
    assert "9" in ears.notices[-1].text


def test_marks_are_set_together_and_cleared_together(labelling: Session) -> None:
    first, second = draw(labelling), draw(labelling, 100)
    labelling.annotations.select([first.id])
    run_command(labelling, "annotate.uncertain")
    labelling.annotations.select([first.id, second.id])
    run_command(labelling, "annotate.uncertain")
    assert [one.is_uncertain for one in all_of(labelling)] == [True, True]
    run_command(labelling, "annotate.uncertain")
    assert [one.is_uncertain for one in all_of(labelling)] == [False, False]
    run_command(labelling, "annotate.disputed")
    assert all(one.is_disputed for one in all_of(labelling))
    run_command(labelling, "annotate.full")
    assert {one.role for one in all_of(labelling)} == {"full"}
    run_command(labelling, "annotate.full")
    assert {one.role for one in all_of(labelling)} == {""}


def test_hidden_annotations_are_not_chosen_and_come_back(labelling: Session) -> None:
    draw(labelling)
    run_command(labelling, "annotate.hide")
    assert labelling.annotations.n_selected == 0
    assert labelling.annotations.find(10, 10) == []
    run_command(labelling, "annotate.select_all")
    assert labelling.annotations.n_selected == 0
    run_command(labelling, "annotate.show_hidden")
    assert labelling.annotations.n_selected == 1
    assert len(labelling.annotations.find(10, 10)) == 1


def test_all_of_a_class_or_none_are_chosen_by_command(labelling: Session) -> None:
    draw(labelling)
    draw(labelling, 50, class_number=2)
    run_command(labelling, "annotate.select_class")
    assert labelling.annotations.n_selected == 1
    run_command(labelling, "annotate.select_none")
    assert labelling.annotations.n_selected == 0


def test_the_whole_slide_and_its_tissue_become_annotations(labelling: Session, loop: Loop) -> None:
    labelling.annotations.choose_class(6)
    run_command(labelling, "annotate.full_image")
    (whole,) = all_of(labelling)
    assert whole.geometry.equals(shapely.box(0, 0, 1024, 768))
    assert whole.is_locked
    run_command(labelling, "annotate.tissue")
    loop.run_until(lambda: len(all_of(labelling)) == 2)
    tissue = all_of(labelling)[1]
    assert tissue.geometry.is_valid
    assert whole.geometry.contains(tissue.geometry)
    assert tissue.geometry.area > 0.5 * whole.geometry.area
    assert tissue.classification == whole.classification
    assert last_command(labelling) == {"verb": "annotate", "what": "tissue", "to": "Region*"}


def test_annotations_are_pasted_on_another_slide_in_their_true_size(
    labelling: Session, loop: Loop, ears: Ears, tmp_path: Path, open_slide_of: OpenSlide
) -> None:
    drawn = draw(labelling, 100)
    far = draw(labelling, 900)
    labelling.annotations.select_all()
    run_command(labelling, "annotate.copy")
    run_command(labelling, "annotate.paste")
    assert len(all_of(labelling)) == 4
    labelling.annotations.select([drawn.id])
    open_slide_of(make_svs(tmp_path / "two.svs", mpp=0.25))
    loop.run_until(lambda: labelling.annotations.document is not None)
    run_command(labelling, "annotate.transfer")
    (pasted,) = all_of(labelling)
    assert pasted.geometry.equals(shapely.box(200, 0, 240, 40))
    assert pasted.id != drawn.id
    assert pasted.classification == drawn.classification
    run_command(labelling, "annotate.paste")
    assert len(all_of(labelling)) == 2
    assert "1 annotation would lie beside this slide" in ears.notices[-1].text
    assert far.geometry.bounds[0] * 2 > 1024
    labelling.undo()
    assert len(all_of(labelling)) == 1


def test_the_last_annotation_is_brought_back_when_it_was_deleted(
    labelling: Session, ears: Ears
) -> None:
    draw(labelling)
    run_command(labelling, "annotate.transfer")
    assert "already" in ears.notices[-1].text
    run_command(labelling, "annotate.delete")
    run_command(labelling, "annotate.transfer")
    assert len(all_of(labelling)) == 1


def test_a_detection_is_copied_once_with_its_origin_and_its_class(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide, ears: Ears
) -> None:
    with open_slide(svs) as slide, new_run(slide, state="done") as run:
        run.add_tile(0, 0, squares([(100, 100)], class_name="Mitosis", color=(1, 2, 3)))
        run_id = run.record.id
    open_slide_of(svs)
    loop.run_until(lambda: session.annotations.document is not None and session.results)
    loop.run_until(lambda: session.results and session.results.statistics.n)
    chosen = session.select_at(110, 110)
    assert chosen is not None
    run_command(session, "review.accept")
    (copy,) = all_of(session)
    assert copy.origin == f"run/{run_id}/{chosen.id}"
    assert copy.object_type == "annotation"
    assert copy.geometry.equals(shapely.box(100, 100, 120, 120))
    assert session.selection is None
    assert session.annotations.selected == (copy,)
    added = session.classes.named("Mitosis")
    assert added is not None
    assert added.drawn == copy.classification
    session.select_at(110, 110)
    run_command(session, "review.accept")
    assert len(all_of(session)) == 1
    session.undo()
    assert added not in session.classes.listed


def test_properties_are_edited_together_locked_ones_not(labelling: Session, ears: Ears) -> None:
    draw(labelling)
    run_command(labelling, "annotate.lock")
    draw(labelling, 100)
    labelling.annotations.select_all()
    labelling.operations.edit({"name": "core"})
    assert [one.name for one in all_of(labelling)] == ["", "core"]
    assert "locked" in ears.notices[-1].text
    labelling.operations.edit({"name": "rim", "is_locked": False})
    assert [one.name for one in all_of(labelling)] == ["rim", "rim"]

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import shapely
from makers import make_slides
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.session import piecework
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.lock import lock_path
from pathoview.study.metadata_csv import read_table
from pathoview.study.model import Case, RunEntry, SlideRecord
from pathoview.study.slide_labels import parse_label
from pathoview.study.study_file import StudyFile


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_slides(tmp_path_factory.mktemp("originals"), "one", "two", "three")


@pytest.fixture
def folder(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals, tmp_path / "slides"))


@pytest.fixture
def study(session: Session, loop: Loop, folder: Path, tmp_path: Path) -> Path:
    """A study with three slides, none of them open."""
    path = tmp_path / "trial.pathoview"
    session.study_files.create(path)
    session.slides.search.add([folder])
    loop.run_until(lambda: len(session.slides.rows) == 3)
    return path


def names(session: Session) -> list[str]:
    return [row.name for row in session.slides.rows]


def hash_of(session: Session, name: str) -> str:
    return next(row.slide_hash for row in session.slides.rows if row.name == name)


def opened(session: Session, loop: Loop, name: str) -> str:
    key = hash_of(session, name)
    session.slides.open(key)
    loop.run_until(lambda: session.slide and session.slide.content_hash == key)
    loop.run_until(lambda: session.studies.book)
    return key


def draw(session: Session) -> None:
    session.annotations.choose_class(1)
    assert session.annotations.draw(shapely.box(10, 10, 50, 50), "Draw")


def test_slides_of_a_folder_are_added_as_one_step_that_can_be_taken_back(
    session: Session, loop: Loop, ears: Ears, study: Path, folder: Path
) -> None:
    assert names(session) == ["one.svs", "three.svs", "two.svs"]
    assert session.slides.rows[0].record.width_l0 == 256
    session.undo()
    assert names(session) == []
    session.redo()
    (folder / "notes.svs").write_text("no slide")
    session.slides.search.add([folder])
    loop.run_until(lambda: session.slides.search.state is None)
    assert "3 were there already. 1 file is no slide." in ears.notices[-1].text
    assert len(names(session)) == 3


def test_a_search_that_is_stopped_keeps_what_was_found(
    session: Session, loop: Loop, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.study_files.create(tmp_path / "trial.pathoview")
    monkeypatch.setattr(piecework, "_PIECE_S", 0.0)
    session.slides.search.add([folder])
    loop.run_until(lambda: session.slides.search.state.found)  # type: ignore[union-attr]
    session.slides.search.stop()
    assert session.slides.search.state is None
    assert len(names(session)) == 1


def test_the_steps_of_a_study_without_an_open_slide_are_there_again_next_time(
    session: Session, loop: Loop, study: Path
) -> None:
    session.slides.editing.remove([hash_of(session, "one.svs")])
    session.study_files.close()
    assert session.history.undo_name == ""
    session.studies.open(study)
    assert session.history.undo_name == "Remove slide"
    session.undo()
    assert len(names(session)) == 3


def test_opening_a_study_shows_its_first_slide(session: Session, loop: Loop, study: Path) -> None:
    session.study_files.close()
    assert names(session) == []
    session.open(study)
    loop.run_until(lambda: session.slide)
    assert session.path is not None
    assert session.path.name == "one.svs"
    run_command(session, "slides.next")
    loop.run_until(lambda: session.path and session.path.name == "three.svs")
    run_command(session, "slides.previous")
    loop.run_until(lambda: session.path and session.path.name == "one.svs")


def test_status_and_counts_follow_what_is_drawn_at_once_and_are_read_next_time(
    session: Session, loop: Loop, study: Path
) -> None:
    key = opened(session, loop, "two.svs")
    told: list[str] = []
    session.slides.row_changed.connect(told.append)
    draw(session)
    row = session.slides.row(key)
    assert row is not None
    assert (row.status, row.facts.n_annotations, row.facts.n_classes) == ("labelled", 1, 1)
    assert told == [key]
    session.undo()
    assert session.slides.row(key).status == "unlabelled"  # type: ignore[union-attr]
    session.redo()
    session.study_files.close()
    session.studies.open(study)
    loop.run_until(lambda: session.slides.row(key).facts.n_annotations == 1)  # type: ignore[union-attr]
    assert [row.name for row in session.slides.found("labelled two")] == ["two.svs"]


def test_a_slide_with_a_run_is_analysed_and_one_that_was_reviewed_is_reviewed(
    session: Session, loop: Loop, study: Path
) -> None:
    key = opened(session, loop, "two.svs")
    assert session.slide is not None
    with new_run(session.slide, state="done") as run:
        run.add_tile(0, 0, squares([(10, 10)]))
    session.study_files.close()
    session.studies.open(study)
    loop.run_until(lambda: session.slides.row(key).status == "analysed")  # type: ignore[union-attr]
    opened(session, loop, "two.svs")
    run_command(session, "slides.reviewed")
    assert session.slides.row(key).status == "reviewed"  # type: ignore[union-attr]
    session.undo()
    assert session.slides.row(key).status == "analysed"  # type: ignore[union-attr]


def test_a_slide_of_which_something_is_said_stays_in_its_place(
    session: Session, study: Path
) -> None:
    told: list[str] = []
    n_lists = 0

    def count() -> None:
        nonlocal n_lists
        n_lists += 1

    assert len(session.slides.rows) == 3
    session.slides.row_changed.connect(told.append)
    session.slides.changed.connect(count)
    key = hash_of(session, "two.svs")
    session.slides.editing.set_reviewed([key], on=True)
    assert (told, n_lists) == ([key], 0)
    assert session.slides.rows[2].status == "reviewed"
    session.slides.set_sort("status")
    session.slides.editing.set_reviewed([hash_of(session, "one.svs")], on=True)
    assert names(session) == ["three.svs", "one.svs", "two.svs"]
    session.slides.editing.assign([key], "C 1")
    assert names(session)[0] == "two.svs"


def test_removed_slides_keep_their_annotations(session: Session, loop: Loop, study: Path) -> None:
    key = opened(session, loop, "one.svs")
    draw(session)
    session.slides.editing.remove([key])
    assert names(session) == ["three.svs", "two.svs"]
    session.undo()
    session.study_files.close()
    loop.run_until(lambda: session.studies.n_unsaved == 0)
    with StudyFile.open(study) as file:
        assert len(file.features(key)) == 1
        assert len(file.records(SlideRecord)) == 3


def test_slides_are_given_to_cases_that_are_made_and_renamed(session: Session, study: Path) -> None:
    editing = session.slides.editing
    keys = [hash_of(session, name) for name in ("one.svs", "two.svs")]
    editing.assign(keys, "C 1", "A")
    assert [row.group for row in session.slides.rows] == ["C 1 · A", "C 1 · A", "No case"]
    editing.rename_case(editing.cases[0], "C 2")
    editing.rename_block(editing.blocks(editing.cases[0])[0], "B")
    assert session.slides.rows[0].group == "C 2 · B"
    for _step in range(3):
        session.undo()
    assert session.slides.rows[0].group == ""
    assert session.studies.records.all(Case) == []


def test_stain_and_labels_are_set_for_many_slides_as_one_step(
    session: Session, study: Path
) -> None:
    keys = [row.slide_hash for row in session.slides.rows]
    session.slides.editing.set_stain(keys, "PAS")
    session.slides.editing.label(keys, parse_label("grade:ISUP=2"))
    assert {row.record.stain for row in session.slides.rows} == {"PAS"}
    label = session.slides.rows[0].record.labels[0]
    assert (label.value, label.author, bool(label.created)) == (2, session.studies.author, True)
    session.slides.editing.unlabel(keys[:1], label)
    assert [row.status for row in session.slides.rows] == ["unlabelled", "labelled", "labelled"]
    session.undo()
    session.undo()
    assert {row.status for row in session.slides.rows} == {"unlabelled"}


def test_the_order_is_kept_in_the_study_and_is_no_step(
    session: Session, loop: Loop, study: Path
) -> None:
    step = session.history.undo_name
    session.slides.set_sort("random", 5)
    shuffled = names(session)
    assert session.history.undo_name == step
    session.study_files.close()
    session.studies.open(study)
    assert (session.slides.order.sort, session.slides.order.seed) == ("random", 5)
    assert names(session) == shuffled
    session.slides.set_sort("name")
    assert names(session) == sorted(names(session))


def test_a_blinded_study_names_no_slide(session: Session, loop: Loop, study: Path) -> None:
    opened(session, loop, "one.svs")
    assert session.slides.open_name == "one.svs"
    run_command(session, "slides.blinded")
    assert session.slide is not None
    assert session.slides.open_name == session.slide.pseudonym
    assert all(name.startswith("slide-") for name in names(session))


def test_a_slide_that_moved_with_the_study_is_found_by_itself(
    session: Session, loop: Loop, study: Path, folder: Path, tmp_path: Path
) -> None:
    session.study_files.close()
    loop.run_until(lambda: not lock_path(study).exists())
    moved = tmp_path / "disk"
    moved.mkdir()
    shutil.move(study, moved / study.name)
    shutil.move(folder, moved / "slides")
    session.studies.open(moved / study.name)
    place = str(moved / "slides" / "one.svs")
    loop.run_until(lambda: session.slides.rows[0].record.path == place)
    assert session.history.undo_name == "Add 3 slides", "a move is no step"


def test_a_slide_that_was_renamed_beside_the_study_is_opened_all_the_same(
    session: Session, loop: Loop, study: Path, folder: Path, tmp_path: Path
) -> None:
    key = hash_of(session, "one.svs")
    (tmp_path / "deep").mkdir()
    shutil.move(folder / "one.svs", tmp_path / "deep" / "one.svs")
    (folder / "one.svs").write_bytes((folder / "two.svs").read_bytes())  # another slide there
    session.slides.open(key)
    loop.run_until(lambda: session.slide)
    assert session.slide is not None
    assert session.slide.content_hash == key
    loop.run_until(lambda: session.studies.book)
    assert session.slides.row(key).record.path == str(tmp_path / "deep" / "one.svs")  # type: ignore[union-attr]


def test_slides_that_are_nowhere_near_are_found_in_a_folder_that_is_named(
    session: Session, loop: Loop, ears: Ears, study: Path, folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(folder / "one.svs", elsewhere / "other name.svs")
    key = hash_of(session, "one.svs")
    session.slides.open(key)
    loop.run_until(lambda: ears.notices and ears.notices[-1].action)
    assert ears.notices[-1].action[1] == "study.find_slides"  # type: ignore[index]
    assert session.slides.row(key).facts.is_missing  # type: ignore[union-attr]
    session.slides.search.find_moved([elsewhere])
    loop.run_until(lambda: session.slides.search.state is None)
    assert ears.notices[-1].text == "1 slide was found again."
    assert names(session) == ["other name.svs", "three.svs", "two.svs"]


def test_a_table_is_imported_as_one_step_and_the_list_written(
    session: Session, study: Path, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("slide,case,stain,Age\none,C 1,PAS,61\ntwo.svs,C 1,PAS,61\nfour,C 2,PAS,1\n")
    plan = session.slides.editing.plan_import(read_table(path), {})
    assert (len(plan.matches), plan.unknown) == (2, ("four",))
    session.slides.editing.import_metadata(plan)
    assert session.history.undo_name == "Import metadata"
    assert [row.case for row in session.slides.rows] == ["C 1", "C 1", ""]
    session.slides.editing.export_list(tmp_path / "list.csv")
    written = read_table(tmp_path / "list.csv")
    assert [row["Age"] for row in written.rows] == ["61", "61", ""]
    session.undo()
    assert {row.case for row in session.slides.rows} == {""}


def test_a_qupath_project_brings_its_slides_and_classes(
    session: Session, loop: Loop, ears: Ears, folder: Path, tmp_path: Path
) -> None:
    entry = {"serverBuilder": {"builderType": "uri", "uri": (folder / "one.svs").as_uri()}}
    project = tmp_path / "project.qpproj"
    project.write_text(json.dumps({"version": "0.5.0", "images": [entry]}))
    (tmp_path / "classifiers").mkdir()
    classes = {"pathClasses": [{"name": "Mitosis", "color": -16711936}]}
    (tmp_path / "classifiers" / "classes.json").write_text(json.dumps(classes))
    session.open(project)
    assert ears.notices[-1].action == ("New study…", "study.new")
    session.study_files.create(tmp_path / "from QuPath.pathoview")
    session.open(project)
    loop.run_until(lambda: names(session) == ["one.svs"])
    assert "Mitosis" in [one.name for one in session.studies.records.classes]


def test_a_finished_run_is_told_of_in_the_study_with_all_that_repeats_it(
    session: Session, loop: Loop, study: Path
) -> None:
    slide_hash = opened(session, loop, "one.svs")
    assert session.slide is not None
    with new_run(session.slide, params={"threshold": 1.5}) as run_file:
        run_file.add_tile(0, 0, squares([(10, 10)]))
        record = run_file.update_record(state="done", n_objects=1)
    session.close_slide()
    opened(session, loop, "one.svs")
    loop.run_until(lambda: session.studies.records.all(RunEntry))
    loop.run_until(lambda: not session.studies.n_unsaved)
    with StudyFile.open(study) as file:
        (entry,) = file.records(RunEntry)
    assert (entry.id, entry.slide_hash, entry.method) == (record.id, slide_hash, record.method)
    assert Path(entry.path) == run_file.path
    assert entry.details["params"] == {"threshold": 1.5}

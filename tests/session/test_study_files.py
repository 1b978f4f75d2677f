from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from makers import he_image, make_svs
from stage import Ears, Loop

from pathoview.core.errors import StorageError
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.lock import Holder, lock_path
from pathoview.study.model import Case
from pathoview.study.study import Study, private_path
from pathoview.study.study_file import StudyFile
from pathoview.study.writer import OrderedWriter

Opened = Callable[[Path], None]


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "one.svs", he_image(256, 192))


@pytest.fixture
def study(session: Session, loop: Loop, slide: Path, tmp_path: Path) -> Path:
    """A study whose only slide is open."""
    path = tmp_path / "trial.pathoview"
    session.study_files.create(path)
    session.open(slide)
    loop.run_until(lambda: session.studies.book and session.slides.rows)
    return path


def draw(session: Session, x: float = 10) -> None:
    session.annotations.choose_class(1)
    assert session.annotations.draw(shapely.box(x, 10, x + 20, 50), "Draw")


def n_drawn(session: Session) -> int:
    document = session.annotations.document
    return -1 if document is None else len(document)


def n_kept(path: Path) -> int:
    with StudyFile.open(path) as file:
        return sum(file.count_annotations().values())


def wait(session: Session, loop: Loop) -> None:
    """Until nothing is done to the file, and the labels are there again."""
    loop.run_until(lambda: not session.study_files.work.busy_text)
    loop.run_until(lambda: session.studies.book)


def hold(study: Path) -> None:
    """Have somebody else write a study."""
    holder = Holder(host="elsewhere", user="Ada", process=1, since="today")
    lock_path(study).write_text(holder.model_dump_json())


def test_labels_of_a_slide_without_a_study_are_kept_as_one(
    session: Session, loop: Loop, open_slide_of: Opened, slide: Path, tmp_path: Path
) -> None:
    open_slide_of(slide)
    loop.run_until(lambda: session.studies.book)
    assert session.study_files.is_private
    draw(session)
    draw(session, 80)
    shown = session.slide
    session.study_files.keep(tmp_path / "mine")
    wait(session, loop)
    assert session.study_files.path == tmp_path / "mine.pathoview"
    assert session.slide is shown, "the slide stays on screen"
    assert (n_drawn(session), session.history.undo_name) == (2, "Draw")
    assert [row.name for row in session.slides.rows] == ["one.svs"]
    assert shown is not None
    assert not private_path(shown.content_hash).exists()
    session.undo()
    assert n_drawn(session) == 1


def test_a_slide_without_labels_is_kept_as_a_study_too(
    session: Session, loop: Loop, open_slide_of: Opened, slide: Path, tmp_path: Path
) -> None:
    open_slide_of(slide)
    loop.run_until(lambda: session.studies.book)
    session.study_files.keep(tmp_path / "mine.pathoview")
    wait(session, loop)
    assert session.studies.is_named
    draw(session)


def test_a_study_that_cannot_be_kept_there_loses_nothing(
    session: Session, loop: Loop, ears: Ears, open_slide_of: Opened, slide: Path, tmp_path: Path
) -> None:
    open_slide_of(slide)
    loop.run_until(lambda: session.studies.book)
    draw(session)
    (tmp_path / "mine.pathoview").write_text("something else")
    session.study_files.keep(tmp_path / "mine.pathoview")
    wait(session, loop)
    assert "exists already" in ears.notices[-1].text
    assert not session.studies.is_named
    assert n_drawn(session) == 1
    assert (tmp_path / "mine.pathoview").read_text() == "something else"


def test_a_copy_holds_what_was_drawn_until_now(
    session: Session, loop: Loop, ears: Ears, study: Path, tmp_path: Path
) -> None:
    draw(session)
    session.study_files.save_copy(tmp_path / "copy")
    loop.run_until(lambda: ears.notices)
    assert "copy.pathoview" in ears.notices[-1].text
    assert n_kept(tmp_path / "copy.pathoview") == 1
    assert session.study_files.path == study


def test_another_opener_reads_only_and_may_take_over(
    session: Session, loop: Loop, ears: Ears, study: Path, slide: Path
) -> None:
    draw(session)
    session.study_files.close()
    loop.run_until(lambda: not lock_path(study).exists())
    hold(study)
    session.open(study)
    loop.run_until(lambda: session.studies.book)
    told = ears.notices[-1]
    assert "Ada has it open on elsewhere" in told.text
    assert told.action == ("Open anyway…", "study.open_anyway")
    assert session.annotations.draw(shapely.box(0, 0, 9, 9), "Draw") is None
    session.slides.set_sort("random")
    assert session.slides.order.sort == "random", "the order is mine as long as I look"
    session.study_files.open_anyway()
    loop.run_until(lambda: session.studies.book)
    draw(session)
    assert n_drawn(session) == 2


def test_closing_and_opening_a_study_at_once_does_not_lock_oneself_out(
    session: Session, loop: Loop, study: Path
) -> None:
    draw(session)
    session.study_files.close()
    session.study_files.open(study)
    assert session.studies.study is not None
    assert not session.studies.study.is_read_only
    loop.run_until(lambda: session.studies.book)
    assert n_drawn(session) == 1


def test_a_case_is_erased_and_history_compacted_while_the_slide_stays_on_screen(
    session: Session, loop: Loop, ears: Ears, study: Path
) -> None:
    draw(session)
    draw(session, 80)
    session.undo()
    slide = session.slide
    assert slide is not None
    session.slides.editing.assign([slide.content_hash], "Smith", "A")
    plans: list[object] = []
    session.study_files.upkeep.plan_compact("2999-01-01", plans.append)
    loop.run_until(lambda: plans)
    session.study_files.upkeep.compact(plans[0])  # type: ignore[arg-type]
    wait(session, loop)
    assert ears.notices[-1].text.startswith("Dropped:")
    assert (n_drawn(session), session.history.undo_name) == (1, "")
    case = session.studies.records.all(Case)[0]
    session.study_files.upkeep.plan_erase(case.id, plans.append)
    loop.run_until(lambda: len(plans) == 2)
    session.study_files.upkeep.erase(plans[1])  # type: ignore[arg-type]
    loop.run_until(lambda: ears.notices[-1].text.startswith("Erased: 1 slide"))
    assert session.slide is None, "or the study would know it again"
    assert session.slides.rows == []
    assert session.studies.records.all(Case) == []
    assert n_kept(study) == 0


def test_a_backup_of_today_is_made_and_can_be_brought_back(
    session: Session, loop: Loop, ears: Ears, study: Path
) -> None:
    draw(session)
    session.study_files.close()
    session.open(study)
    loop.run_until(lambda: session.study_files.upkeep.list_backups())
    loop.run_until(lambda: session.studies.book)
    draw(session, 80)
    session.study_files.upkeep.restore(session.study_files.upkeep.list_backups()[0])
    wait(session, loop)
    assert n_drawn(session) == 1


def test_what_was_drawn_without_the_study_is_offered_and_taken_over(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Opened,
    slide: Path,
    tmp_path: Path,
) -> None:
    open_slide_of(slide)
    loop.run_until(lambda: session.studies.book)
    draw(session)
    loop.run_until(lambda: session.studies.n_unsaved == 0)
    session.study_files.create(tmp_path / "trial.pathoview")
    session.open(slide)
    loop.run_until(lambda: ears.notices and ears.notices[-1].action)
    assert n_drawn(session) == 0
    assert ears.notices[-1].action == ("Take them over", "study.take_private")
    run_command(session, "study.take_private")
    loop.run_until(lambda: n_drawn(session) == 1)
    loop.run_for(0.3)
    assert "Take them" not in str(ears.notices[-1].action), "it is asked once"


def test_a_copy_is_merged_and_conflicts_are_in_the_details(
    session: Session, loop: Loop, ears: Ears, study: Path, tmp_path: Path
) -> None:
    draw(session)
    session.study_files.save_copy(tmp_path / "copy.pathoview")
    loop.run_until(lambda: ears.notices)
    session.study_files.open(tmp_path / "copy.pathoview")
    loop.run_until(lambda: n_drawn(session) == 1)
    draw(session, 70)
    session.study_files.open(study)
    loop.run_until(lambda: n_drawn(session) == 1)
    session.study_files.upkeep.merge([tmp_path / "copy.pathoview"])
    loop.run_until(lambda: n_drawn(session) == 2)
    assert ears.notices[-1].text == "Merged 1 study. 1 annotation came."


def test_checking_and_the_audit_trail_tell_what_there_is(
    session: Session, loop: Loop, study: Path
) -> None:
    draw(session)
    loop.run_until(lambda: session.studies.n_unsaved == 0)
    found: list[object] = []
    session.study_files.upkeep.check(found.append)
    loop.run_until(lambda: found)
    assert found == [[]]
    session.study_files.upkeep.read_audit(found.append)
    loop.run_until(lambda: len(found) == 2)
    assert next(line[3] for line in found[1]) == "Study made"  # type: ignore[attr-defined]


def refuse(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Have the disk refuse to write one file."""
    original = OrderedWriter._try

    def refusing(self: OrderedWriter, batch: list[object]) -> StorageError | None:
        if self._path == path:
            return StorageError("The disk is full.")
        return original(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(OrderedWriter, "_try", refusing)


def test_what_the_disk_refuses_is_saved_elsewhere_and_one_goes_on_there(
    session: Session, loop: Loop, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(session)
    loop.run_until(lambda: session.studies.n_unsaved == 0)
    refuse(monkeypatch, study)
    draw(session, 60)
    draw(session, 120)
    loop.run_until(lambda: session.studies.error)
    assert session.studies.n_unsaved == 2
    run_command(session, "study.save_now")
    assert session.studies.n_unsaved == 2
    session.study_files.save_elsewhere(tmp_path / "other disk")
    wait(session, loop)
    loop.run_until(lambda: session.studies.n_unsaved == 0)
    assert (n_drawn(session), n_kept(tmp_path / "other disk.pathoview")) == (3, 3)
    assert n_kept(study) == 1
    draw(session, 180)
    loop.run_until(lambda: n_kept(tmp_path / "other disk.pathoview") == 4)


def test_trying_again_brings_to_disk_what_it_takes_again(
    session: Session, loop: Loop, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, study)
        draw(session)
        loop.run_until(lambda: session.studies.error)
    start = time.monotonic()
    run_command(session, "study.save_now")
    loop.run_until(lambda: session.studies.n_unsaved == 0)
    assert session.studies.error is None
    assert time.monotonic() - start < 2
    assert n_kept(study) == 1


def test_a_study_that_does_not_exist_is_told_in_a_sentence(
    session: Session, ears: Ears, tmp_path: Path
) -> None:
    session.open(tmp_path / "nowhere.pathoview")
    assert "nowhere.pathoview" in ears.notices[-1].text
    assert not session.studies.is_named
    (tmp_path / "x.pathoview").write_text("no study")
    session.open(tmp_path / "x.pathoview")
    assert not lock_path(tmp_path / "x.pathoview").exists()
    with pytest.raises(StorageError):
        Study(tmp_path / "x.pathoview", lambda *_told: None)

"""Copies that were worked in come together again, and nothing that anybody did is dropped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import OTHER_SLIDE, SLIDE, STROMA, TUMOR, draw, features, opened, square

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.errors import InputError, StorageError
from pathoview.study.backups import list_backups
from pathoview.study.bookmarks import Bookmark, SlideBookmarks
from pathoview.study.copying import save_copy
from pathoview.study.integrity import check_study
from pathoview.study.merging import merge, plan_merge
from pathoview.study.model import Block, Case, LabelClass, Record, RunEntry, SlideLabel, SlideRecord
from pathoview.study.step import RecordChange
from pathoview.study.study_file import StudyFile
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict

FIRST, SECOND = square(0, author="Ada"), square(20, author="Ada")
LABEL = SlideLabel(label_kind="grade", name="Gleason", value=2, author="Ada")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    path = tmp_path / "here.pathoview"
    draw(path, Change.adding([FIRST, SECOND]))
    return path


@pytest.fixture
def there(here: Path) -> Path:
    """A copy of it."""
    path = here.with_name("there.pathoview")
    save_copy(here, path)
    return path


def edit(path: Path, old: Feature, **members: object) -> Feature:
    new = replace(old, **members)  # type: ignore[arg-type]
    draw(path, Change((old,), (new,)))
    return new


def say(path: Path, before: Record | None, after: Record | None, slide: str = SLIDE) -> None:
    draw(path, Change(), slide=slide, records=[RecordChange.of(before, after)])


def record(path: Path, slide: str = SLIDE) -> SlideRecord:
    with StudyFile.open(path) as file:
        found = file.record(SlideRecord, slide)
    assert found is not None
    return found


def state(path: Path) -> object:
    with StudyFile.open(path) as file:
        kinds = (LabelClass, Case, Block, SlideRecord, RunEntry)
        return [file.records(kind) for kind in kinds], file.features(SLIDE), file.last_number()


def test_a_copy_nobody_worked_in_changes_nothing(here: Path, there: Path) -> None:
    before = state(here)
    report = merge(here, there, "Bo")
    assert [*report.lines()] == ["Nothing is new there."]
    edit(here, FIRST, name="mine")
    draw(here, Change.removing([SECOND]))
    after = state(here)
    report = merge(here, there, "Bo")
    assert report.n_still_deleted == 1
    assert plan_merge(here, there).is_empty
    assert state(here) == after != before
    assert list_backups(here) == []


def test_what_was_drawn_and_changed_there_comes_as_one_step(here: Path, there: Path) -> None:
    new = square(40, author="Bo", classification=TUMOR.drawn)
    draw(there, Change.adding([new]))
    changed = edit(there, FIRST, geometry=shapely.box(0, 0, 5, 5))
    report = merge(here, there, "Eve")
    assert (report.n_added, report.n_replaced, report.conflicts) == (1, 1, ())
    assert {one.id: one for one in features(here)} == {
        one.id: one for one in (changed, SECOND, new)
    }
    assert [one.sort for one in list_backups(here)] == ["merge"]
    with opened(here) as study:
        assert study.file is not None
        assert [step.name for step in study.file.steps(SLIDE)] == ["Draw", "Merge there.pathoview"]
        assert [*study.file.audit()][-1][3] == "Merged a copy. 1 annotation came. 0 conflicts."
        study.undo(2)
    assert features(here) == [FIRST, SECOND]


def test_what_both_changed_stays_twice_and_is_disputed(here: Path, there: Path) -> None:
    mine = edit(here, FIRST, name="mine", author="Ada")
    theirs = edit(there, FIRST, name="theirs", author="Bo")
    report = merge(here, there)
    (conflict,) = report.conflicts
    assert (conflict.here, conflict.there) == ("Ada", "Bo")
    kept = {one.id: one for one in features(here)}
    assert kept[conflict.ids[0]] == replace(mine, is_disputed=True)
    assert kept[conflict.ids[1]] == replace(theirs, id=conflict.ids[1], is_disputed=True)
    assert len(kept) == 3
    once = state(here)
    assert merge(here, there).conflicts == ()
    assert state(here) == once
    merge(there, here)  # and the other way round: no third of a kind
    merge(here, there)
    assert len(features(here)) == len(features(there)) == 3


def test_what_was_deleted_here_comes_back_only_if_it_was_changed_there(
    here: Path, there: Path
) -> None:
    draw(here, Change.removing([FIRST, SECOND]))
    changed = edit(there, SECOND, name="still needed", author="Bo")
    report = merge(here, there)
    assert features(here) == [replace(changed, is_disputed=True)]
    assert report.n_still_deleted == 1
    assert [(one.here, one.there) for one in report.conflicts] == [("", "Bo")]
    assert plan_merge(here, there).is_empty


def test_what_was_deleted_there_stays_and_is_listed(here: Path, there: Path) -> None:
    draw(there, Change.removing([FIRST]))
    report = merge(here, there)
    assert report.deleted_there == (FIRST.id,)
    assert features(here) == [FIRST, SECOND]
    assert "1 annotation that was deleted there stays here." in [*report.lines()]


def test_a_doubt_of_somebody_there_comes_and_one_that_was_settled_does_not(
    here: Path, there: Path
) -> None:
    doubted = edit(there, FIRST, is_disputed=True)
    merge(here, there)
    assert features(here)[0] == doubted
    edit(here, doubted, is_disputed=False)
    assert plan_merge(here, there).is_empty


def test_classes_are_found_by_name_whatever_their_numbers(tmp_path: Path) -> None:
    one, other = tmp_path / "one.pathoview", tmp_path / "other.pathoview"
    draw(one, Change.adding([square(0, classification=TUMOR.drawn)]))
    mitosis = LabelClass(number=1, name="Mitosis", color=(1, 2, 3), shortcut="1")
    stroma = STROMA.model_copy(update={"number": 9, "color": (7, 7, 7)})
    with opened(other) as study:
        study.put(mitosis, stroma)
    there = [square(20, classification=mitosis.drawn), square(40, classification=stroma.drawn)]
    draw(other, Change.adding(there))
    report = merge(one, other)
    assert report.new_records == ("Mitosis",)
    drawn = [feature.classification for feature in features(one)]
    assert [said.name for said in drawn if said] == ["Tumor", "Mitosis", "Stroma"]
    with StudyFile.open(one) as file:
        classes = {one.name: one for one in file.classes()}
        assert classes["Mitosis"].number == 8
        assert classes["Mitosis"].shortcut == ""
        assert drawn[2] == classes["Stroma"].drawn
    assert plan_merge(one, other).is_empty


def test_a_class_that_was_renamed_in_a_copy_is_the_same_class(tmp_path: Path) -> None:
    here, there = tmp_path / "here.pathoview", tmp_path / "there.pathoview"
    draw(here, Change.adding([square(0, classification=TUMOR.drawn)]))
    save_copy(here, there)
    with opened(there) as study:
        study.put(TUMOR.model_copy(update={"name": "Carcinoma"}))
    assert plan_merge(here, there).is_empty


def test_cases_and_blocks_are_found_by_name_and_come_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one.pathoview", tmp_path / "other.pathoview"
    cases = [Case(name="C"), Case(name="C")]
    blocks = [Block(case_id=cases[0].id, name="A"), Block(case_id=cases[1].id, name="A")]
    more = Block(case_id=cases[1].id, name="B")
    slides = [
        SlideRecord(slide_hash=SLIDE, block_id=blocks[0].id),
        SlideRecord(slide_hash=SLIDE, block_id=blocks[1].id, stain="H&E"),
        SlideRecord(slide_hash=OTHER_SLIDE, block_id=more.id),
    ]
    for path, said in ((one, (cases[0], blocks[0], slides[0])), (other, (cases[1], blocks[1]))):
        draw(path, Change(), records=[RecordChange.of(None, part) for part in said])
    draw(other, Change(), records=[RecordChange.of(None, part) for part in (more, *slides[1:])])
    merge(one, other)
    with StudyFile.open(one) as file:
        assert file.records(Case) == [cases[0]]
        assert {(b.case_id, b.name) for b in file.records(Block)} == {
            (cases[0].id, "A"),
            (cases[0].id, "B"),
        }
    assert record(one) == slides[0].model_copy(update={"stain": "H&E"})
    assert record(one, OTHER_SLIDE).block_id == more.id
    assert check_study(one) == []
    assert plan_merge(one, other).is_empty


@pytest.fixture
def said(here: Path, there: Path) -> tuple[Path, Path, SlideRecord]:
    """The study and its copy, both with the same record of a slide."""
    slide = SlideRecord(
        slide_hash=SLIDE, stain="H&E", tags=("a", "b"), metadata={"age": "7"}, labels=(LABEL,)
    )
    say(here, None, slide)
    there.unlink()
    save_copy(here, there)
    return here, there, slide


def test_what_is_said_of_a_slide_follows_whoever_changed_it(
    said: tuple[Path, Path, SlideRecord],
) -> None:
    here, there, slide = said
    three = LABEL.model_copy(update={"value": 3})
    other = LABEL.model_copy(update={"author": "Bo", "value": 5})
    say(here, slide, slide.model_copy(update={"tags": ("a",), "site_id": "X", "notes": "mine"}))
    new = {
        "stain": "PAS",
        "tags": ("a", "b", "c"),
        "notes": "theirs",
        "metadata": {"age": "8", "sex": "f"},
        "labels": (three, other),
        "is_reviewed": True,
    }
    say(there, slide, slide.model_copy(update=new))
    assert merge(here, there).conflicts == ()
    expected = {**new, "tags": ("a", "c"), "site_id": "X", "notes": "mine\ntheirs"}
    assert record(here) == slide.model_copy(update=expected)
    assert plan_merge(here, there).is_empty


def test_what_both_said_anew_of_a_slide_is_kept_beside(
    said: tuple[Path, Path, SlideRecord],
) -> None:
    here, there, slide = said

    def values(stain: str, age: str, grade: int) -> SlideRecord:
        label = LABEL.model_copy(update={"value": grade})
        said_of_it = {"stain": stain, "metadata": {"age": age}, "labels": (label,)}
        return slide.model_copy(update=said_of_it)

    say(here, slide, values("PAS", "8", 3))
    say(there, slide, values("IHC", "9", 4))
    report = merge(here, there)
    assert {(one.what, one.here, one.there) for one in report.conflicts} == {
        ("stain", "PAS", "IHC"),
        ("age", "8", "9"),
        ("Gleason", "3", "4"),
    }
    merged = record(here)
    assert merged.stain == "PAS"
    assert merged.metadata == {"age": "8", "age (merged)": "9", "stain (merged)": "IHC"}
    assert [(one.value, one.is_disputed) for one in merged.labels] == [(3, True), (4, True)]
    assert plan_merge(here, there).is_empty


def test_slides_that_left_come_back_only_with_new_work(
    said: tuple[Path, Path, SlideRecord],
) -> None:
    here, there, slide = said
    say(here, slide, None)
    assert plan_merge(here, there).is_empty
    draw(there, Change.adding([square(90)]))
    merge(here, there)
    assert record(here) == slide


def test_runs_and_other_records_come(here: Path, there: Path) -> None:
    run = RunEntry(id="1", slide_hash=SLIDE, path="a.run")
    with opened(there) as study:
        study.put(run)
    assert merge(here, there).new_records == ("run",)
    with StudyFile.open(here) as file:
        assert file.records(RunEntry) == [run]


def test_bookmarks_of_both_stay(here: Path, there: Path) -> None:
    marks = [Bookmark(name=name, x_l0=1, y_l0=2, scale=1) for name in "abc"]
    both = SlideBookmarks(slide_hash=SLIDE, bookmarks=(marks[0], marks[1]))
    mine = SlideBookmarks(slide_hash=SLIDE, bookmarks=(marks[0],))
    theirs = SlideBookmarks(slide_hash=SLIDE, bookmarks=tuple(marks))
    say(here, None, both)
    say(here, both, mine)
    say(there, None, theirs)
    merge(here, there)
    with StudyFile.open(here) as file:
        (kept,) = file.records(SlideBookmarks)
    assert [one.name for one in kept.bookmarks] == ["a", "c"]
    assert plan_merge(here, there).is_empty


def verdict(x_l0: float, answer: str, author: str, created: str = "1") -> TileVerdict:
    said = {"answer": answer, "author": author, "created": created}
    return TileVerdict(x_l0=x_l0, y_l0=0, side_l0=10, class_name="Tumor", **said)  # type: ignore[arg-type]


def test_what_everybody_said_of_tiles_stays(here: Path, there: Path) -> None:
    gone, mine = verdict(0, "agree", "Ada"), verdict(10, "agree", "Ada", "2")
    both = SlideVerdicts(slide_hash=SLIDE, verdicts=(gone, mine))
    say(here, None, both)
    say(here, both, SlideVerdicts(slide_hash=SLIDE, verdicts=(mine,)))
    hers = verdict(10, "disagree", "Bo"), verdict(20, "unsure", "Bo")
    older, newer = verdict(10, "disagree", "Ada", "1"), verdict(30, "agree", "Ada", "3")
    say(there, None, SlideVerdicts(slide_hash=SLIDE, verdicts=(gone, older, newer, *hers)))
    merge(here, there)
    with StudyFile.open(here) as file:
        (kept,) = file.records(SlideVerdicts)
    assert set(kept.verdicts) == {mine, newer, *hers}
    assert plan_merge(here, there).is_empty


def test_a_study_is_merged_while_it_is_open_here_but_not_when_open_elsewhere(
    here: Path, there: Path
) -> None:
    draw(there, Change.adding([square(40)]))
    with opened(here) as study:
        with pytest.raises(StorageError, match="only read here"):
            merge(here, there)
        assert merge(study, there).n_added == 1
    assert len(features(here)) == 3
    with pytest.raises(InputError, match="with itself"):
        merge(here, here)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_merging_loses_no_id_and_twice_is_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    here, there = folder / "here.pathoview", folder / "there.pathoview"
    draw(here, Change.adding([square(20 * n) for n in range(4)]))
    save_copy(here, there)
    for path in (here, there):
        for number in range(data.draw(st.integers(0, 3))):
            drawn = features(path)
            going = [one for one in drawn if data.draw(st.booleans())]
            kept = [
                replace(one, name=data.draw(st.sampled_from("ab")), is_disputed=False)
                for one in going
                if data.draw(st.booleans())
            ]
            new = [square(100 + number)] if data.draw(st.booleans()) else []
            draw(path, Change(tuple(going), (*kept, *new)))
        if data.draw(st.booleans()):
            with opened(path) as study:
                assert study.file is not None
                study.undo(study.file.steps(SLIDE)[-1].number)
    before, copy = features(here), features(there)
    with StudyFile.open(here) as file:
        steps = [file.step(one.number) for one in file.steps(SLIDE)]
    ever = {one.id for step in steps for one in (*step.change.before, *step.change.after)}
    merge(here, there)
    merged = {one.id: one for one in features(here)}
    assert {one.id for one in before} <= merged.keys()
    assert {one.id for one in copy} - ever <= merged.keys()
    said = {(one.geometry.wkb, one.name) for one in merged.values()}
    for one in copy:  # what was changed there is there, in place or beside
        was_known = any(
            one.name == old.name and one.id == old.id
            for step in steps
            for old in (*step.change.before, *step.change.after)
        )
        assert was_known or (one.geometry.wkb, one.name) in said
    once = state(here)
    merge(here, there)
    assert state(here) == once
    assert check_study(here) == []

"""Compacting drops old history and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import SLIDE, draw, features, opened, square

from pathoview.annotations.change import Change
from pathoview.annotations.document import AnnotationDocument
from pathoview.core.errors import StorageError
from pathoview.study.backups import list_backups
from pathoview.study.compacting import compact, plan_compact
from pathoview.study.integrity import check_study
from pathoview.study.step import StudyStep
from pathoview.study.study_file import StudyFile

FIRST, SECOND = square(0), square(20)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A square drawn, edited and edited again, one year after the other."""
    path = tmp_path / "s.pathoview"
    once, twice = replace(FIRST, name="once"), replace(FIRST, name="twice")
    draw(path, Change.adding([FIRST, SECOND]), time="2024-06-01T00:00:00+00:00")
    draw(path, Change((FIRST,), (once,)), time="2025-06-01T00:00:00+00:00")
    draw(path, Change((once, SECOND), (twice,)), time="2026-06-01T00:00:00+00:00")
    return path


def test_it_says_what_it_drops_and_drops_that(study: Path) -> None:
    before = features(study)
    plan = plan_compact(study, "2026-01-01")
    assert plan.steps == (1, 2)
    assert plan.versions == (1,)  # the first shape of FIRST; SECOND comes back with undo
    assert plan.n_steps_kept == 1
    assert plan.n_bytes > 0
    assert "2 steps" in plan.text
    assert "1 earlier version" in plan.text
    assert features(study) == before
    assert compact(study, "2026-01-01", "Bo") == plan
    assert features(study) == before
    assert check_study(study) == []
    with opened(study) as again:
        assert again.file is not None
        assert [*again.file.audit()][-1][1::2] == ("Bo", f"Compacted: {plan.text}")
        again.undo(3)
    assert {one.name for one in features(study)} == {"once", ""}
    assert plan_compact(study, "2026-01-01").steps == ()


def test_a_backup_is_made_before(study: Path) -> None:
    compact(study, "2026-01-01")
    (backup,) = list_backups(study)
    assert backup.sort == "compact"
    with StudyFile.open(backup.path) as file:
        assert len(file.steps(SLIDE)) == 3


def test_the_file_becomes_smaller(tmp_path: Path) -> None:
    path = tmp_path / "s.pathoview"
    many = [square(n) for n in range(3000)]
    draw(path, Change.adding(many), Change.removing(many), time="2024-01-01")
    size, plan = path.stat().st_size, plan_compact(path, "2025-01-01")
    compact(path, "2025-01-01")
    assert size - path.stat().st_size == pytest.approx(plan.n_bytes, rel=0.3)
    assert not list(tmp_path.glob("*.part"))


def test_a_study_that_is_open_is_looked_at_but_not_compacted(study: Path) -> None:
    with opened(study):
        assert plan_compact(study, "2026-01-01").steps == (1, 2)
        with pytest.raises(StorageError, match="only read here"):
            compact(study, "2026-01-01")
    with StudyFile.open(study) as file:
        assert len(file.steps(SLIDE)) == 3


def test_steps_that_were_taken_back_go_all_together_or_stay(study: Path) -> None:
    with opened(study) as open_study:
        for number in (3, 2):
            open_study.undo(number)
    assert plan_compact(study, "2026-01-01").steps == (1,)  # 2 must come again before 3 can
    assert plan_compact(study, "2027-01-01").steps == (1, 2, 3)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_what_is_seen_and_newer_history_are_as_before_whatever_was_done(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("study") / "s.pathoview"
    document = AnnotationDocument()
    done: list[StudyStep] = []
    undone: list[StudyStep] = []
    with opened(path) as study:
        for number in range(1, data.draw(st.integers(2, 9))):
            there = [one for one in document if data.draw(st.booleans())]
            kept = [replace(one, name=str(number)) for one in there if data.draw(st.booleans())]
            change = Change(tuple(there), (*kept, square(number)))
            done.append(StudyStep(number, SLIDE, "x", f"2026-01-{number:02}", "Ada", change))
            document.apply(change)
            study.do(done[-1])
        for _ in range(data.draw(st.integers(0, len(done)))):
            undone.append(done.pop())
            document.apply(undone[-1].change.inverse)
            study.undo(undone[-1].number)
    compact(path, f"2026-01-{data.draw(st.integers(1, 10)):02}")
    assert features(path) == list(document)
    with opened(path) as study:
        assert study.file is not None
        kept_steps = {step.number for step in study.file.steps(SLIDE)}
        for step in reversed([one for one in done if one.number in kept_steps]):
            assert study.file.step(step.number).change == step.change
            document.apply(step.change.inverse)
            study.undo(step.number)
        back = [one for one in done if one.number in kept_steps]
        for step in [*back, *reversed([one for one in undone if one.number in kept_steps])]:
            document.apply(step.change)
            study.redo(step.number)
    assert features(path) == list(document)
    assert check_study(path) == []

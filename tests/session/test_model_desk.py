"""The library of models as the window sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from makers import he_image, make_svs
from stage import Ears, FakeRunner, Loop
from tiny_network import register, tiny_model

from pathoview.jobs.runner import JobState
from pathoview.methods.library import LibraryModel
from pathoview.session.commands import run_command
from pathoview.session.session import Session


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, session: Session, loop: Loop) -> LibraryModel:
    register(monkeypatch)
    made = tiny_model()
    read(session, loop, ["Two kinds"])
    return made


def titles(session: Session) -> list[str]:
    return [one.card.title for one in session.models.models if one.card.method == "tiny"]


def read(session: Session, loop: Loop, wanted: list[str]) -> None:
    session.models.refresh()
    loop.run_until(lambda: titles(session) == wanted)


def test_a_model_is_renamed_and_copied(
    session: Session, loop: Loop, ears: Ears, model: LibraryModel, tmp_path: Path
) -> None:
    session.models.rename(model, "Another name")
    loop.run_until(lambda: titles(session) == ["Another name"])
    session.models.export(session.models.models[-1], tmp_path / "copy.safetensors")
    loop.run_until(lambda: ears.notices)
    assert (tmp_path / "copy.safetensors").exists()
    session.models.rename(model, "")
    loop.run_until(lambda: len(ears.notices) == 2)
    assert ears.notices[1].level == "error"


def test_a_model_that_was_removed_comes_back_by_undo(
    session: Session, loop: Loop, ears: Ears, model: LibraryModel
) -> None:
    session.models.remove(model)
    loop.run_until(lambda: titles(session) == [])
    assert "undo" in ears.notices[0].text
    session.undo()
    loop.run_until(lambda: titles(session) == ["Two kinds"])
    session.redo()
    loop.run_until(lambda: titles(session) == [])


def test_a_model_that_cannot_be_removed_is_told_of(
    session: Session, ears: Ears, model: LibraryModel, tmp_path: Path
) -> None:
    elsewhere = LibraryModel(tmp_path / "m.safetensors", model.card)
    session.models.remove(elsewhere)
    assert ears.notices[0].level == "error"
    assert session.history.undo_name == ""


def test_a_file_is_imported(
    session: Session, loop: Loop, ears: Ears, model: LibraryModel, tmp_path: Path
) -> None:
    model.path.rename(tmp_path / "m.safetensors")
    read(session, loop, [])
    session.models.import_file(tmp_path / "m.safetensors")
    loop.run_until(lambda: titles(session) == ["Two kinds"])
    (made,) = [one for one in session.models.models if one.card.method == "tiny"]
    assert made.card.origin == "imported"
    assert session.models.find(made.card.id) == made
    assert session.models.method_title(made.card) == "Tiny network"


def test_a_model_is_used_on_the_open_slide(
    session: Session,
    runner: FakeRunner,
    model: LibraryModel,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    assert not session.models.can_apply(model.card)
    open_slide_of(make_svs(tmp_path / "a.svs", he_image(256, 192)))
    assert session.models.can_apply(model.card)
    session.models.apply(model)
    (job,) = runner.taken
    assert job.request.payload["model"] == str(model.path)


UNLIKE = {"text": "It does not look like it.", "details": "Distance 9."}


def test_a_job_waits_for_the_person_where_the_slide_looks_strange(
    session: Session,
    runner: FakeRunner,
    ears: Ears,
    model: LibraryModel,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs", he_image(256, 192)))
    job = session.models.apply(model)
    assert job is not None
    job.event.emit("unlike", UNLIKE)
    (notice,) = ears.notices
    assert (notice.text, notice.level, notice.details) == (
        UNLIKE["text"],
        "warning",
        UNLIKE["details"],
    )
    states = [job.state]
    assert notice.action is not None
    run_command(session, notice.action[1], notice.argument)
    assert [*states, job.state] == [JobState.PAUSED, JobState.RUNNING]


def test_of_many_slides_none_is_waited_for(
    session: Session,
    runner: FakeRunner,
    ears: Ears,
    model: LibraryModel,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs", he_image(256, 192)))
    first, second = session.models.apply(model), session.models.apply(model)
    assert first is not None
    assert second is not None
    first.event.emit("unlike", UNLIKE)
    assert first.state is JobState.RUNNING
    assert ears.notices[0].action is None

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from makers import he_image, make_svs
from stage import Loop

from pathoview.session.bookmark_desk import BookmarkDesk
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.study.bookmarks import SlideBookmarks
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile


@pytest.fixture
def desk(
    session: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> BookmarkDesk:
    open_slide_of(make_svs(tmp_path / "a.svs"))
    loop.run_until(lambda: session.places.bookmarks.is_ready)
    return session.places.bookmarks


def names(desk: BookmarkDesk) -> list[str]:
    return [bookmark.name for bookmark in desk.all]


def on_disk(session: Session) -> list[str]:
    assert session.slide is not None
    return kept_names(session.slide.content_hash)


def kept_names(slide_hash: str) -> list[str]:
    path = private_path(slide_hash)
    if not path.exists():
        return []
    with StudyFile.open(path) as file:
        kept = file.record(SlideBookmarks, slide_hash)
    return [] if kept is None else [bookmark.name for bookmark in kept.bookmarks]


def test_a_place_is_kept_with_zoom_and_turn_and_gone_back_to(
    session: Session, desk: BookmarkDesk
) -> None:
    session.viewport.look_at(300, 200, 1.5)
    session.viewport.set_turn(30, True)
    run_command(session, "bookmark.add")
    session.viewport.set_turn(0, False)
    session.viewport.fit()
    desk.go(0)
    viewport = session.viewport
    assert (viewport.center_l0, viewport.scale) == ((300, 200), 1.5)
    assert (viewport.rotation, viewport.is_flipped) == (30, True)


def test_one_goes_from_bookmark_to_bookmark_round_and_round(
    session: Session, desk: BookmarkDesk
) -> None:
    run_command(session, "bookmark.next")
    for x in (100, 200, 300):
        session.viewport.look_at(x, 50, 1)
        run_command(session, "bookmark.add")
    seen = []
    for command_id in ("bookmark.next", "bookmark.next", "bookmark.previous", "bookmark.previous"):
        run_command(session, command_id)
        seen.append(session.viewport.center_l0[0])
    assert seen == [100, 200, 100, 300]


def test_changes_are_on_disk_at_once_and_undone_there_too(
    session: Session, desk: BookmarkDesk, loop: Loop
) -> None:
    for _n in range(3):
        desk.add()
    loop.run_until(lambda: on_disk(session) == ["Place 1", "Place 2", "Place 3"])
    desk.rename(1, " Mitosis ")
    desk.remove(0)
    assert names(desk) == ["Mitosis", "Place 3"]
    loop.run_until(lambda: on_disk(session) == ["Mitosis", "Place 3"])
    desk.add()
    assert names(desk)[-1] == "Place 1"
    for expected in (
        ["Mitosis", "Place 3"],
        ["Place 1", "Mitosis", "Place 3"],
        ["Place 1", "Place 2", "Place 3"],
    ):
        session.undo()
        assert names(desk) == expected
    session.redo()
    loop.run_until(lambda: on_disk(session) == ["Place 1", "Mitosis", "Place 3"])
    desk.rename(1, "  ")
    assert names(desk)[1] == "Mitosis"


@pytest.fixture(params=["written", "waiting"])
def disk(request: pytest.FixtureRequest, session: Session, desk: BookmarkDesk) -> Iterator[str]:
    """How far the disk is with what was set: it has it, or a write before it takes its time."""
    is_free = threading.Event()

    def take_time(_connection: sqlite3.Connection) -> None:
        is_free.wait(30)

    if request.param == "waiting":
        assert session.studies.study is not None
        session.studies.study.submit(take_time)
    yield request.param
    is_free.set()


def test_they_belong_to_the_slide_and_come_back_with_it(
    session: Session,
    desk: BookmarkDesk,
    disk: str,
    loop: Loop,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    desk.add("Here")
    if disk == "written":
        loop.run_until(lambda: not session.studies.n_unsaved)
    first = session.path
    assert first is not None
    open_slide_of(make_svs(tmp_path / "b.svs", he_image(600, 500, seed=5)))
    assert names(desk) == []
    loop.run_until(lambda: desk.is_ready)
    assert names(desk) == []
    open_slide_of(first)
    loop.run_until(lambda: desk.is_ready)
    assert names(desk) == ["Here"]


def test_what_is_set_last_is_written_though_the_program_ends(
    session: Session, desk: BookmarkDesk
) -> None:
    slide = session.slide
    assert slide is not None
    desk.add("Last")
    session.close()
    assert kept_names(slide.content_hash) == ["Last"]

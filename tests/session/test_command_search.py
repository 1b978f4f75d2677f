from __future__ import annotations

from pathlib import Path

import pytest
from makers import make_svs
from stage import Loop

from pathoview.session.command_search import search
from pathoview.session.commands import COMMANDS, command
from pathoview.session.session import Session
from pathoview.session.settings import MAX_RECENT_COMMANDS


@pytest.fixture
def open_session(session: Session, loop: Loop, tmp_path: Path) -> Session:
    session.open(make_svs(tmp_path / "a.svs"))
    loop.run_until(lambda: session.slide)
    return session


def ids(session: Session, text: str) -> list[str]:
    return [found.id for found in search(session, text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("whole", "view.fit"),
        ("show det", "view.detections"),
        ("det show", "view.detections"),
        ("DETECT fill", "view.fill"),
        ("sd", "view.detections"),
        ("help log", "help.log"),
        ("rta", "tool.region"),
    ],
)
def test_a_few_letters_find_a_command(open_session: Session, text: str, first: str) -> None:
    assert ids(open_session, text)[0] == first


def test_all_words_must_fit(open_session: Session) -> None:
    assert ids(open_session, "show hologram") == []
    assert "view.detections" not in ids(open_session, "show ann")


def test_without_a_text_all_are_found_but_those_that_need_to_be_told_of_what(
    session: Session,
) -> None:
    assert set(ids(session, "")) == {c.id for c in COMMANDS if c.argument_run is None}


def test_what_can_be_done_now_comes_first(session: Session) -> None:
    can = [found.enabled(session) for found in search(session, "")]
    assert can == sorted(can, reverse=True)
    assert not all(can)


def test_those_asked_for_of_late_come_first(open_session: Session) -> None:
    for name in ("help.about", "view.fit", "file.export", "view.fit"):
        open_session.settings.add_recent_command(name)
    assert open_session.settings.recent_commands == ["view.fit", "file.export", "help.about"]
    assert ids(open_session, "")[:2] == ["view.fit", "help.about"]  # nothing to export
    for entry in COMMANDS:
        open_session.settings.add_recent_command(entry.id)
    assert len(open_session.settings.recent_commands) == MAX_RECENT_COMMANDS


def test_a_command_says_what_it_needs(session: Session, loop: Loop, tmp_path: Path) -> None:
    assert command("view.fit").missing(session) == "needs a slide"
    assert command("file.export").missing(session) == "needs annotations or results"
    assert command("edit.undo").missing(session) == "nothing to take back"
    assert command("file.open").missing(session) == ""
    session.open(make_svs(tmp_path / "a.svs"))
    loop.run_until(lambda: session.slide)
    assert command("view.fit").missing(session) == ""

"""A session with a hand-cranked event loop, and a runner that does what the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stage import Ears, FakeRunner, Loop

from pathoview.session.session import Session
from pathoview.session.settings import Settings


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def session(loop: Loop, runner: FakeRunner) -> Iterator[Session]:
    session = Session(loop.post, Settings(cache_bytes=64 * 2**20), runner)
    session.viewport.set_size(800, 600)
    yield session
    session.close()


@pytest.fixture
def ears(session: Session) -> Ears:
    return Ears(session)


@pytest.fixture
def open_slide_of(session: Session, loop: Loop) -> Callable[[Path], None]:
    def opened(path: Path) -> None:
        session.open(path)
        loop.run_until(lambda: session.slide is not None and session.slide.path == path)

    return opened

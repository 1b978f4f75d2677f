from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from makers import he_image, make_plain, make_svs
from stage import Ears, Loop

from pathoview.core.paths import data_folder
from pathoview.session.commands import command, run_command
from pathoview.session.keeper import Keeper
from pathoview.session.screening import Screening
from pathoview.session.session import Session
from pathoview.study.coverage import kept_coverage


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock, made = Clock(), Screening.__init__

    def with_clock(screening: Screening, session: Session, keeper: Keeper) -> None:
        made(screening, session, keeper, clock)

    monkeypatch.setattr(Screening, "__init__", with_clock)
    return clock


@pytest.fixture
def screening(
    clock: Clock,
    session: Session,
    loop: Loop,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> Screening:
    """Being screened at 10× (1 µm a view px) in views of 400 × 300 px, with glass at the rim."""
    open_slide_of(make_svs(tmp_path / "a.svs", he_image(2400, 1800, glass_px=160)))
    session.viewport.set_size(400, 300)
    run_command(session, "screening.toggle")
    loop.run_until(lambda: session.places.screening.is_active)
    return session.places.screening


@pytest.fixture(autouse=True)
def _clock_first(clock: Clock) -> None:
    """The session of a test is made with the clock of the test."""


def walk(screening: Screening, clock: Clock, n: int, seconds: float = 2.0) -> None:
    for _n in range(n):
        clock.now += seconds
        screening.go(1)


def test_the_walk_sees_all_the_tissue_and_says_so(
    session: Session, screening: Screening, clock: Clock
) -> None:
    assert session.viewport.magnification(0.5) == pytest.approx(10)
    assert screening.index == 0
    assert screening.n_fields >= 9
    shares = []
    for _n in range(screening.n_fields):
        clock.now += 2
        run_command(session, "screening.next")
        shares.append(screening.seen_share)
    clock.now += 2
    screening.rest()
    assert shares == sorted(shares)
    assert shares[1] < 0.5
    assert screening.seen_share > 0.99
    assert screening.index == screening.n_fields - 1
    run_command(session, "screening.previous")
    assert screening.index == screening.n_fields - 2


def test_a_glance_and_a_look_from_afar_do_not_count(
    session: Session, screening: Screening, clock: Clock
) -> None:
    walk(screening, clock, 4, seconds=0.3)
    assert screening.seen_share == 0
    session.viewport.fit()
    clock.now += 10
    screening.rest()
    assert screening.seen_share == 0
    session.viewport.look_at(1200, 900, 2.0)  # closer than the walk asks for
    clock.now += 0.6
    screening.rest()
    assert screening.seen_share > 0


def test_the_rest_is_told_by_the_pace(screening: Screening, clock: Clock) -> None:
    assert screening.seconds_left is None
    walk(screening, clock, 3, seconds=4)
    assert screening.seconds_left == pytest.approx(4 * (screening.n_fields - 4))
    clock.now += 100_000  # a break
    screening.go(1)
    assert screening.seconds_left is not None
    assert screening.seconds_left <= 33 * (screening.n_fields - 5)


def test_what_was_seen_is_kept_and_gone_on_from(
    session: Session, screening: Screening, clock: Clock, loop: Loop
) -> None:
    walk(screening, clock, 4)
    share, path = screening.seen_share, session.path
    assert path is not None
    assert session.slide is not None
    slide_hash = session.slide.content_hash
    session.close_slide()
    assert not screening.is_active
    assert len(session.layers) == 0
    session.open(path)
    loop.run_until(lambda: session.slide)
    session.viewport.set_size(400, 300)
    screening.start()
    loop.run_until(lambda: screening.is_active)
    assert screening.seen_share == pytest.approx(share)
    assert screening.index == 4
    shape = next(data_folder().glob("coverage/*.png"))
    assert shape.stem == slide_hash


def test_forgetting_is_undone(
    session: Session, screening: Screening, clock: Clock, loop: Loop
) -> None:
    walk(screening, clock, 3)
    share = screening.seen_share
    assert share > 0
    run_command(session, "screening.forget")
    assert screening.seen_share == 0
    session.undo()
    assert screening.seen_share == share
    session.redo()
    assert session.slide is not None
    slide_hash = session.slide.content_hash
    source = session.layers[-1].source
    shape = source.codes.shape  # type: ignore[attr-defined]
    loop.run_until(lambda: not kept_coverage(slide_hash, shape).any())


def test_a_layer_shows_what_was_seen_while_one_screens(
    session: Session, screening: Screening
) -> None:
    assert [layer.name for layer in session.layers] == ["Slide", "Seen"]
    assert session.active_layer is session.layers[0]
    run_command(session, "screening.toggle")
    assert [layer.name for layer in session.layers] == ["Slide"]
    assert not command("screening.next").enabled(session)
    run_command(session, "screening.next")


def test_another_size_of_the_window_makes_another_plan(
    session: Session, screening: Screening, clock: Clock, loop: Loop
) -> None:
    walk(screening, clock, 3)
    n_before = screening.n_fields
    here = session.viewport.center_l0
    session.viewport.set_size(300, 200)
    screening.go(1)
    loop.run_until(lambda: not screening.is_preparing)
    assert screening.n_fields > n_before
    assert np.hypot(*np.subtract(session.viewport.center_l0, here)) < 1200
    session.settings.screening.magnification = 20.0
    screening.plan_again()
    loop.run_until(lambda: not screening.is_preparing)
    assert session.viewport.magnification(0.5) == pytest.approx(20)


def test_a_slide_without_tissue_is_told(
    session: Session,
    ears: Ears,
    loop: Loop,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    glass = np.full((600, 800, 3), 243, np.uint8)
    open_slide_of(make_plain(tmp_path / "glass.png", glass))
    run_command(session, "screening.toggle")
    loop.run_until(lambda: ears.notices)
    assert "No tissue" in ears.notices[-1].text
    assert not session.places.screening.is_active


def test_stopping_while_it_looks_for_tissue_stops_it(
    session: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs"))
    run_command(session, "screening.toggle")
    assert session.places.screening.is_preparing
    run_command(session, "screening.toggle")
    loop.run_for(0.5)
    assert not session.places.screening.is_active
    assert len(session.layers) == 1

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from makers import make_plain, make_svs

from pathoview.core.errors import UsageError
from pathoview.session.commands import run_command
from pathoview.session.going import go_to
from pathoview.session.session import Session


@pytest.mark.parametrize("power", [1, 2, 5, 10, 20, 40])
def test_a_magnification_is_that_of_an_objective(
    session: Session, open_slide_of: Callable[[Path], None], tmp_path: Path, power: int
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs"))  # 0.5 µm per px: full size is 20×
    session.viewport.set_size(80, 60)
    session.viewport.look_at(300, 200, 1.3)
    run_command(session, f"go.zoom_{power}")
    assert session.viewport.magnification(0.5) == pytest.approx(power)
    assert session.viewport.center_l0 == (300, 200)


def test_without_a_scale_full_size_counts_as_20(
    session: Session, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    open_slide_of(make_plain(tmp_path / "a.png"))
    run_command(session, "go.zoom_10")
    assert session.viewport.scale == 0.5


def test_one_goes_to_coordinates_and_they_are_remembered(
    session: Session, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs"))
    go_to(session, " 100 µm, 50 µm @ 40× ")
    assert session.viewport.center_l0 == pytest.approx((200, 100))
    assert session.viewport.scale == pytest.approx(2)
    go_to(session, "10, 20")
    assert session.viewport.scale == pytest.approx(2)
    with pytest.raises(UsageError):
        go_to(session, "90,000, 20")
    assert session.viewport.center_l0 == (10, 20)
    assert session.settings.last_place == "10, 20"


def test_the_view_is_turned_and_mirrored_by_command(
    session: Session, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    open_slide_of(make_svs(tmp_path / "a.svs"))
    for command_id, rotation in (
        ("turn.right_90", 90),
        ("turn.right", 105),
        ("turn.left_90", 15),
        ("turn.left", 0),
        ("turn.left", 345),
    ):
        run_command(session, command_id)
        assert session.viewport.rotation == rotation
    run_command(session, "turn.flip")
    assert (session.viewport.rotation, session.viewport.is_flipped) == (15, True)
    run_command(session, "turn.reset")
    assert session.viewport.look().is_upright

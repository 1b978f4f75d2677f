from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.session.commands import COMMANDS, command, run_command
from pathoview.session.session import Session


def test_ids_and_keys_are_given_once() -> None:
    ids = Counter(entry.id for entry in COMMANDS)
    keys = Counter(key for entry in COMMANDS for key in entry.shortcut.split("; ") if key)
    assert ids.most_common(1)[0][1] == 1
    assert keys.most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    ("command_id", "key"),
    [
        ("file.open", "Ctrl+O"),
        ("analyze.run", "Ctrl+Return"),
        ("file.export", "Ctrl+E"),
        ("file.import", "Ctrl+I"),
        ("view.detections", "D"),
        ("view.overlays", "H"),
        ("view.fill", "F"),
        ("tool.move", "M"),
        ("tool.region", "Shift+R"),
        ("window.commands", "Ctrl+L"),
        ("edit.redo", "Ctrl+Shift+Z"),
    ],
)
def test_keys_are_those_a_user_of_qupath_knows(command_id: str, key: str) -> None:
    assert command(command_id).shortcut == key


def test_what_needs_a_slide_or_results_is_disabled_without(session: Session, ears: Ears) -> None:
    enabled = {entry.id for entry in COMMANDS if entry.enabled(session)}
    assert {"file.open", "help.guide"} <= enabled
    assert not enabled & {"analyze.run", "file.export", "view.fit", "edit.undo"}
    run_command(session, "file.export")
    assert ears.commands == []


def test_commands_of_the_window_are_passed_on_to_it(session: Session, ears: Ears) -> None:
    run_command(session, "file.open")
    assert ears.commands == ["file.open"]


def test_views_of_a_slide_and_its_overlay_change_by_command(
    session: Session, loop: Loop, tmp_path: Path
) -> None:
    path = make_svs(tmp_path / "a.svs")
    session.open(path)
    loop.run_until(lambda: session.slide)
    assert session.slide is not None
    with new_run(session.slide, state="done") as run:
        run.add_tile(0, 0, squares([(10, 10)]))
    session.open(path)
    loop.run_until(lambda: session.results and session.results.statistics.n)
    layer = session.layers[1]
    scale = session.viewport.scale
    run_command(session, "view.zoom_in")
    assert session.viewport.scale == pytest.approx(scale * 1.25)
    run_command(session, "view.detections")
    assert not layer.visible
    assert not command("view.detections").checked(session)  # type: ignore[misc]
    run_command(session, "view.overlays")
    assert layer.visible
    run_command(session, "view.fainter")
    assert layer.opacity == pytest.approx(0.9)
    run_command(session, "view.fill")
    assert session.results is not None
    assert session.results.source.style.fill_opacity == session.settings.overlay.fill_opacity
    run_command(session, "results.remove")
    assert session.results is None
    run_command(session, "edit.undo")
    assert session.results is not None
    run_command(session, "file.close")
    assert session.slide is None

from __future__ import annotations

import json
from typing import get_args

import pytest

from pathoview.session.command import Command
from pathoview.session.commands import COMMANDS
from pathoview.session.keymap import PRESETS, KeyMap, normal
from pathoview.session.settings import (
    KeySettings,
    PresetName,
    Settings,
    load_settings,
    settings_file,
)


@pytest.fixture
def keymap() -> KeyMap:
    return KeyMap(KeySettings())


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Ctrl+Shift+Z", "shift+ctrl+z"),
        ("Return", "Enter"),
        ("Escape", "Esc"),
        ("Ctrl+Delete", "Ctrl+Del"),
        ("Ctrl++", "ctrl++"),
        ("+", " + "),
        ("Alt+Meta+PageUp", "Meta+Alt+PgUp"),
    ],
)
def test_a_key_is_the_same_however_it_is_written(one: str, same: str) -> None:
    assert normal(one) == normal(same)


def test_different_keys_stay_different() -> None:
    keys = ["+", "-", "=", "Ctrl++", "Ctrl+-", "Shift+Z", "Z", "Ctrl+Z", "Ctrl+,", ","]
    assert len(set(map(normal, keys))) == len(keys)


def test_the_first_key_map_is_that_of_qupath(keymap: KeyMap) -> None:
    assert keymap.preset == "qupath"
    for command in keymap.commands:
        assert list(keymap.keys(command.id)) == [k for k in command.shortcut.split("; ") if k]
    assert not keymap.has_changes


def test_commands_that_need_to_be_told_of_what_have_no_key(keymap: KeyMap) -> None:
    assert "analyze.resume" not in {command.id for command in keymap.commands}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_commands_that_there_are_and_gives_no_key_twice(name: PresetName) -> None:
    assert set(PRESETS[name].keys) <= {command.id for command in COMMANDS}
    assert not [clash.sentence for clash in KeyMap(KeySettings(preset=name)).clashes]


def test_every_preset_can_be_kept() -> None:
    assert set(get_args(PresetName)) == set(PRESETS)


def test_another_preset_changes_the_keys_and_tells(keymap: KeyMap) -> None:
    told: list[bool] = []
    keymap.changed.connect(lambda: told.append(True))
    keymap.choose_preset("napari")
    assert keymap.keys("tool.move") == ("Z",)
    assert keymap.keys("file.open") == ("Ctrl+O",)
    assert keymap.owner("m") is None
    keymap.choose_preset("asap")
    assert keymap.keys("tool.move") == ("X",)
    assert len(told) == 2


def test_a_key_is_taken_from_the_command_that_had_it(keymap: KeyMap) -> None:
    keymap.set_keys("file.open", ["ctrl+e", "F2"])
    assert keymap.keys("file.open") == ("ctrl+e", "F2")
    assert keymap.keys("file.export") == ()
    assert keymap.is_changed("file.open")
    assert keymap.is_changed("file.export")
    assert not keymap.clashes
    owner = keymap.owner("Ctrl+E")
    assert owner is not None
    assert owner.id == "file.open"


def test_only_the_one_key_is_taken(keymap: KeyMap) -> None:
    keymap.set_keys("help.guide", ["="])
    assert keymap.keys("view.zoom_in") == ("+", "Shift+Up")


def test_keys_that_are_those_of_the_preset_are_no_change(keymap: KeyMap) -> None:
    keymap.set_keys("file.open", [])
    assert keymap.keys("file.open") == ()
    keymap.set_keys("file.open", ["Ctrl+o"])
    assert not keymap.has_changes


def test_changes_stay_with_another_preset_and_go_before_it(keymap: KeyMap) -> None:
    keymap.set_keys("help.guide", ["Z"])
    keymap.choose_preset("napari")
    assert keymap.keys("help.guide") == ("Z",)
    assert keymap.keys("tool.move") == ()
    (clash,) = keymap.clashes
    assert (clash.winner.id, clash.loser.id) == ("help.guide", "tool.move")
    assert clash.sentence == "Z does “Guide”, so it cannot do “Move”."


def test_one_or_all_changes_are_taken_back(keymap: KeyMap) -> None:
    keymap.set_keys("file.open", ["F2"])
    keymap.set_keys("help.guide", ["F3"])
    keymap.reset("file.open")
    assert keymap.keys("file.open") == ("Ctrl+O",)
    assert keymap.keys("help.guide") == ("F3",)
    keymap.choose_preset("asap")
    keymap.reset_all()
    assert keymap.keys("help.guide") == ("F1",)
    assert keymap.preset == "asap"


def test_of_two_commands_with_one_key_the_earlier_gets_it_and_the_clash_is_told() -> None:
    commands = [Command("a", "First", "F2"), Command("b", "Second", "f2; F3")]
    keymap = KeyMap(KeySettings(), commands)
    assert keymap.keys("a") == ("F2",)
    assert keymap.keys("b") == ("F3",)
    assert keymap.clashes[0].sentence == "f2 does “First”, so it cannot do “Second”."


def test_the_canvas_keeps_its_keys_but_for_the_commands_that_mean_the_same(keymap: KeyMap) -> None:
    assert keymap.is_kept_for_canvas("Space", "file.open")
    assert keymap.is_kept_for_canvas("left", "view.right")
    assert not keymap.is_kept_for_canvas("Left", "view.left")
    assert not keymap.is_kept_for_canvas("F2", "file.open")


def test_changes_are_kept_in_the_settings() -> None:
    settings = Settings()
    keymap = KeyMap(settings.keys)
    keymap.choose_preset("napari")
    keymap.set_keys("file.open", ["F2", "Ctrl+Alt+O"])
    settings.save()
    again = KeyMap(load_settings().keys)
    assert again.preset == "napari"
    assert again.keys("file.open") == ("F2", "Ctrl+Alt+O")


def test_ids_of_another_version_are_ignored_and_kept() -> None:
    kept = {"version": 1, "keys": {"own": {"hologram.show": "F9; Ctrl+O"}, "voice": True}}
    settings_file().write_text(json.dumps(kept))
    settings = load_settings()
    keymap = KeyMap(settings.keys)
    assert keymap.keys("file.open") == ("Ctrl+O",)
    assert keymap.owner("F9") is None
    assert not keymap.has_changes
    assert settings.keys.own == {"hologram.show": "F9; Ctrl+O"}

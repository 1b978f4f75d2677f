"""Which keys do which command: a preset, and what the person has changed of it.

Keys are written as Qt writes them (``Ctrl+Shift+Z``), and compared without regard to case, to the
order of modifiers and to second names. All commands live in one window: a key can do one of them.
Where two claim it, the person's own choice goes before the preset, and an earlier command before a
later one; `KeyMap.clashes` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from psygnal import Signal

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.commands import COMMANDS
from pathoview.session.settings import KeySettings, PresetName

SEPARATOR = "; "
"""Between several keys of a command, in `Command.shortcut` and in the settings."""


@dataclass(frozen=True, slots=True)
class Preset:
    """The keys of another program, where it has the same command."""

    title: str
    keys: Mapping[str, str]
    """By id of the command; all others keep `Command.shortcut`."""


PRESETS: Mapping[PresetName, Preset] = MappingProxyType(
    {
        "qupath": Preset("QuPath", {}),
        "napari": Preset(
            "napari",
            {
                "tool.move": "Z",
                "tool.polyline": "T",
                "view.fit": "Ctrl+R; Ctrl+0",
                "layer.toggle": "V",
                "layer.remove": "Ctrl+Del; Ctrl+Backspace",
                "teach.panel": "Ctrl+Alt+P",
                "window.theme": "Ctrl+Shift+T",
                "window.commands": "Ctrl+Shift+P; Ctrl+L",
                "help.keys": "Ctrl+Alt+/",
            },
        ),
        "asap": Preset(
            "ASAP",
            {
                "tool.move": "X",
                "compare.flicker": "Q",
                "file.close": "Ctrl+C; Ctrl+W",
                "annotate.copy": "Ctrl+Ins",
            },
        ),
    }
)

_SECOND_NAMES = {
    "backtab": "tab",
    "control": "ctrl",
    "delete": "del",
    "enter": "return",
    "escape": "esc",
    "insert": "ins",
    "pagedown": "pgdown",
    "pageup": "pgup",
}
_MODIFIERS = ("meta", "ctrl", "alt", "shift")
_CANVAS_KEYS = frozenset(
    {"space", "left", "right", "up", "down", "shift+up", "shift+down", "+", "=", "-", "esc"}
)
"""What the canvas does by itself with these keys, smoothly, no other command can do."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A key that two commands claim."""

    key: str
    winner: Command
    loser: Command

    @property
    def sentence(self) -> str:
        return _("{key} does “{winner}”, so it cannot do “{loser}”.").format(
            key=self.key, winner=_(self.winner.title), loser=_(self.loser.title)
        )


class KeyMap:
    """The keys of all commands; changes are kept in the settings."""

    changed = Signal()

    def __init__(self, settings: KeySettings, commands: Sequence[Command] = COMMANDS) -> None:
        self._settings = settings
        self.commands = tuple(command for command in commands if command.argument_run is None)
        """Those that a key can do."""
        self._by_id = {command.id: command for command in self.commands}
        self._owners: dict[str, Command] = {}
        """By key in its normal form."""
        self._clashes: list[Clash] = []
        self._settle()

    @property
    def preset(self) -> PresetName:
        """Name of the preset, as in `PRESETS`."""
        return self._settings.preset

    @property
    def clashes(self) -> Sequence[Clash]:
        """Keys that are claimed twice."""
        return tuple(self._clashes)

    @property
    def has_changes(self) -> bool:
        """Whether the person has changed anything of the preset."""
        return any(self.is_changed(command.id) for command in self.commands)

    def is_changed(self, command_id: str) -> bool:
        """Whether the person has given a command other keys than the preset."""
        return command_id in self._settings.own

    def keys(self, command_id: str) -> tuple[str, ...]:
        """Return the keys that do a command, the first one first."""
        return tuple(
            key for key in self._claimed(command_id) if self._owners[normal(key)].id == command_id
        )

    def owner(self, key: str) -> Command | None:
        """Return the command that a key does."""
        return self._owners.get(normal(key))

    def is_kept_for_canvas(self, key: str, command_id: str) -> bool:
        """Whether the canvas takes a key for itself, so that it cannot do this command."""
        own = split(self._by_id[command_id].shortcut)
        return normal(key) in _CANVAS_KEYS and normal(key) not in map(normal, own)

    def choose_preset(self, name: PresetName) -> None:
        """Take another preset; the person's own changes stay."""
        self._settings.preset = name
        self._on_changed()

    def set_keys(self, command_id: str, keys: Iterable[str]) -> None:
        """Give a command these keys and no others; each is taken from the command it did."""
        wanted = list(keys)
        self._put(command_id, wanted)
        taken = set(map(normal, wanted))
        for other in self.commands:
            left = [key for key in self._claimed(other.id) if normal(key) not in taken]
            if other.id != command_id and len(left) < len(self._claimed(other.id)):
                self._put(other.id, left)
        self._on_changed()

    def reset(self, command_id: str) -> None:
        """Give a command the keys of the preset again."""
        self._settings.own.pop(command_id, None)
        self._on_changed()

    def reset_all(self) -> None:
        """Forget all changes; the preset stays."""
        self._settings.own.clear()
        self._on_changed()

    def _claimed(self, command_id: str) -> list[str]:
        """Return the keys that a command should have, whether it gets them or not."""
        own = self._settings.own.get(command_id)
        return self._preset_keys(command_id) if own is None else split(own)

    def _preset_keys(self, command_id: str) -> list[str]:
        preset = PRESETS[self.preset].keys
        return split(preset.get(command_id, self._by_id[command_id].shortcut))

    def _put(self, command_id: str, keys: Sequence[str]) -> None:
        if list(map(normal, keys)) == list(map(normal, self._preset_keys(command_id))):
            self._settings.own.pop(command_id, None)
        else:
            self._settings.own[command_id] = SEPARATOR.join(keys)

    def _on_changed(self) -> None:
        self._settle()
        self.changed.emit()

    def _settle(self) -> None:
        """Give every key to one command."""
        self._owners.clear()
        self._clashes.clear()
        for command in sorted(self.commands, key=lambda entry: not self.is_changed(entry.id)):
            for key in self._claimed(command.id):
                winner = self._owners.setdefault(normal(key), command)
                if winner is not command:
                    self._clashes.append(Clash(key, winner, command))


def split(keys: str) -> list[str]:
    """Return the single keys of a text such as ``+; =; Shift+Up``."""
    return [key for key in keys.split(SEPARATOR) if key]


def normal(key: str) -> str:
    """Return a key in a form that is the same for all ways of writing it."""
    head, _plus, last = key.strip().casefold().rpartition("+")
    if not last:
        head, last = head.removesuffix("+"), "+"
    held = {_SECOND_NAMES.get(name, name) for name in head.split("+")}
    held.discard("")
    modifiers = [name for name in _MODIFIERS if name in held]
    others = sorted(held.difference(modifiers))
    return "+".join([*modifiers, *others, _SECOND_NAMES.get(last, last)])

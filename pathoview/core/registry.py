"""A table of named things that are imported only when they are used."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

from pathoview.core.errors import UsageError
from pathoview.core.translation import _


class Named(Protocol):
    """Anything a `Registry` can hold."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """Specifications by name; hyphens and underscores in names mean the same."""

    def __init__(self, noun: str, items: tuple[T, ...] = ()) -> None:
        self._noun = noun
        self._items: dict[str, T] = {}
        for item in items:
            self.add(item)

    def add(self, item: T) -> None:
        if item.name in self._items:
            raise ValueError(f"two entries named {item.name}")
        self._items[item.name] = item

    def get(self, name: str) -> T:
        """Return the entry of that name; raise `UsageError` with the nearest names."""
        key = name.replace("-", "_")
        if key in self._items:
            return self._items[key]
        near = difflib.get_close_matches(key, self._items, n=1)
        hint = _("Did you mean {name}?").format(name=near[0]) if near else self._known()
        sentence = _("There is no {noun} named “{name}”.").format(noun=self._noun, name=name)
        raise UsageError(sentence, hint)

    def _known(self) -> str:
        return _("Known are: {names}.").format(names=", ".join(self._items))

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.replace("-", "_") in self._items


def load_entry(entry: str) -> Any:
    """Import ``"package.module:attribute"`` and return the attribute."""
    module, _colon, attribute = entry.partition(":")
    return getattr(importlib.import_module(module), attribute)

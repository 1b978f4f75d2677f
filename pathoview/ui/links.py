"""Connections to what outlives a widget: a session says things also when a canvas has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance


class Links:
    """The connections of one widget; `cut` ends all of them."""

    def __init__(self) -> None:
        self._made: list[tuple[SignalInstance, Callable[..., Any]]] = []

    def add(self, signal: SignalInstance, slot: Callable[..., Any]) -> None:
        """Call ``slot`` whenever the signal is emitted."""
        signal.connect(slot)
        self._made.append((signal, slot))

    def cut(self) -> None:
        while self._made:
            signal, slot = self._made.pop()
            signal.disconnect(slot, missing_ok=True)

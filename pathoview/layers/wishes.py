"""What several clients wish to see at the same time, in the order in which it is to be read."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest

from pathoview.core.pyramid import TileKey
from pathoview.layers.source import TileSource

Wish = tuple[TileSource, TileKey]
Place = tuple[int, TileKey]
"""(identity of a source, tile): what a wish is found by."""


def place_of(wish: Wish) -> Place:
    return id(wish[0]), wish[1]


def fitting(wanted: Sequence[Wish], ahead: Sequence[Wish], n_bytes: int) -> Sequence[Wish]:
    """Return as many of ``ahead`` as there is room for beside what is wanted."""
    room = n_bytes - sum(map(_most_bytes, wanted))
    sizes = accumulate(map(_most_bytes, ahead))
    return [wish for wish, size in zip(ahead, sizes, strict=True) if size <= room]


def _most_bytes(wish: Wish) -> int:
    return wish[0].pyramid.tile_size ** 2 * 4


@dataclass(slots=True)
class _Client:
    """One canvas: all its wishes, and those of them that are open, by urgency."""

    wanted: Sequence[Wish]
    ahead: Sequence[Wish]
    blank: dict[Place, Wish] = field(default_factory=dict)
    """Nothing of these can be shown yet."""
    coarse: dict[Place, Wish] = field(default_factory=dict)
    """An older version of these is shown."""
    later: dict[Place, Wish] = field(default_factory=dict)
    """Open ones of ``ahead``."""

    @property
    def queues(self) -> tuple[dict[Place, Wish], ...]:
        return self.blank, self.coarse, self.later


class Wishes:
    """Open wishes of all clients, merged fairly. Not thread-safe: the scheduler locks.

    ``is_fresh`` and ``is_shown`` tell of a wish whether it is fulfilled, and whether an older
    version is there. Both are asked once a wish and request.
    """

    def __init__(self, is_fresh: Callable[[Wish], bool], is_shown: Callable[[Wish], bool]) -> None:
        self._is_fresh = is_fresh
        self._is_shown = is_shown
        self._clients: dict[Hashable, _Client] = {}
        self.wanted: dict[Place, Wish] = {}
        """All open wishes of what is seen, the most urgent first; one stays until `done`."""
        self.ahead: dict[Place, Wish] = {}
        """Open wishes of what will be seen soon, to be read when nothing else is left."""
        self.n_dropped = 0
        """Wishes that were forgotten unread since the start."""

    def set(
        self,
        client: Hashable,
        wanted: Sequence[Wish],
        ahead: Sequence[Wish],
        reading: Container[Place],
    ) -> None:
        """Replace the wishes of a client; ``reading``: what is being read and not dropped."""
        before = self.wanted.keys() | self.ahead.keys()
        if wanted or ahead:
            self._clients[client] = _Client(wanted, ahead)
            self._open(self._clients[client])
        else:
            self._clients.pop(client, None)
        self._merge()
        left = before - self.wanted.keys() - self.ahead.keys()
        self.n_dropped += sum(place not in reading for place in left)

    def drop(self, source: TileSource) -> None:
        """Forget a source."""
        for client in self._clients.values():
            client.wanted = [wish for wish in client.wanted if wish[0] is not source]
            client.ahead = [wish for wish in client.ahead if wish[0] is not source]
        self.reopen()

    def reopen(self) -> None:
        """Look again which wishes are open: tiles have been outdated or dropped."""
        for client in self._clients.values():
            self._open(client)
        self._merge()

    def done(self, place: Place) -> None:
        """Take a fulfilled wish out."""
        self.wanted.pop(place, None)
        self.ahead.pop(place, None)
        for client in self._clients.values():
            for queue in client.queues:
                queue.pop(place, None)

    def postpone(self, place: Place) -> None:
        """Put a wish behind all others of its kind."""
        for queue in (self.wanted, self.ahead):
            if (wish := queue.pop(place, None)) is not None:
                queue[place] = wish

    def _open(self, client: _Client) -> None:
        client.blank, client.coarse, client.later = {}, {}, {}
        for wish in client.wanted:
            if not self._is_fresh(wish):
                queue = client.coarse if self._is_shown(wish) else client.blank
                queue[place_of(wish)] = wish
        for wish in client.ahead:
            if not self._is_fresh(wish):
                client.later[place_of(wish)] = wish

    def _merge(self) -> None:
        clients = tuple(self._clients.values())
        self.wanted = _in_turn(client.blank for client in clients)
        self.wanted |= _in_turn(client.coarse for client in clients)
        self.ahead = _in_turn(client.later for client in clients)
        for place in self.wanted.keys() & self.ahead.keys():
            del self.ahead[place]


def _in_turn(queues: Iterable[dict[Place, Wish]]) -> dict[Place, Wish]:
    """Return everybody's first wish, then everybody's second, and so on."""
    rounds = zip_longest(*(queue.items() for queue in queues))
    return {item[0]: item[1] for items in rounds for item in items if item is not None}

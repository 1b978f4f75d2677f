"""The annotations of one slide as they are now; a `Change` is the only way to alter them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from psygnal import Signal

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature


class AnnotationDocument:
    """Features by id, in the order in which they were first drawn."""

    changed = Signal(object)
    """(Change)"""

    def __init__(self, features: Iterable[Feature] = ()) -> None:
        self._features: dict[UUID, Feature] = {}
        self._places: dict[UUID, int] = {}
        """Those that have gone keep theirs: they may come back."""
        self._put(tuple(features))

    def __len__(self) -> int:
        return len(self._features)

    def __contains__(self, feature_id: object) -> bool:
        return feature_id in self._features

    def __iter__(self) -> Iterator[Feature]:
        """Iterate over the features, those drawn first first."""
        return iter(sorted(self._features.values(), key=lambda one: self._places[one.id]))

    def get(self, feature_id: UUID) -> Feature | None:
        return self._features.get(feature_id)

    def place(self, feature_id: UUID) -> int:
        """Return the place of a feature, present or gone, in the order of drawing."""
        return self._places[feature_id]

    def apply(self, change: Change) -> None:
        """Alter the document; raise `ValueError`, and alter nothing, when it is another one.

        The features that go must be there, and those that come must not, unless they are edited.
        """
        going = {feature.id for feature in change.before}
        if not self._features.keys() >= going or len(going) < len(change.before):
            raise ValueError("what the change takes away is not there")
        coming = {feature.id for feature in change.after}
        if len(coming) < len(change.after) or (coming - going) & self._features.keys():
            raise ValueError("what the change brings is there already")
        for feature_id in going - coming:
            del self._features[feature_id]
        self._put(change.after)
        if change:
            self.changed.emit(change)

    def _put(self, features: tuple[Feature, ...]) -> None:
        for feature in features:
            self._places.setdefault(feature.id, len(self._places))
            self._features[feature.id] = feature

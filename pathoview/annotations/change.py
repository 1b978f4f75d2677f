"""What a gesture did to the annotations of a slide: features before, features after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pathoview.annotations.feature import Feature


@dataclass(frozen=True, slots=True)
class Change:
    """Takes some features away and puts others in; one of the same id on both sides is edited."""

    before: tuple[Feature, ...] = ()
    """Those that go, as they were."""
    after: tuple[Feature, ...] = ()
    """Those that come, as they are from now on."""

    @classmethod
    def adding(cls, features: Iterable[Feature]) -> Change:
        return cls(after=tuple(features))

    @classmethod
    def removing(cls, features: Iterable[Feature]) -> Change:
        return cls(before=tuple(features))

    @classmethod
    def replacing(cls, pairs: Iterable[tuple[Feature, Feature]]) -> Change:
        """Return the change from the first to the second of each pair; equal ones are left out."""
        differing = [(old, new) for old, new in pairs if old != new]
        return cls(tuple(old for old, _new in differing), tuple(new for _old, new in differing))

    @property
    def inverse(self) -> Change:
        """What takes this change back."""
        return Change(self.after, self.before)

    def __bool__(self) -> bool:
        return bool(self.before or self.after)

    def __add__(self, other: Change) -> Change:
        """Return this change and then another one as a single change."""
        after = {feature.id: feature for feature in self.after}
        before = list(self.before)
        for feature in other.before:
            if after.pop(feature.id, None) is None:
                before.append(feature)
        return Change(tuple(before), (*after.values(), *other.after))


NO_CHANGE = Change()

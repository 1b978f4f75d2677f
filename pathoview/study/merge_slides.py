"""What two studies say of the same slide, in one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pathoview.core.translation import _
from pathoview.study.model import SlideLabel, SlideRecord
from pathoview.study.three_way import changed_by

_TEXTS = ("pseudonym", "stain", "patient_id", "site_id")
_FACTS = ("path", "added", "width_l0", "height_l0", "mpp")
_MERGED = " (merged)"
_BETWEEN = "; "


@dataclass(frozen=True, slots=True)
class SlideWords:
    """How the other study's words read here."""

    class_names: Mapping[str, str]
    block_id: Callable[[str], str]
    block_name: Callable[[str], str]
    """Of a block of either study, to be shown."""


@dataclass(slots=True)
class SlideMerge:
    """The record of a slide while it is being merged, and what both studies have changed."""

    here: SlideRecord
    there: SlideRecord
    ever_here: Sequence[SlideRecord]
    ever_there: Sequence[SlideRecord]
    words: SlideWords
    conflicts: list[tuple[str, str, str]] = field(default_factory=list)
    """(what, as it is here, as it is there)"""

    def merged(self) -> SlideRecord:
        """Return the record as it is from now on; values there that give way are in `metadata`."""
        metadata = self._metadata()
        found: dict[str, object] = {
            name: getattr(self.here, name) or getattr(self.there, name) for name in _FACTS
        }
        for name in _TEXTS:
            found[name] = self._text(name, metadata)
        found["notes"] = self._notes()
        found["block_id"] = self._block(metadata)
        found["tags"] = self._tags()
        found["labels"] = self._labels()
        found["is_reviewed"] = self._is_reviewed()
        return self.here.model_copy(update={**found, "metadata": metadata})

    def _who(self, name: str) -> str:
        known = ([getattr(one, name) for one in side] for side in (self.ever_here, self.ever_there))
        return changed_by(getattr(self.here, name), getattr(self.there, name), *known)

    def _text(self, name: str, metadata: dict[str, str]) -> str:
        here, there = str(getattr(self.here, name)), str(getattr(self.there, name))
        who = self._who(name)
        if not there or who in ("same", "here"):
            return here
        if not here or who == "there":
            return there
        self.conflicts.append((name, here, there))
        _keep(metadata, name, there)
        return here

    def _notes(self) -> str:
        here, there = self.here.notes, self.there.notes
        who = self._who("notes")
        if who in ("same", "here") or there in here:
            return here
        return there if who == "there" or not here else f"{here}\n{there}"

    def _block(self, metadata: dict[str, str]) -> str:
        here = self.here.block_id
        if not self.there.block_id or self._who("block_id") in ("same", "here"):
            return here
        there = self.words.block_id(self.there.block_id)
        if not here or here == there or self._who("block_id") == "there":
            return there
        name = self.words.block_name(self.there.block_id)
        self.conflicts.append((_("block"), self.words.block_name(here), name))
        _keep(metadata, "block", name)
        return here

    def _tags(self) -> tuple[str, ...]:
        gone = {tag for one in self.ever_here for tag in one.tags}
        return (*self.here.tags, *(tag for tag in self.there.tags if tag not in gone))

    def _is_reviewed(self) -> bool:
        who = self._who("is_reviewed")
        return who == "both" or (self.there if who == "there" else self.here).is_reviewed

    def _metadata(self) -> dict[str, str]:
        merged = dict(self.here.metadata)
        for name, there in self.there.metadata.items():
            here = merged.get(name)
            if name.endswith(_MERGED):
                for part in there.split(_BETWEEN):
                    _keep(merged, name.removesuffix(_MERGED), part)
                continue
            known_here, known_there = (
                [one.metadata.get(name) for one in side]
                for side in (self.ever_here, self.ever_there)
            )
            who = changed_by(here, there, known_here, known_there)
            if who == "there" or (who == "both" and here is None):
                merged[name] = there
            elif who == "both":
                self.conflicts.append((name, str(here), there))
                _keep(merged, name, there)
        return merged

    def _labels(self) -> tuple[SlideLabel, ...]:
        """Return the labels here and there; of the same author and name, those not outdated."""
        merged = list(self.here.labels)
        known_here = {_plain(label) for one in self.ever_here for label in one.labels}
        known_there = {
            _plain(self._translated(label)) for one in self.ever_there for label in one.labels
        }
        for theirs in map(self._translated, self.there.labels):
            if _plain(theirs) in known_here:
                continue  # it is there, or was taken away
            same = [n for n, own in enumerate(merged) if _said_of(own) == _said_of(theirs)]
            outdated = [n for n in same if _plain(merged[n]) in known_there]
            if outdated:
                merged[outdated[0]] = theirs
            elif same:
                self.conflicts.append((theirs.name, _value(merged[same[0]]), _value(theirs)))
                for n in same:
                    merged[n] = merged[n].model_copy(update={"is_disputed": True})
                merged.append(theirs.model_copy(update={"is_disputed": True}))
            else:
                merged.append(theirs)
        return tuple(merged)

    def _translated(self, label: SlideLabel) -> SlideLabel:
        """Return a label of the other study in the words of this one."""
        names = self.words.class_names if label.label_kind == "class" else {}
        return label.model_copy(update={"name": names.get(label.name, label.name)})


def _plain(label: SlideLabel) -> SlideLabel:
    return label.model_copy(update={"is_disputed": False})


def _said_of(label: SlideLabel) -> tuple[object, ...]:
    return label.author, label.label_kind, label.name, label.frames


def _value(label: SlideLabel) -> str:
    return "" if label.value is None else f"{label.value:g}"


def _keep(metadata: dict[str, str], name: str, value: str) -> None:
    """Keep a value that gave way beside the one that did not."""
    parts = metadata.get(name + _MERGED, "").split(_BETWEEN)
    if value not in parts:
        metadata[name + _MERGED] = _BETWEEN.join([*filter(None, parts), value])

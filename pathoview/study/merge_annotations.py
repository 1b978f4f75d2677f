"""The annotations of one slide, from two studies, in one: nothing that anybody drew is dropped."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.study.merge_side import Versions, drawn
from pathoview.study.three_way import changed_by

Classes = Mapping[int, DetectionClass]


@dataclass(slots=True)
class AnnotationMerge:
    """What becomes of the annotations of a slide."""

    added: list[Feature] = field(default_factory=list)
    replaced: list[tuple[Feature, Feature]] = field(default_factory=list)
    """As they were here, as they are there: nobody here had changed them."""
    disputed: list[tuple[Feature | None, Feature]] = field(default_factory=list)
    """Those here and those there that differ, both changed; None: it was deleted here."""
    n_still_deleted: int = 0
    """Deleted here, not changed there: they do not come back."""
    deleted_there: list[Feature] = field(default_factory=list)
    """They stay."""

    @property
    def change(self) -> Change:
        pairs = list(self.replaced)
        new = list(self.added)
        for here, there in self.disputed:
            if here is not None:
                pairs.append((here, replace(here, is_disputed=True)))
            new.append(there)
        return Change.replacing(pairs) + Change.adding(new)


def merge_annotations(
    here: Mapping[bytes, Versions],
    there: Mapping[bytes, Versions],
    classes_here: Classes,
    classes_there: Classes,
) -> AnnotationMerge:
    """Return what becomes of the annotations of a slide; ``classes_there`` as they are drawn here.

    What was changed on one side only is as that side says. What both changed stays twice, the
    other one's under a new id, which is the same whenever this is done again.
    """
    merge = AnnotationMerge()
    said_here = {one.said for one in here.values() if one.row is not None}
    for key, other in there.items():
        own = here.get(key)
        if other.row is None:
            if own is not None and own.row is not None:
                merge.deleted_there += drawn([own], classes_here)
        elif own is None:
            if not (other.is_disputed and other.said in said_here):  # else it is ours, come back
                merge.added += drawn([other], classes_there)
        elif own.row is None and other.said in own.known:
            merge.n_still_deleted += 1
        elif own.row is None:
            (feature,) = drawn([other], classes_there)
            merge.disputed.append((None, replace(feature, is_disputed=True)))
        else:
            _merge_pair(merge, own, other, here, (classes_here, classes_there))
    return merge


def _merge_pair(
    merge: AnnotationMerge,
    own: Versions,
    other: Versions,
    here: Mapping[bytes, Versions],
    classes: tuple[Classes, Classes],
) -> None:
    who = changed_by(own.said, other.said, own.known, other.known)
    is_new_doubt = who == "same" and other.is_disputed and not own.was_disputed
    if who == "here" or (who == "same" and not is_new_doubt):
        return
    (mine,), (theirs,) = drawn([own], classes[0]), drawn([other], classes[1])
    if is_new_doubt:
        merge.replaced.append((mine, replace(mine, is_disputed=True)))
    elif who == "there":
        merge.replaced.append((mine, theirs))
    else:
        twin = uuid.uuid5(theirs.id, other.said.hex())
        if twin.bytes not in here:  # else both were put side by side before
            merge.disputed.append((mine, replace(theirs, id=twin, is_disputed=True)))

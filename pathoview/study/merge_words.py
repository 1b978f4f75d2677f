"""How classes, cases and blocks of one study are found in another one, or come to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pathoview.annotations.detections import DetectionClass
from pathoview.study.merge_side import Side
from pathoview.study.model import Block, Case, LabelClass


class ClassMatch:
    """Classes of the other study by their names here; numbers differ between studies."""

    def __init__(self, here: Side, there: Side) -> None:
        own = here.records(LabelClass)
        others = sorted(there.records(LabelClass), key=lambda one: one.number)
        by_name = {one.name: one for one in own}
        self._once_here = here.class_names_ever()
        self._new: list[LabelClass] = []
        self.names: dict[str, str] = {}
        """What classes there are called here, where that differs."""
        self.drawn: dict[int, DetectionClass] = {}
        """By their numbers there, as they are drawn here."""
        self.drawn_here = {one.number: one.drawn for one in own}
        renamed = _renamed(own, others) if here.info.id == there.info.id else {}
        for other in others:
            match = by_name.get(other.name) or renamed.get(other.number)
            if match is None:
                match = self._added(other, own)
            elif match.name != other.name:
                self.names[other.name] = match.name
            self.drawn[other.number] = match.drawn

    def _added(self, other: LabelClass, own: Sequence[LabelClass]) -> LabelClass:
        all_here = [*own, *self._new]
        number = max((one.number for one in all_here), default=0) + 1
        is_taken = any(one.shortcut == other.shortcut for one in all_here)
        shortcut = "" if is_taken else other.shortcut
        added = other.model_copy(update={"number": number, "shortcut": shortcut})
        self._new.append(added)
        return added

    def new(self, used: Collection[str]) -> list[LabelClass]:
        """Return the classes that come: those that are used, and those that were never here."""
        return [one for one in self._new if one.name in used or one.name not in self._once_here]


def _renamed(own: Sequence[LabelClass], others: Sequence[LabelClass]) -> dict[int, LabelClass]:
    """Return, by number, classes that have another name in the other copy of the same study."""
    there = {one.name for one in others}
    return {one.number: one for one in own if one.name not in there}


class BlockMatch:
    """Blocks and cases of the other study: by id in copies, else by their names."""

    def __init__(self, here: Side, there: Side) -> None:
        self._cases = {one.id: one for one in there.records(Case)}
        self._blocks = {one.id: one for one in there.records(Block)}
        self._cases_here = {one.id: one for one in here.records(Case)}
        self._blocks_here = {one.id: one for one in here.records(Block)}
        self.new: list[Case | Block] = []
        for case in self._cases.values():
            if not here.has_known((Case.kind, case.id)):
                self._case_id(case.id)
        for block in self._blocks.values():
            if not here.has_known((Block.kind, block.id)):
                self.block_id(block.id)

    def block_id(self, other: str) -> str:
        """Return the block here, made where there is none; empty: it is in neither study."""
        block = self._blocks.get(other)
        if other in self._blocks_here or block is None:
            return other if other in self._blocks_here else ""
        case_id = self._case_id(block.case_id)
        for one in self._blocks_here.values():
            if (one.case_id, one.name) == (case_id, block.name):
                return one.id
        added = block.model_copy(update={"case_id": case_id})
        self._blocks_here[added.id] = added
        self.new.append(added)
        return added.id

    def _case_id(self, other: str) -> str:
        case = self._cases.get(other)
        if other in self._cases_here or case is None:
            return other
        for one in self._cases_here.values():
            if one.name == case.name:
                return one.id
        self._cases_here[case.id] = case
        self.new.append(case)
        return case.id

    def block_name(self, block_id: str) -> str:
        """Return the names of a block's case and of the block, to be shown."""
        block = self._blocks_here.get(block_id) or self._blocks.get(block_id)
        if block is None:
            return ""
        case = self._cases_here.get(block.case_id) or self._cases.get(block.case_id)
        return " · ".join(filter(None, (case.name if case else "", block.name)))

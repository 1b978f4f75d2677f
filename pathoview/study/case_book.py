"""Cases and their blocks, found by name or made.

One that no slide is left of stays: it can still be erased, with all that the history says of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pathoview.study.model import Block, Case
from pathoview.study.step import RecordChange


class CaseBook:
    """The cases and blocks of a study, and those that are made while slides are given to them."""

    def __init__(self, cases: Iterable[Case], blocks: Iterable[Block]) -> None:
        self._cases = {case.name: case for case in cases}
        self._blocks = {(block.case_id, block.name): block for block in blocks}
        self._names = {case.id: case.name for case in self._cases.values()}
        self._places = {block.id: block for block in self._blocks.values()}
        self._made: list[RecordChange] = []

    @property
    def made(self) -> Sequence[RecordChange]:
        """The cases and blocks that were not there."""
        return tuple(self._made)

    def block_id(self, case: str, block: str = "") -> str:
        """Return the block of a case, made where there is none; empty for no case."""
        if not case:
            return ""
        if case not in self._cases:
            self._cases[case] = Case(name=case)
            self._names[self._cases[case].id] = case
            self._made.append(RecordChange.of(None, self._cases[case]))
        key = self._cases[case].id, block
        if key not in self._blocks:
            self._blocks[key] = Block(case_id=key[0], name=block)
            self._places[self._blocks[key].id] = self._blocks[key]
            self._made.append(RecordChange.of(None, self._blocks[key]))
        return self._blocks[key].id

    def names(self, block_id: str) -> tuple[str, str]:
        """Return the names of a block's case and of the block itself; both empty: no case."""
        block = self._places.get(block_id)
        return ("", "") if block is None else (self._names.get(block.case_id, ""), block.name)

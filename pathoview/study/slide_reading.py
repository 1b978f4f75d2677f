"""Reads what the list of slides needs of a study's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pathoview.study.model import Block, Case, SlideOrder, SlideRecord
from pathoview.study.results import slides_with_runs
from pathoview.study.slide_list import SlideFacts, SlideRow, slide_rows
from pathoview.study.study_file import StudyFile


def read_facts(file: StudyFile) -> dict[str, SlideFacts]:
    """Count annotations and find runs, by hashes of slides; raises `StorageError`."""
    facts = {
        slide: SlideFacts(sum(counts.values()), sum(number > 0 for number in counts))
        for slide, counts in file.count_all_classes().items()
    }
    for slide in slides_with_runs():
        facts[slide] = replace(facts.get(slide, SlideFacts()), has_runs=True)
    return facts


def read_rows(file: StudyFile, order: Mapping[str, object] | None = None) -> list[SlideRow]:
    """Return the slides of a study as they are listed; raises `StorageError`.

    ``order``: members of `SlideOrder` that are wanted otherwise than the study says.
    """
    said = next(iter(file.records(SlideOrder)), SlideOrder())
    return slide_rows(
        file.records(SlideRecord),
        *(file.records(Case), file.records(Block), read_facts(file)),
        said.model_copy(update=dict(order or {})),
    )

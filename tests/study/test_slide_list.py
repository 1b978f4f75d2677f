from __future__ import annotations

import pytest

from pathoview.core.errors import InputError
from pathoview.core.natural import natural
from pathoview.study.model import Block, Case, SlideOrder, SlideRecord
from pathoview.study.slide_labels import parse_label
from pathoview.study.slide_list import (
    SlideFacts,
    SlideFinder,
    file_name,
    matching,
    slide_rows,
    status_of,
)


def slide(number: int, **members: object) -> SlideRecord:
    said = {"path": f"/data/slide {number}.svs", "pseudonym": f"slide-{number:08x}"}
    key = f"{number:032x}"
    return SlideRecord.model_validate({"slide_hash": key, **said, **members})


def names(order: SlideOrder, *slides: SlideRecord, **facts: SlideFacts) -> list[str]:
    return [row.name for row in slide_rows(slides, (), (), facts, order)]


def test_numbers_in_names_are_ordered_as_numbers() -> None:
    assert names(SlideOrder(), slide(10), slide(9)) == ["slide 9.svs", "slide 10.svs"]
    assert natural("a2b") < natural("A10") < natural("b")


def test_a_random_order_is_the_same_for_a_seed_and_stays_when_slides_come() -> None:
    slides = [slide(n) for n in range(40)]
    order = SlideOrder(sort="random", seed=3)
    before = names(order, *slides)
    assert before == names(order, *reversed(slides))
    assert before != names(SlideOrder(sort="random", seed=4), *slides)
    assert before != names(SlideOrder(), *slides)
    assert [one for one in names(order, *slides, slide(99)) if "99" not in one] == before


def test_slides_are_ordered_by_time_and_status() -> None:
    first, second = slide(1, added="2026-02-01"), slide(2, added="2026-01-01", is_reviewed=True)
    assert names(SlideOrder(sort="added"), first, second) == ["slide 2.svs", "slide 1.svs"]
    assert names(SlideOrder(sort="status"), second, first) == ["slide 1.svs", "slide 2.svs"]


def test_status_follows_from_labels_runs_and_review() -> None:
    label = parse_label("Tumor")
    assert status_of(slide(1), SlideFacts()) == "unlabelled"
    assert status_of(slide(1), SlideFacts(n_annotations=1)) == "labelled"
    assert status_of(slide(1, labels=[label]), SlideFacts()) == "labelled"
    assert status_of(slide(1), SlideFacts(1, has_runs=True)) == "analysed"
    assert status_of(slide(1, is_reviewed=True), SlideFacts(has_runs=True)) == "reviewed"


def test_slides_of_a_case_stand_together_and_those_of_none_last() -> None:
    case, other = Case(name="B 2"), Case(name="B 10")
    block, second = Block(case_id=case.id, name="I"), Block(case_id=other.id, name="")
    slides = [slide(1), slide(2, block_id=second.id), slide(3, block_id=block.id)]
    rows = slide_rows(slides, [other, case], [block, second], {}, SlideOrder())
    assert [(row.group, row.name) for row in rows] == [
        ("B 2 · I", "slide 3.svs"),
        ("B 10", "slide 2.svs"),
        ("No case", "slide 1.svs"),
    ]


def test_a_blinded_list_neither_shows_nor_finds_names() -> None:
    case = Case(name="Smith")
    block = Block(case_id=case.id, name="I")
    known = slide(7, block_id=block.id, patient_id="4711", tags=["rare"], stain="PAS")
    rows = slide_rows([known], [case], [block], {}, SlideOrder(is_blinded=True))
    assert (rows[0].name, rows[0].group) == ("slide-00000007", "")
    for hidden in ("smith", "4711", "slide 7.svs", "rare"):
        assert matching(rows, hidden, is_blinded=True) == []
    assert matching(rows, "pas unlabelled", is_blinded=True) == rows
    seen = slide_rows([known], [case], [block], {}, SlideOrder())
    assert matching(seen, "SMITH rare", is_blinded=False) == seen
    assert matching(seen, "smith other", is_blinded=False) == []


def test_a_slide_is_found_by_name_pseudonym_or_the_start_of_its_hash() -> None:
    key = "abcdef" + "0" * 26
    slides = [slide(1), slide(2), slide(3, path="C:\\data\\Last One.ndpi", slide_hash=key)]
    finder = SlideFinder(slides)
    assert file_name(slides[2]) == "Last One.ndpi"
    for said in ("last one.ndpi", "Last One", "/elsewhere/Last One.ndpi", "slide-00000003", key):
        assert finder.one(said) == slides[2], said
    assert finder.one("abcdef") == slides[2]
    with pytest.raises(InputError, match="no slide"):
        finder.one("abcde")
    with pytest.raises(InputError, match="2 slides"):
        finder.one("000000")

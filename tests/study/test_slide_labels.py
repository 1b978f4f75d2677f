from __future__ import annotations

import pytest

from pathoview.core.errors import UsageError
from pathoview.study.model import SlideLabel, SlideRecord
from pathoview.study.slide_labels import label_text, labelled, parse_label, unlabelled


@pytest.mark.parametrize(
    ("text", "kind", "name", "value", "has_event", "frames"),
    [
        ("Tumor: Positive", "class", "Tumor: Positive", None, None, None),
        ("grade:ISUP=3", "grade", "ISUP", 3, None, None),
        ("number:Ki-67=0.25", "number", "Ki-67", 0.25, None, None),
        ("survival:OS=34.5,event", "survival", "OS", 34.5, True, None),
        ("survival:OS=12,censored", "survival", "OS", 12, False, None),
        ("Mitosis@3-9", "class", "Mitosis", None, None, (3, 9)),
        ("class:grade:x", "class", "grade:x", None, None, None),
    ],
)
def test_a_label_is_read_from_a_line_and_written_as_it_was(
    text: str,
    kind: str,
    name: str,
    value: float | None,
    has_event: bool | None,
    frames: tuple[int, int] | None,
) -> None:
    label = parse_label(text, "Ada", "2026")
    assert (label.label_kind, label.name, label.value) == (kind, name, value)
    assert (label.has_event, label.frames, label.author) == (has_event, frames, "Ada")
    assert label_text(label) == text


def test_one_frame_is_a_range_of_one() -> None:
    assert parse_label("Mitosis@4").frames == (4, 4)


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "grade:ISUP", "grade:=3", "grade:ISUP=high", "grade:ISUP=2.5"),
        *("survival:OS=3", "survival:OS=3,dead", "number:x=1,event", "Tumor@9-3"),
    ],
)
def test_what_is_no_label_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="“"):
        parse_label(text)


def test_a_new_answer_takes_the_place_of_the_old_one_to_the_same_question() -> None:
    record = SlideRecord(slide_hash="0" * 32)
    record = labelled(record, [parse_label("grade:ISUP=3"), parse_label("Tumor")])
    record = labelled(record, [parse_label("grade:ISUP=4"), parse_label("Necrosis")])
    assert [*map(label_text, record.labels)] == ["Tumor", "grade:ISUP=4", "Necrosis"]
    record = labelled(record, [parse_label("Tumor@0-3")])
    assert len(record.labels) == 4, "a label of some frames is another question"
    record = unlabelled(record, SlideLabel(label_kind="grade", name="ISUP"))
    assert [*map(label_text, record.labels)] == ["Tumor", "Necrosis", "Tumor@0-3"]

"""What labels of whole slides teach: which class each slide is, of whom, and in which order."""

from __future__ import annotations

from collections.abc import Iterable

from pathoview.core.natural import natural
from pathoview.study.model import Block, LabelClass, SlideRecord


def names_of(record: SlideRecord, grade: str = "") -> tuple[tuple[str, ...], bool]:
    """Return what a slide as a whole is said to be, and whether that is disputed.

    Its classes, or with ``grade`` its grades of that name, such as ``ISUP 3``; what is said of
    single frames is not taken.
    """
    found = [
        one
        for one in record.labels
        if one.frames is None
        and (
            one.label_kind == "grade" and one.name == grade if grade else one.label_kind == "class"
        )
    ]
    names = [grade_name(grade, one.value or 0) if grade else one.name for one in found]
    return tuple(dict.fromkeys(names)), any(one.is_disputed for one in found)


def grade_name(grade: str, value: float) -> str:
    """Return what a grade is called as a class."""
    return f"{grade} {value:g}"


def ordered_names(there: Iterable[str], known: Iterable[LabelClass]) -> list[str]:
    """Return names of classes as they are told: what a study calls negative first, then by name.

    Of two, the second is the one looked for.
    """
    negative = not_looked_for(known)
    return sorted(set(there), key=lambda name: (name not in negative, natural(name)))


def not_looked_for(known: Iterable[LabelClass]) -> set[str]:
    """Return the names of the classes that mean what is not looked for."""
    return {one.name for one in known if one.meaning == "negative"}


def patient_of(record: SlideRecord, block: Block | None) -> str:
    """Return what names the patient of a slide: an id, or the case; empty: nobody says.

    ``block``: that of the slide.
    """
    if record.patient_id:
        return f"patient {record.patient_id}"
    return "" if block is None else f"case {block.case_id}"

"""The classes of a new study: those that QuPath begins with."""

from __future__ import annotations

from pathoview.annotations.classes import default_color
from pathoview.study.model import LabelClass, Meaning

_CLASSES: tuple[tuple[str, Meaning], ...] = (
    ("Tumor", "positive"),
    ("Stroma", "positive"),
    ("Immune cells", "positive"),
    ("Necrosis", "positive"),
    ("Other", "negative"),
    ("Region*", "region"),
    ("Ignore*", "ignore"),
)


def default_classes() -> list[LabelClass]:
    """Return the classes of a new study, with the digits 1 to 7 as their keys."""
    return [
        LabelClass(
            number=number,
            name=name,
            color=default_color(name),
            meaning=meaning,
            shortcut=str(number),
        )
        for number, (name, meaning) in enumerate(_CLASSES, 1)
    ]

"""Labels of whole slides, as they are written and read: ``Tumor``, ``grade:ISUP=3@0-9``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.study.model import LABEL_KINDS, SlideLabel, SlideRecord

_EVENT, _CENSORED = "event", "censored"
_FRAMES = re.compile(r"@(\d+)(?:-(\d+))?$")
_KIND = re.compile(rf"^({'|'.join(LABEL_KINDS)}):")


def label_text(label: SlideLabel) -> str:
    """Return a label in a line; `parse_label` reads it."""
    frames = "" if label.frames is None else f"@{label.frames[0]}-{label.frames[1]}"
    if label.label_kind == "class":
        is_plain = not _KIND.match(label.name) and not _FRAMES.search(label.name)
        return f"{'' if is_plain else 'class:'}{label.name}{frames}"
    text = f"{label.label_kind}:{label.name}={label.value or 0:.12g}"
    if label.label_kind == "survival":
        text += f",{_EVENT if label.has_event else _CENSORED}"
    return text + frames


def parse_label(text: str, author: str = "", created: str = "") -> SlideLabel:
    """Return the label that is written in a line; raise `UsageError` when it is none.

    ``Tumor`` is a class, ``grade:ISUP=3`` an ordinal grade, ``number:Ki-67=0.2`` a number,
    ``survival:OS=34.5,event`` (or ``,censored``) a time in months; ``@first-last`` at the end says
    for which frames.
    """
    rest, frames = text.strip(), None
    if found := _FRAMES.search(rest):
        frames = (int(found[1]), int(found[2] or found[1]))
        rest = rest[: found.start()]
    kind = _KIND.match(rest)
    label_kind = kind[1] if kind else "class"
    rest = rest[kind.end() :] if kind else rest
    name, equals, value = rest.rpartition("=") if label_kind != "class" else (rest, "", "")
    members: dict[str, object] = {}
    if label_kind != "class":
        if not equals:
            raise _wrong(text)
        members = _valued(text, label_kind, value)
    if not name.strip() or (frames is not None and frames[0] > frames[1]):
        raise _wrong(text)
    return SlideLabel.model_validate(
        {
            "label_kind": label_kind,
            "name": name.strip(),
            "frames": frames,
            "author": author,
            "created": created,
            **members,
        }
    )


def _valued(text: str, label_kind: str, value: str) -> dict[str, object]:
    number, comma, event = value.partition(",")
    try:
        members: dict[str, object] = {"value": float(number)}
    except ValueError:
        raise _wrong(text) from None
    if label_kind == "survival":
        if event.strip() not in (_EVENT, _CENSORED):
            raise _wrong(text)
        members["has_event"] = event.strip() == _EVENT
    elif comma:
        raise _wrong(text)
    if label_kind == "grade" and (float(number) < 0 or float(number) % 1):
        raise UsageError(
            _("“{text}”: a grade is a whole number from 0.").format(text=text),
            _("Use number: for anything else."),
        )
    return members


def _wrong(text: str) -> UsageError:
    return UsageError(
        _("“{text}” is not a label.").format(text=text),
        _("Write Tumor, grade:ISUP=3, number:Ki-67=0.2 or survival:OS=34.5,event."),
    )


def is_same(one: SlideLabel, other: SlideLabel) -> bool:
    """Whether two labels answer the same question, so that the later takes the other's place."""
    return (one.label_kind, one.name, one.frames) == (other.label_kind, other.name, other.frames)


def labelled(record: SlideRecord, labels: Sequence[SlideLabel]) -> SlideRecord:
    """Return a slide with some more labels; those that answer the same question go."""
    kept = [old for old in record.labels if not any(is_same(old, new) for new in labels)]
    return record.model_copy(update={"labels": (*kept, *labels)})


def unlabelled(record: SlideRecord, label: SlideLabel) -> SlideRecord:
    """Return a slide without a label."""
    kept = tuple(old for old in record.labels if not is_same(old, label))
    return record.model_copy(update={"labels": kept})

"""What is said of a slide in the list, and in which colour."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pathoview.core.translation import _, ngettext
from pathoview.session.slide_desk import SlideRow
from pathoview.session.slide_editing import Match, SlideLabel
from pathoview.ui.icons import Tint
from pathoview.ui.text import count_text

STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "unlabelled": _("new"),
        "labelled": _("labelled"),
        "analysed": _("analysed"),
        "reviewed": _("reviewed"),
    }
)
STATUS_TINTS: Mapping[str, Tint] = MappingProxyType(
    {"unlabelled": "faint", "labelled": "accent", "analysed": "warning", "reviewed": "success"}
)
SORT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "name": _("By name"),
        "added": _("By time added"),
        "status": _("By status"),
        "random": _("At random"),
    }
)
KIND_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "class": _("Class"),
        "grade": _("Grade"),
        "number": _("Number"),
        "survival": _("Survival"),
    }
)


def status_text(row: SlideRow) -> str:
    """Return how far one has come; first of all, whether the slide can be found."""
    return _("not found") if row.facts.is_missing else _(STATUS_WORDS[row.status])


def count_line(row: SlideRow) -> str:
    """Return how many annotations a slide has, in how many classes; empty: none."""
    n, n_classes = row.facts.n_annotations, row.facts.n_classes
    if not n:
        return ""
    if not n_classes:
        return ngettext("{n} annotation", "{n} annotations", n).format(n=count_text(n))
    return ngettext("{n} in {m} class", "{n} in {m} classes", n_classes).format(
        n=count_text(n), m=n_classes
    )


def label_words(label: SlideLabel) -> str:
    """Return what is said of a whole slide."""
    words = label.name
    if label.value is not None:
        words += f" {label.value:g}"
    if label.label_kind == "survival":
        words += _(" months, event") if label.has_event else _(" months, censored")
    if label.frames is not None:
        words += _(" (frames {first}–{last})").format(first=label.frames[0], last=label.frames[1])
    return words + (" ?" if label.is_uncertain else "")


def said_line(row: SlideRow) -> str:
    """Return stain and labels of a slide."""
    record = row.record
    return "  ·  ".join(filter(None, (record.stain, *map(label_words, record.labels))))


def tip(row: SlideRow, *, is_blinded: bool) -> str:
    """Return all that one may know at a glance."""
    record = row.record
    lines = [row.name, status_text(row), count_line(row), said_line(row)]
    if not is_blinded:
        lines += [row.group, ", ".join(record.tags), record.notes]
        lines += [_("Patient {id}").format(id=record.patient_id)] if record.patient_id else []
    return "\n".join(line for line in lines if line)


def change_words(match: Match) -> list[str]:
    """Return what a slide is said to be that it was not before."""
    before, after = match.before, match.after
    words = {
        "stain": _("stain {value}"),
        "patient_id": _("patient {value}"),
        "site_id": _("site {value}"),
        "notes": _("notes {value}"),
    }
    lines = [
        text.format(value=getattr(after, name))
        for name, text in words.items()
        if getattr(after, name) != getattr(before, name)
    ]
    if after.block_id != before.block_id:
        lines.insert(0, " · ".join(filter(None, match.place)))
    lines += [tag for tag in after.tags if tag not in before.tags]
    lines += [label_words(one) for one in after.labels if one not in before.labels]
    if after.is_reviewed != before.is_reviewed:
        lines.append(_("reviewed") if after.is_reviewed else _("not reviewed"))
    return lines + [
        f"{key} = {value}"
        for key, value in after.metadata.items()
        if before.metadata.get(key) != value
    ]

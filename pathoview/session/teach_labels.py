"""What a method would learn from: what is used, what is not and why, and what would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathoview.annotations.feature import Feature
from pathoview.core.translation import _, ngettext
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.meanings import LABELS, LabelUse
from pathoview.methods.spec import TARGETS, Kind, LearnsFrom
from pathoview.study.model import LabelClass
from pathoview.study.study_file import StudyFile

ENOUGH: Mapping[LearnsFrom, int] = {"instances": 20, "points": 40, "scribbles": 5, "objects": 15}
"""Labels (of each class, where classes are told apart) from which on more help less."""
_TELLS_CLASSES = ("scribbles", "objects")


@dataclass(frozen=True, slots=True)
class SlideLabels:
    """The labels of one slide, as they are now."""

    features: tuple[Feature, ...]
    mpp: float
    """µm per level-0 px."""
    size_l0: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """What there is to learn from."""

    uses: tuple[LabelUse, ...]
    counts: Mapping[str, int]
    """Labels that are used, by class; those of no class under an empty name."""
    n_slides: int
    """That have labels which are used."""
    problem: str
    """Why training cannot start, as a sentence; empty: it can."""
    advice: tuple[str, ...]
    """What would help most, one sentence each."""


def read_labels(
    study: Path, slide_hashes: Mapping[str, tuple[float, tuple[int, int]]]
) -> list[SlideLabels]:
    """Return labels of slides, given by hash with µm per px and size; raise `StorageError`."""
    with StudyFile.open(study) as file:
        return [
            SlideLabels(tuple(file.features(slide_hash)), *said)
            for slide_hash, said in slide_hashes.items()
        ]


def summary(
    learns_from: LearnsFrom,
    kind: Kind,
    slides: Sequence[SlideLabels],
    classes: Sequence[LabelClass],
) -> LabelSummary:
    """Return what a method of a kind that learns from such labels would take of some slides."""
    is_synthesis = kind is Kind.SYNTHESIS
    none = {one.name for one in classes if one.meaning == "negative"}
    learned = [one for one in taught(classes) if not (is_synthesis and one.name in none)]
    values = {one.name: place for place, one in enumerate(learned, 1)}
    tally: Counter[tuple[str, str, str, bool]] = Counter()
    n_slides = 0
    for slide in slides:
        labels = FeatureLabels(
            slide.features, classes, values, mpp=slide.mpp, size_l0=slide.size_l0
        )
        uses = labels.uses(TARGETS[learns_from])
        n_slides += any(one.n_used for one in uses if one.kind in LABELS)
        for one in uses:
            tally[one.class_name, one.kind, one.reason, bool(one.n_used)] += (
                one.n_used or one.n_left_out
            )
    found = tuple(
        LabelUse(name, kind, n if is_used else 0, 0 if is_used else n, reason)  # type: ignore[arg-type]
        for (name, kind, reason, is_used), n in sorted(tally.items())
    )
    counts: Counter[str] = Counter()
    for one in found:
        if one.kind in LABELS and one.n_used:
            counts[one.class_name] += one.n_used
    has_full = any(one.kind == "full" for one in found)
    names = [] if is_synthesis else [one.name for one in learned if one.is_listed]
    telling = counts if learns_from in _TELLS_CLASSES else _without(counts, none)
    if is_synthesis:
        problem = _healthy_problem(set(counts) - none, set(counts) & none, has_full)
    else:
        problem = _problem(learns_from, telling, has_full)
    return LabelSummary(found, counts, n_slides, problem, _advice(learns_from, telling, names))


def taught(classes: Sequence[LabelClass]) -> list[LabelClass]:
    """Return the classes that are learned: those that mean something that is looked for, or not."""
    return [one for one in classes if one.meaning in ("positive", "negative")]


def _without(counts: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    return {name: n for name, n in counts.items() if name not in names}


def _problem(learns_from: LearnsFrom, counts: Mapping[str, int], has_full: bool) -> str:
    n = sum(counts.values())
    if learns_from == "points" and not n:
        return _("Click a few nuclei with the points tool first.")
    if learns_from == "instances" and not n:
        return _("Outline a few nuclei first.")
    if learns_from == "scribbles" and not n:
        return _("Paint a stroke in each of two classes first.")
    if learns_from == "objects" and not n:
        return _("Click a few nuclei of each class first.")
    if learns_from in _TELLS_CLASSES and len(counts) < 2 and not has_full:
        name = next(iter(counts))
        return _("There is only “{name}”: label some of a second class.").format(name=name)
    return ""


def _healthy_problem(sick: Collection[str], healthy: Collection[str], has_full: bool) -> str:
    """Return what is missing of what has pathology in some classes, and none in others."""
    if not sick:
        return _("Outline some pathology first, in a class that means + in the list of classes.")
    if not healthy and not has_full:
        return _(
            "Outline healthy tissue, too, in a class that means − in the list of classes; or mark "
            "a region as fully labelled."
        )
    return ""


def _advice(
    learns_from: LearnsFrom, counts: Mapping[str, int], names: Sequence[str]
) -> tuple[str, ...]:
    enough = ENOUGH[learns_from]
    n = sum(counts.values())
    if learns_from not in _TELLS_CLASSES:
        if not n or n >= enough:
            return ()
        more = ngettext("{n} more nucleus would help.", "{n} more nuclei would help.", enough - n)
        return (more.format(n=enough - n),)
    said = []
    for name, have in sorted(counts.items(), key=lambda item: item[1]):
        if have < enough:
            text = ngettext(
                "{n} more of {name} would help.", "{n} more of {name} would help.", have
            )
            said.append(text.format(n=enough - have, name=name))
    unused = [name for name in names if name not in counts]
    if n and unused:
        said.append(_("None yet of: {names}.").format(names=", ".join(unused)))
    return tuple(said)


def kind_words(use: LabelUse) -> str:
    """Return what an annotation of a kind is called where uses are listed."""
    words = {
        "point": _("points"),
        "line": _("lines"),
        "stroke": _("strokes"),
        "nucleus": _("outlined nuclei"),
        "area": _("areas"),
        "full": _("fully labelled regions"),
        "region": _("regions of interest"),
        "ignore": _("left out"),
        "measurement": _("rulers and arrows"),
    }
    return words[use.kind]

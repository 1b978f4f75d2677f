"""What a method would learn from labels of whole slides: how many there are, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pathoview.core.translation import _, ngettext
from pathoview.study.labelled_slides import names_of, ordered_names
from pathoview.study.model import LabelClass, SlideRecord

MOST_FOLDS = 10
WANTED_FOLDS = 5
_LEAST_PATIENTS = 2
"""Of a class: one to learn from, and one to measure on."""


@dataclass(frozen=True, slots=True)
class KnownSlide:
    """A slide of the study."""

    record: SlideRecord
    patient: str = ""
    """See `study.labelled_slides.patient_of`; empty: nobody says."""
    is_missing: bool = False
    """There is no file where it lay last."""

    @property
    def group(self) -> str:
        """What must not be in two folds: its patient, else the slide alone."""
        return self.patient or f"slide {self.record.slide_hash}"


@dataclass(frozen=True, slots=True)
class SlideLabelSummary:
    """What there is to learn from."""

    slides: Mapping[str, Sequence[KnownSlide]]
    """Those that are used of each class, in the order in which classes are told."""
    n_unlabelled: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Slides with a label that are not used, by reason."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many slides of each class are used."""
        return {name: len(every) for name, every in self.slides.items()}

    @property
    def patients(self) -> Mapping[str, int]:
        """How many patients there are of each class."""
        return {name: len({one.group for one in every}) for name, every in self.slides.items()}

    @property
    def all_slides(self) -> Sequence[KnownSlide]:
        return [one for every in self.slides.values() for one in every]

    @property
    def n_patients(self) -> int:
        return len({one.group for one in self.all_slides})

    @property
    def n_without_patient(self) -> int:
        """Slides that are used, and of which nobody says the patient."""
        return sum(not one.patient for one in self.all_slides)

    @property
    def sites(self) -> Mapping[str, int]:
        """How many of the slides are of each site; an empty name: nobody says."""
        return Counter(one.record.site_id for one in self.all_slides)

    @property
    def most_folds(self) -> int:
        """How many folds there can be at most."""
        return max(2, min(MOST_FOLDS, self.n_patients))

    @property
    def good_folds(self) -> int:
        """Into how many folds each class can be shared out so that all have some of it."""
        fewest = min(self.patients.values(), default=0)
        return max(2, min(WANTED_FOLDS, fewest, self.most_folds))

    @property
    def problem(self) -> str:
        """Why nothing can be learned, as a sentence; empty: it can."""
        if not self.counts:
            return _("No slide has a label. Choose slides in the list, and label them.")
        if len(self.counts) < 2:
            name = next(iter(self.counts))
            return _("There is only “{name}”: label slides that are something else.").format(
                name=name
            )
        few = [name for name, n in self.patients.items() if n < _LEAST_PATIENTS]
        if few:
            return _("“{name}” is known of one patient only; two are needed.").format(name=few[0])
        return ""

    @property
    def advice(self) -> tuple[str, ...]:
        """What would help most, one sentence each."""
        said = []
        for name, n in sorted(self.patients.items(), key=lambda item: item[1]):
            more = WANTED_FOLDS - n
            if more > 0:
                text = ngettext(
                    "{n} more patient with {name} would allow {folds} folds.",
                    "{n} more patients with {name} would allow {folds} folds.",
                    more,
                )
                said.append(text.format(n=more, name=name, folds=WANTED_FOLDS))
        if self.n_without_patient:
            text = ngettext(
                "Of {n} slide nobody says the patient: it is taken as one of its own.",
                "Of {n} slides nobody says the patient: each is taken as one of its own.",
                self.n_without_patient,
            )
            said.append(text.format(n=self.n_without_patient))
        return tuple(said)

    @property
    def words(self) -> str:
        """What is there in a line: ``12 Tumor, 9 Benign, from 14 patients``."""
        found = ", ".join(f"{n:,} {name}" for name, n in self.counts.items())
        text = ngettext(
            "{found}, from {n:,} patient", "{found}, from {n:,} patients", self.n_patients
        )
        return text.format(found=found, n=self.n_patients) if found else ""

    @property
    def rest(self) -> tuple[str, ...]:
        """What is not learned from, and why, one sentence each."""
        said = [
            ngettext(
                "{n:,} slide is left out: {reason}", "{n:,} slides are left out: {reason}", n
            ).format(n=n, reason=reason)
            for reason, n in self.left_out.items()
        ]
        if self.n_unlabelled:
            text = ngettext(
                "{n:,} slide has no label.", "{n:,} slides have no label.", self.n_unlabelled
            )
            said.append(text.format(n=self.n_unlabelled))
        return tuple(said)


def grades_of(slides: Sequence[KnownSlide]) -> list[str]:
    """Return what is graded in some slide, by name."""
    return sorted(
        {
            one.name
            for slide in slides
            for one in slide.record.labels
            if one.label_kind == "grade" and one.frames is None
        }
    )


def classes_of(
    slides: Sequence[KnownSlide], known: Sequence[LabelClass], grade: str = ""
) -> list[str]:
    """Return the classes, or grades, that some slide has, as they are told: negative ones first."""
    there = {name for slide in slides for name in names_of(slide.record, grade)[0]}
    return ordered_names(there, () if grade else known)


def count_labels(
    slides: Sequence[KnownSlide], classes: Sequence[str], grade: str = ""
) -> SlideLabelSummary:
    """Return what a training would take of the slides, told apart into ``classes``."""
    used: dict[str, list[KnownSlide]] = {name: [] for name in classes}
    left_out: Counter[str] = Counter()
    n_unlabelled = 0
    for slide in slides:
        names, is_disputed = names_of(slide.record, grade)
        own = [name for name in names if name in used]
        if not own:
            n_unlabelled += not names
            continue
        reason = _reason(slide, own, is_disputed=is_disputed)
        if reason:
            left_out[reason] += 1
        else:
            used[own[0]].append(slide)
    used = {name: found for name, found in used.items() if found}
    return SlideLabelSummary(used, n_unlabelled, dict(left_out))


def _reason(slide: KnownSlide, names: Collection[str], *, is_disputed: bool) -> str:
    """Return why a slide with labels is left out; empty: it is not."""
    if is_disputed:
        return _("the label is disputed.")
    if len(names) > 1:
        return _("several of the classes are said of it.")
    if slide.is_missing:
        return _("the file is not where it lay.")
    if slide.record.mpp is None:
        return _("nobody has said the scale.")
    return ""

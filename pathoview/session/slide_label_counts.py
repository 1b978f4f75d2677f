"""What a method would learn from labels of whole slides: how many there are, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pathoview.core.translation import _, ngettext
from pathoview.slides.finding import SUFFIXES, is_video
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
    is_clip: bool = False
    """A video, or a folder of frames: it has no scale, and no tissue."""

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
    has_several: bool = False
    """A slide may have several of the classes, and is among those of each."""
    without: Sequence[KnownSlide] = ()
    """Where it may: those that have other labels, and so none of the classes."""
    is_of_whole: bool = False
    """Each slide is looked at as a whole picture, whatever its scale."""

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
        """All that are used, each once."""
        return [one for one, _names in self.labelled]

    @property
    def labelled(self) -> Sequence[tuple[KnownSlide, tuple[str, ...]]]:
        """All that are used, with the classes that each has."""
        names: dict[str, list[str]] = {}
        found = {}
        for name, every in (*self.slides.items(), ("", self.without)):
            for one in every:
                key = one.record.slide_hash
                found[key] = one
                names.setdefault(key, []).extend([name] if name else [])
        return [(one, tuple(names[key])) for key, one in found.items()]

    @property
    def is_of_clips(self) -> bool:
        """Whether it is clips that are learned from."""
        return any(one.is_clip for one in self.all_slides)

    @property
    def has_scale(self) -> bool:
        """Whether tiles have a scale that is to be said: frames and whole pictures have none."""
        return not (self.is_of_clips or self.is_of_whole)

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
        if len({one.is_clip for one in self.all_slides}) > 1:
            return _(
                "Clips and slides cannot be learned from together: leave the labels of one out."
            )
        if self.is_of_whole and self.is_of_clips:
            return _("This method looks at pictures, not at clips: choose another one.")
        if self.has_several:
            return self._problem_of_several
        if len(self.counts) < 2:
            name = next(iter(self.counts))
            return _("There is only “{name}”: label slides that are something else.").format(
                name=name
            )
        return self._problem_of_few

    @property
    def _problem_of_few(self) -> str:
        few = [name for name, n in self.patients.items() if n < _LEAST_PATIENTS]
        if few:
            return _("“{name}” is known of one patient only; two are needed.").format(name=few[0])
        return ""

    @property
    def _problem_of_several(self) -> str:
        n = len(self.all_slides)
        for name, n_with in self.counts.items():
            if n_with == n:
                return _(
                    "All have the label “{name}”: there is nothing to tell apart. Give those "
                    "without it another label, such as “Normal”, and leave that one out here."
                ).format(name=name)
        return self._problem_of_few

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


def is_clip(record: SlideRecord) -> bool:
    """Whether what a study knows is a clip, by its name alone: a folder of frames has no ending."""
    name = record.path.lower()
    return is_video(name) or (record.mpp is None and not name.endswith(SUFFIXES))


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
    slides: Sequence[KnownSlide],
    classes: Sequence[str],
    grade: str = "",
    *,
    has_several: bool = False,
    is_of_whole: bool = False,
) -> SlideLabelSummary:
    """Return what a training would take of the slides, told apart into ``classes``.

    ``has_several``: each slide may have several of them. ``is_of_whole``: slides are looked at as
    whole pictures, whatever their scale.
    """
    used: dict[str, list[KnownSlide]] = {name: [] for name in classes}
    left_out: Counter[str] = Counter()
    n_unlabelled = 0
    without = []
    for slide in slides:
        names, is_disputed = names_of(slide.record, grade)
        own = [name for name in names if name in used]
        if not names or not (own or has_several):
            n_unlabelled += not names
            continue
        is_doubled = len(own) > 1 and not has_several
        reason = _reason(slide, is_disputed=is_disputed, is_doubled=is_doubled)
        if not reason and slide.record.mpp is None and not (slide.is_clip or is_of_whole):
            reason = _("nobody has said the scale.")
        if reason:
            left_out[reason] += 1
            continue
        for name in own:
            used[name].append(slide)
        if not own:
            without.append(slide)
    used = {name: found for name, found in used.items() if found}
    return SlideLabelSummary(
        used, n_unlabelled, dict(left_out), has_several, tuple(without), is_of_whole
    )


def _reason(slide: KnownSlide, *, is_disputed: bool, is_doubled: bool) -> str:
    """Return why a slide with labels is left out; empty: it is not."""
    if is_disputed:
        return _("the label is disputed.")
    if is_doubled:
        return _("several of the classes are said of it.")
    return _("the file is not where it lay.") if slide.is_missing else ""

"""What a run of a method for whole slides says of its slide, read from the run's record alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pathoview.annotations.detections import DetectionClass
from pathoview.core.translation import _
from pathoview.study.records import RunRecord


@dataclass(frozen=True, slots=True)
class SlidePrediction:
    """Probabilities of a whole slide, and what is made of them."""

    classes: tuple[DetectionClass, ...]
    probabilities: tuple[float, ...]
    """In the order of the classes; empty: there was nothing to predict from, or not yet."""
    threshold: float | None = None
    """Probability of the second of two classes from which on it is the one; None: the likeliest."""
    thresholds: tuple[float, ...] = ()
    """Of each class, where a slide may have several; empty: it has one."""
    auroc: float | None = None
    """Of the model in cross-validation, 0–1; None: not measured."""
    auroc_interval: tuple[float, float] | None = None
    """Where it lies with 95 % confidence."""

    @classmethod
    def of(cls, record: RunRecord) -> Self:
        """Return what the record of a run tells."""
        said = record.context
        interval = said.get("auroc_interval")
        return cls(
            record.classes,
            record.probabilities,
            said.get("threshold"),
            tuple(said.get("thresholds") or ()),
            said.get("auroc"),
            None if interval is None else (float(interval[0]), float(interval[1])),
        )

    @property
    def place(self) -> int | None:
        """Which of the classes is predicted, of several the likeliest; None: there is no tissue."""
        if not self.probabilities:
            return None
        if self.threshold is not None and len(self.probabilities) == 2:
            return int(self.probabilities[1] >= self.threshold)
        return max(range(len(self.probabilities)), key=self.probabilities.__getitem__)

    @property
    def said(self) -> tuple[DetectionClass, ...]:
        """The class that is predicted, or all that are; none also for want of tissue."""
        if self.thresholds:
            each = zip(self.classes, self.probabilities, self.thresholds, strict=False)
            return tuple(one for one, share, least in each if share >= least)
        return () if self.place is None else (self.classes[self.place],)

    @property
    def answer(self) -> str:
        """What is predicted, in words; empty: there was nothing to predict from."""
        if not self.probabilities:
            return ""
        return ", ".join(one.name for one in self.said) or _("none of the labels")

    def by_name(self) -> dict[str, float]:
        """Return the probability of each class by its name."""
        names = (one.name for one in self.classes)
        return dict(zip(names, self.probabilities, strict=False))


def no_tissue_text() -> str:
    """Return why a slide has no prediction: a score that nothing was measured for is none."""
    return _("No tissue was found: there is nothing to predict from, so there is no score.")

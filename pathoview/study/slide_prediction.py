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
            said.get("auroc"),
            None if interval is None else (float(interval[0]), float(interval[1])),
        )

    @property
    def place(self) -> int | None:
        """Which of the classes is predicted; None: none, for want of tissue."""
        if not self.probabilities:
            return None
        if self.threshold is not None and len(self.probabilities) == 2:
            return int(self.probabilities[1] >= self.threshold)
        return max(range(len(self.probabilities)), key=self.probabilities.__getitem__)

    @property
    def predicted(self) -> DetectionClass | None:
        place = self.place
        return None if place is None else self.classes[place]

    def by_name(self) -> dict[str, float]:
        """Return the probability of each class by its name."""
        names = (one.name for one in self.classes)
        return dict(zip(names, self.probabilities, strict=False))


def no_tissue_text() -> str:
    """Return why a slide has no prediction: a score that nothing was measured for is none."""
    return _("No tissue was found: there is nothing to predict from, so there is no score.")

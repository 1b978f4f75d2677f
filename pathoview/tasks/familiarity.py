"""Whether a slide looks like what a model was trained on, and if not, what is different.

A Mahalanobis distance of a few numbers of colour and detail (`slides.stain_statistics`). It warns,
and never refuses: a model may well do its work on what it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import SlideError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.labels import LabelledImage
from pathoview.methods.model import Familiarity, ModelCard
from pathoview.slides.finding import SUFFIXES
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.slides.stain_statistics import STATISTICS, picture_statistics, tissue_statistics
from pathoview.study.records import RunRecord

Floats = npt.NDArray[np.float64]

CONTEXT_KEY = "familiarity"
"""Under which a run's record tells what was found."""

_USUAL = np.array([0.08, 0.12, 0.08, 0.06, 0.08, 0.05, 0.15, 0.12, 0.06, 0.6])
"""By how much the statistics differ between slides that a person would call alike."""
_N_SQUARES = 30
"""Of a slide."""
_FEWEST_SQUARES, _MOST_SQUARES = 4, 600
"""Of an image that is learned from; of all of them together."""
_MOST_FOLDS = 20
_FEWEST_TO_HOLD_BACK = 3
_HELD_BACK_QUANTILE = 0.95
_WORDS: dict[str, tuple[str, str]] = {
    "red density": (_("it is less blue"), _("it is bluer")),
    "green density": (_("it is less pink"), _("it is pinker")),
    "blue density": (_("it is less yellow or brown"), _("it is more yellow or brown")),
    "red contrast": (_("its blue varies less"), _("its blue varies more")),
    "green contrast": (_("its pink varies less"), _("its pink varies more")),
    "blue contrast": (_("its brown varies less"), _("its brown varies more")),
    "hematoxylin": (_("its hematoxylin is paler"), _("its hematoxylin is stronger")),
    "eosin": (_("its eosin is paler"), _("its eosin is stronger")),
    "saturation": (_("its colours are paler"), _("its colours are more vivid")),
    "detail": (_("it shows less fine detail"), _("it shows more fine detail")),
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far a slide is from what a model was trained on."""

    distance: float
    """Median Mahalanobis distance of its squares of tissue."""
    threshold: float
    feature: str
    """Of `STATISTICS`: the one that differs most."""
    deviation: float
    """By how much, in standard deviations of the training data."""

    @property
    def is_unlike(self) -> bool:
        return self.distance > self.threshold

    @property
    def sentence(self) -> str:
        """Say what is unlike the training data; empty: nothing is."""
        if not self.is_unlike:
            return ""
        return _("This slide does not look like what the model was trained on: {what}.").format(
            what=_(_WORDS[self.feature][self.deviation > 0])
        )

    @property
    def details(self) -> str:
        """Say how it was found, with numbers."""
        return _(
            "Distance from the training data: {distance:.1f}; up to {threshold:.1f} is familiar. "
            "Most different: {feature}, by {deviation:+.1f} standard deviations."
        ).format(
            distance=self.distance,
            threshold=self.threshold,
            feature=self.feature,
            deviation=self.deviation,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "distance": round(self.distance, 3),
            "threshold": round(self.threshold, 3),
            "is_unlike": self.is_unlike,
            "feature": self.feature,
            "deviation": round(self.deviation, 2),
            "sentence": self.sentence,
        }


def familiarity_of_images(
    images: Sequence[LabelledImage], check: Callable[[], None] = lambda: None
) -> Familiarity | None:
    """Return what images look like that are learned from; None: too little tissue to say.

    Images that cannot be read are left out.
    """
    taught = [image for image in images if image.split == "train"]
    n_each = max(_FEWEST_SQUARES, min(_N_SQUARES, _MOST_SQUARES // max(1, len(taught))))
    found = []
    for image in taught:
        try:
            found.append(tissue_statistics(image.slide, n_each, check))
        except SlideError:
            continue
    return familiarity_of(found)


def familiarity_of_pictures(
    pictures: Iterable[tuple[npt.NDArray[np.uint8], float]],
) -> Familiarity | None:
    """Return what pictures look like: RGB, (height, width, 3), each with its µm per px."""
    return familiarity_of([picture_statistics(rgb, mpp) for rgb, mpp in pictures])


def familiarity_of_folder(folder: Path, mpp: float) -> Familiarity | None:
    """Return what the pictures of a folder look like, all at the same µm per px.

    Raises `SlideError` when one cannot be read.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            with with_scale(open_slide(path), (mpp, mpp)) as slide:
                found.append(tissue_statistics(slide, _FEWEST_SQUARES))
    return familiarity_of(found)


def familiarity_of(images: Sequence[Floats]) -> Familiarity | None:
    """Return what is familiar after images, each the (n, statistic) of its squares.

    The threshold is the distance that few squares exceed of images that were held back (of squares,
    where there are too few images); it is never below what chance alone makes.
    """
    from scipy.stats import chi2

    seen = [image for image in images if len(image)]
    if sum(map(len, seen)) < 2:
        return None
    mean, inverse = _fitted(seen)
    held_back = np.quantile(_held_back(seen), _HELD_BACK_QUANTILE)
    by_chance = np.sqrt(chi2.ppf(_HELD_BACK_QUANTILE, len(STATISTICS)))
    return Familiarity(
        names=STATISTICS,
        mean=tuple(mean.tolist()),
        inverse_covariance=tuple(tuple(row) for row in inverse.tolist()),
        threshold=float(max(held_back, by_chance)),
    )


def likeness_of(
    slide: Slide, card: ModelCard | None, check: Callable[[], None] = lambda: None
) -> Likeness | None:
    """Return how like the training data of a model a slide is.

    None: the model does not say what it was trained on, or there is no tissue. Raises `SlideError`.
    """
    known = card.familiarity if card else None
    if known is None or known.names != STATISTICS:
        return None
    statistics = tissue_statistics(slide, _N_SQUARES, check)
    return likeness(statistics, known) if len(statistics) else None


def noted(record: RunRecord, slide: Slide, card: ModelCard | None, progress: Progress) -> RunRecord:
    """Return the record of a run with how familiar its slide is, and warn where it is not."""
    found = likeness_of(slide, card, progress.check)
    if found is None:
        return record
    if found.is_unlike:
        progress.event("unlike", {"text": found.sentence, "details": found.details})
    context = {**record.context, CONTEXT_KEY: found.to_json()}
    return record.model_copy(update={"context": context})


def likeness(statistics: Floats, known: Familiarity) -> Likeness:
    """Return how familiar squares of tissue are, (n, statistic)."""
    mean, inverse = np.array(known.mean), np.array(known.inverse_covariance)
    spread = np.sqrt(np.diag(np.linalg.inv(inverse)))
    deviations = (np.median(statistics, axis=0) - mean) / spread
    most = int(np.argmax(np.abs(deviations)))
    distance = float(np.median(_distances(statistics, mean, inverse)))
    return Likeness(distance, known.threshold, known.names[most], float(deviations[most]))


def _fitted(images: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return the mean and the inverse covariance of squares, of new images as of these.

    The covariance is shrunk (Ledoit and Wolf 2004), in units of what is usual. The fewer images
    there are, the less they tell of how images differ, and the more is added for that.
    """
    from sklearn.covariance import ledoit_wolf

    scaled = np.concatenate(images) / _USUAL
    covariance = ledoit_wolf(scaled)[0] + np.eye(len(_USUAL)) / len(images)
    inverse = np.linalg.inv(covariance) / np.outer(_USUAL, _USUAL)
    return scaled.mean(axis=0) * _USUAL, inverse


def _held_back(images: Sequence[Floats]) -> Floats:
    """Return the distances of all squares from what is familiar without them."""
    parts = list(images)
    if len(parts) < _FEWEST_TO_HOLD_BACK:
        parts = [square[None] for image in images for square in image]
    folds = np.arange(len(parts)) % min(_MOST_FOLDS, len(parts))
    found = []
    for fold in np.unique(folds):
        others = [part for part, place in zip(parts, folds, strict=True) if place != fold]
        left = np.concatenate([p for p, place in zip(parts, folds, strict=True) if place == fold])
        found.append(_distances(left, *_fitted(others)))
    return np.concatenate(found)


def _distances(statistics: Floats, mean: Floats, inverse: Floats) -> Floats:
    away = statistics - mean
    return np.asarray(np.sqrt(np.einsum("ni,ij,nj->n", away, inverse, away)))

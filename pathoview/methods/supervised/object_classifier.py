"""Detected nuclei → classes, from clicked examples: tumour, immune, stroma in a minute.

What an object looks like is computed by `methods.object_features`; how classes are learned from it,
by `object_classifier_learning`. An example is the object under it, where objects were detected, and
else the place alone: its picture tells, its measurements are unknown.

References: Sirinukunwattana et al. 2016 (classes of nuclei by their picture), Friedman 2001
(gradient boosting), Guo et al. 2017 (calibration).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from pathoview.annotations.detections import Detections
from pathoview.core.errors import UsageError
from pathoview.core.translation import _, ngettext
from pathoview.datasets.labels import LabelledImage, TargetClass, TrainingData
from pathoview.datasets.patches import inside
from pathoview.evaluation.confusion import accuracy, confusion_matrix, macro_f1
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.object_features import (
    MPP,
    PICTURE_PX,
    PICTURE_UM,
    Floats,
    Pictures,
    measurement_rows,
    picture_rows,
    pictures,
    surroundings,
)
from pathoview.methods.pixel_samples import balanced
from pathoview.methods.spec import Compute, ObjectBatch
from pathoview.methods.supervised.object_classifier_embedding import Embedding
from pathoview.methods.supervised.object_classifier_learning import (
    Classifier,
    Examples,
    Values,
    calibrated,
    cross_validated,
    learned,
)
from pathoview.methods.supervised.object_classifier_params import (
    ObjectClassifierFitParams,
    ObjectClassifierParams,
)
from pathoview.slides.reading import analysis_grid

LEAST_EXAMPLES = 3
"""Of each class: with fewer, nothing can be measured on what was not seen."""
ADVISED_EXAMPLES = 20
_MATCH_UM = 3.0
"""A click no further from the middle of an object than this means it."""
_GATHERED = 0.5
"""How much of a training is done when examples are described."""


class ObjectClassifier:
    """See the module; the parameters say the rest."""

    def __init__(
        self,
        params: ObjectClassifierParams,
        fitted: Fitted | None = None,
        compute: Compute = Compute(),  # noqa: B008 (frozen)
    ) -> None:
        del params
        self._fitted = fitted
        self._said = ObjectClassifierFitParams()
        self._embedding = Embedding(compute)
        if fitted is not None:
            self._said = ObjectClassifierFitParams(features=fitted.settings["features"])
            self._classifier = Classifier.from_tensors(fitted.tensors)

    @property
    def sees_pictures(self) -> bool:
        """Whether it looks at more than measurements."""
        return self._said.uses_picture

    def predict(self, objects: ObjectBatch) -> Floats:
        """Return the probabilities of ``settings["values"]``, (n, class), in this order."""
        if self._fitted is None:
            raise UsageError(
                _("Nothing was learned yet."), _("Train it on examples, or open its model.")
            )
        if self._said.uses_network:
            self._embedding.check(str(self._fitted.settings["encoder"]))
        measured = measurement_rows(objects.measurements, len(objects.patches))
        return self._classifier.predict(
            described(measured, objects.patches, self._said, self._embedding)
        )

    def fit(
        self, data: TrainingData, params: ObjectClassifierFitParams, context: FitContext
    ) -> Fitted:
        """Learn from examples of at least two classes; ``context.start`` changes nothing.

        It is measured on images and blocks that are held back, else by cross-validation, in which
        patients stay together where there are enough of them.

        Raises `UsageError` when there are too few examples, and `Cancelled`.
        """
        embedding = Embedding(Compute(context.device))
        known, held_back = _known_and_held_back(data, params, embedding, context)
        check_examples(known.values, data.classes)
        known = known.of(balanced(known.values, params.examples_per_class, context.seed))
        context.progress.report(_GATHERED, _("Training"))
        is_boosted = params.classifier == "gradient boosting"
        unseen = cross_validated(known, is_boosted, context)
        context.progress.check()
        classifier = calibrated(learned(known, is_boosted, context), unseen, known.values)
        is_reached = np.isfinite(unseen[:, 0])
        metrics = _metrics(unseen[is_reached], known.values[is_reached])
        measured_on = "cross-validation"
        if len(held_back.values):
            metrics = _metrics(classifier.predict(held_back.rows), held_back.values)
            measured_on = "held back"
        settings = {
            "features": params.features,
            "values": list(range(1, len(data.classes) + 1)),
            "measured_on": measured_on,
            "encoder": embedding.parent.id if params.uses_network else "",
        }
        context.progress.report(1.0, _("Training"), **metrics)
        parents = (embedding.parent,) if params.uses_network else ()
        return Fitted(classifier.to_tensors(), settings, metrics, parents=parents)


def described(
    measured: Floats, shown: Pictures, said: ObjectClassifierFitParams, embedding: Embedding
) -> Floats:
    """Return all numbers of objects, (n, k); ``measured`` as `measurement_rows` gives them."""
    parts = [measured]
    if said.uses_picture:
        parts.append(picture_rows(shown))
    if said.uses_network:
        parts.append(embedding.rows(shown))
    return np.concatenate(parts, axis=1)


def check_examples(values: Values, classes: Sequence[TargetClass]) -> None:
    """Raise `UsageError` unless there are enough examples of at least two classes."""
    counts = np.bincount(values, minlength=len(classes))
    there = [one.name for one, n in zip(classes, counts, strict=True) if n]
    if not there:
        raise UsageError(
            _("There are no examples to learn from."),
            _("Click about {n} nuclei of each class.").format(n=ADVISED_EXAMPLES),
        )
    if len(there) < 2:
        raise UsageError(
            _("There are only examples of “{name}”.").format(name=there[0]),
            _("Click about {n} nuclei of a second class.").format(n=ADVISED_EXAMPLES),
        )
    least = int(counts.argmin())
    n = int(counts[least])
    if n < LEAST_EXAMPLES:
        sentence = ngettext(
            "There is {n} example of “{name}”: too few.",
            "There are {n} examples of “{name}”: too few.",
            n,
        )
        hint = _("Click at least {least} nuclei of each class; about {advised} do well.")
        raise UsageError(
            sentence.format(n=n, name=classes[least].name),
            hint.format(least=LEAST_EXAMPLES, advised=ADVISED_EXAMPLES),
        )


def _known_and_held_back(
    data: TrainingData,
    params: ObjectClassifierFitParams,
    embedding: Embedding,
    context: FitContext,
) -> tuple[Examples, Examples]:
    images = [*data.of("train"), *data.of("val")]
    known, held_back = [], []
    for number, image in enumerate(images):
        context.progress.check()
        context.progress.report(_GATHERED * number / len(images), _("Reading examples"))
        examples, centers_l0 = _examples(image, params, embedding)
        is_kept = np.full(len(examples.values), image.split == "val")
        is_seen = is_kept.copy()
        for rect in data.held_back_l0.get(image.name, ()):
            is_kept |= inside(rect, centers_l0)
            # Pictures of objects beside it would show the same pixels.
            is_seen |= inside(rect.expanded(PICTURE_UM / image.slide.mpp), centers_l0)
        known.append(examples.of(~is_seen))
        held_back.append(examples.of(is_kept))
    return _joined(known), _joined(held_back)


def _examples(
    image: LabelledImage, params: ObjectClassifierFitParams, embedding: Embedding
) -> tuple[Examples, npt.NDArray[np.float64]]:
    """Return the examples of one image, described, and their middles, (n, 2) level-0 px."""
    slide, labels = image.slide, image.labels.examples()
    is_learned = labels.values > 0
    centers_l0, values = labels.xy_l0[is_learned], labels.values[is_learned] - 1
    measured = measurement_rows({}, len(values))
    if image.objects is not None and len(image.objects) and len(values):
        rows = objects_under(centers_l0, image.objects, _MATCH_UM / slide.mpp)
        kept = _last_of_each(rows)
        centers_l0, values, rows = centers_l0[kept], values[kept], rows[kept]
        is_found = rows >= 0
        measured, middles = _measured(image.objects, rows[is_found], slide.mpp, is_found)
        centers_l0[is_found] = middles
    shown = np.zeros((len(values), PICTURE_PX, PICTURE_PX, 3), np.uint8)
    if params.uses_picture:
        shown = pictures(slide, analysis_grid(slide, MPP), centers_l0)
    numbers = described(measured, shown, params, embedding)
    groups = np.full(len(values), _number(image.group or image.name))
    return Examples(numbers, values.astype(np.int64), groups), centers_l0


def _measured(
    objects: Detections,
    rows: npt.NDArray[np.int64],
    mpp: float,
    is_found: npt.NDArray[np.bool_],
) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Return measurements of all examples, NaN of those not found, and the found ones' middles."""
    middles_l0 = objects.centroids_l0()
    everything = cKDTree(middles_l0 * mpp)
    own = objects.take(rows)
    columns = {**own.measurements, **surroundings(middles_l0[rows] * mpp, everything)}
    measured = measurement_rows({}, len(is_found))
    measured[is_found] = measurement_rows(columns, len(rows))
    return measured, middles_l0[rows]


def objects_under(
    points_l0: npt.NDArray[np.float64], objects: Detections, radius_l0: float
) -> npt.NDArray[np.int64]:
    """Return the row of the object each point lies in, or is near the middle of; -1: none."""
    distances, nearest = cKDTree(objects.centroids_l0()).query(points_l0)
    rows = np.where(distances <= radius_l0, nearest, -1)
    outlines = [shapely.Polygon(objects.ring_l0(row)) for row in range(len(objects))]
    point, row = shapely.STRtree(outlines).query(shapely.points(points_l0), predicate="intersects")
    rows[point] = row
    return np.asarray(rows, np.int64)


def _last_of_each(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return which examples to keep: of each object the last one, and all without an object."""
    last = {row if row >= 0 else ~number: number for number, row in enumerate(rows.tolist())}
    return np.array(sorted(last.values()), np.int64)


def _number(group: str) -> int:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:6], "big")


def _joined(parts: Sequence[Examples]) -> Examples:
    there = [one for one in parts if len(one.values)]
    if not there:
        nothing = np.empty(0, np.int64)
        return Examples(np.empty((0, 0), np.float32), nothing, nothing)
    return Examples(
        np.concatenate([one.rows for one in there]),
        np.concatenate([one.values for one in there]),
        np.concatenate([one.groups for one in there]),
    )


def _metrics(told: Floats, values: Values) -> dict[str, float]:
    if not len(values):
        return {}
    n = told.shape[1]
    matrix = confusion_matrix(values, told.argmax(axis=1), (n, n))
    return {"accuracy": accuracy(matrix, n), "macro_f1": macro_f1(matrix, n)}

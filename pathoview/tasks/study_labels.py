"""The labels of one slide as they are on disk just now, read again when they have changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathoview.annotations.feature import Feature
from pathoview.core.closing import Closing
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import TargetClass
from pathoview.slides.slide import Slide
from pathoview.study.default_classes import default_classes
from pathoview.study.model import LabelClass
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile
from pathoview.tasks.training_data import LEARNED


@dataclass(frozen=True, slots=True)
class SlideLabels:
    """What is drawn on a slide."""

    classes: tuple[TargetClass, ...]
    """All of the study that are learned; their place and 1 is what masks say of them."""
    labels: FeatureLabels


class LabelWatch(Closing):
    """Looks at a study that another process writes; its file need not be there yet."""

    def __init__(self, study: str, slide: Slide, classes: Collection[str] | None = None) -> None:
        """``study``: a file; empty: the slide's private one. ``classes``: only these; None: all."""
        self._path = Path(study) if study else private_path(slide.content_hash)
        self._slide = slide
        self._names = classes
        self._file: StudyFile | None = None
        self._version = 0
        self._known: tuple[object, ...] = ()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def look(self) -> SlideLabels | None:
        """Return the labels if they are others than at the last look; raise `StorageError`.

        Without a file there are none, of the classes that a study begins with.
        """
        if self._file is None and self._path.exists():
            self._file = StudyFile.open(self._path)
        if self._file is None:
            return self._news(self._said([], default_classes()))
        version = self._file.data_version
        if version == self._version:
            return None
        # What comes between the two questions has another number: it is seen at the next look.
        said = self._said(self._file.features(self._slide.content_hash), self._file.classes())
        self._version = version
        return self._news(said)

    def _news(self, said: SlideLabels) -> SlideLabels | None:
        known = said.classes, said.labels.fingerprint()
        is_new, self._known = known != self._known, known
        return said if is_new else None

    def _said(self, features: Sequence[Feature], records: Sequence[LabelClass]) -> SlideLabels:
        slide = self._slide
        classes = tuple(
            TargetClass(one.name, one.color, one.number)
            for one in records
            if one.meaning in LEARNED and (self._names is None or one.name in self._names)
        )
        values = {one.name: value for value, one in enumerate(classes, 1)}
        size_l0 = slide.info.width, slide.info.height
        labels = FeatureLabels(features, records, values, mpp=slide.mpp, size_l0=size_l0)
        return SlideLabels(classes, labels)

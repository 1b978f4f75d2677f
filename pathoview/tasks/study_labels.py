"""The labels of one slide as they are on disk just now, read again when they have changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pathoview.core.closing import Closing
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import TargetClass
from pathoview.slides.slide import Slide
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
        """Return the labels if they are others than at the last look; raise `StorageError`."""
        if self._file is None:
            if not self._path.exists():
                return None
            self._file = StudyFile.open(self._path)
        version = self._file.data_version
        if version == self._version:
            return None
        said = self._read(self._file)
        known = said.classes, said.labels.fingerprint()
        is_new = known != self._known
        # What came between the two questions has another number: it is seen at the next look.
        self._version, self._known = version, known
        return said if is_new else None

    def _read(self, file: StudyFile) -> SlideLabels:
        slide, records = self._slide, file.classes()
        classes = tuple(
            TargetClass(one.name, one.color, one.number)
            for one in records
            if one.meaning in LEARNED and (self._names is None or one.name in self._names)
        )
        values = {one.name: value for value, one in enumerate(classes, 1)}
        size_l0 = slide.info.width, slide.info.height
        features = file.features(slide.content_hash)
        labels = FeatureLabels(features, records, values, mpp=slide.mpp, size_l0=size_l0)
        return SlideLabels(classes, labels)

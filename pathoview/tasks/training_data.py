"""What is learned from: the labels of a study, or a folder of pictures with their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pathoview.annotations.classes import default_color
from pathoview.annotations.feature import Feature
from pathoview.core.errors import InputError, MissingScaleError, SlideError, UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets import label_files
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.image_labels import ClassImage, InstanceImage, point_labels
from pathoview.datasets.labels import LabelledImage, Labels, Split, TargetClass, TrainingData
from pathoview.datasets.meanings import LABELS, Target
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.study.model import LabelClass, SlideRecord
from pathoview.study.slide_list import SlideFinder
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile
from pathoview.tasks.export_tiles import slide_group
from pathoview.tasks.object_examples import with_objects
from pathoview.tasks.opening import of_known_scale, open_recorded, open_scaled

LEARNED = ("positive", "negative")
"""What classes mean whose labels are learned."""
_NUCLEUS = TargetClass("Nucleus", (60, 60, 200))
_PATHOLOGY = TargetClass("Pathology", (200, 60, 60))


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """Where labels are: a study, slides with studies of their own, or folders."""

    study: str = ""
    """Empty, with slides: the private study of each."""
    slides: tuple[str, ...] = ()
    """Paths, or what a person calls them; empty: all of the study that have labels."""
    classes: tuple[str, ...] | None = None
    """Names of the classes to learn; None: all that have labels."""
    images: str = ""
    labels: str = ""
    val_images: str = ""
    """Pictures to measure on; empty: some of the others are held back."""
    val_labels: str = ""
    mpp: float | None = None
    """µm per px of pictures; or per level-0 px of slides that state none."""
    seed: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Labels that are not learned from, and why."""

    slide: str
    """Pseudonym, or the name of a picture."""
    reason: str
    """One sentence."""
    n: int = 0
    """Annotations; 0: the slide as a whole."""
    class_name: str = ""
    kind: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "slide": self.slide,
            "class": self.class_name,
            "kind": self.kind,
            "n": self.n,
            "reason": self.reason,
        }


@dataclass(slots=True)
class Prepared:
    """Data to learn from, open as long as the context is."""

    data: TrainingData
    left_out: list[LeftOut] = field(default_factory=list)
    study_id: str = ""
    """Of the study that the labels are of; empty: folders, or several private studies."""


@contextmanager
def open_training_data(
    source: TrainingSource, spec: MethodSpec, progress: Progress
) -> Iterator[Prepared]:
    """Open what a method learns from; slides are closed in the end.

    Raises `UsageError` for classes or slides the study has not, and when it is not said where the
    labels are; `InputError` when nothing is left to learn from; `MissingScaleError`,
    `StorageError`, `Cancelled`.
    """
    with ExitStack() as stack:
        if source.images:
            prepared = _of_folders(source, spec, stack, progress)
        elif source.study or source.slides:
            prepared = _StudyReading(source, spec, stack, progress).read()
        else:
            raise UsageError(
                _("It is not said where the labels are."),
                _("Name a study, or a folder of images and one of labels."),
            )
        if not prepared.data.n_labels and not any(
            len(image.labels.full_l0()) for image in prepared.data.images
        ):
            raise _nothing_left(prepared.left_out)
        if spec.target == "objects":
            prepared.data = with_objects(prepared.data, progress)
        yield prepared


def _nothing_left(left_out: Sequence[LeftOut]) -> InputError:
    reasons = list(dict.fromkeys(one.reason for one in left_out))
    hint = _("Draw annotations of a class first.")
    if reasons:
        hint = _("What there is was left out: {reasons}").format(reasons=" ".join(reasons[:3]))
    return InputError(_("There are no labels to learn from."), hint)


# -- folders ---------------------------------------------------------------------------------------


def _of_folders(
    source: TrainingSource, spec: MethodSpec, stack: ExitStack, progress: Progress
) -> Prepared:
    if not source.labels or bool(source.val_images) != bool(source.val_labels):
        raise UsageError(
            _("A folder of images needs a folder of labels."),
            _("Labels have the names of their images: x.png and x.png (or .tif, .csv)."),
        )
    folders: list[tuple[str, str, Split]] = [(source.images, source.labels, "train")]
    if source.val_images:
        folders.append((source.val_images, source.val_labels, "val"))
    found = [
        (*pair, split)
        for images, labels, split in folders
        for pair in label_files.pairs(Path(images), Path(labels))
    ]
    unnamed = _PATHOLOGY if spec.kind is Kind.SYNTHESIS else _NUCLEUS
    classes, read = _reader(source, [pair[1] for pair in found], unnamed)
    pictures = []
    for number, (path, labels, split) in enumerate(found):
        progress.check()
        progress.report(number / len(found), _reading(path.name))
        slide = stack.enter_context(open_slide(path))
        if source.mpp is not None:
            with_scale(slide, source.mpp)
        said = read(labels, slide)
        picture = LabelledImage(slide, said, path.stem, split, licence=source.licence)
        pictures.append(picture)
    data = TrainingData(pictures, classes)
    prepared = Prepared(data if source.classes else _without_unused(data))
    for image in pictures:
        if isinstance(image.labels, FeatureLabels):
            prepared.left_out += _left_out(image.name, image.labels, spec.target)
    return prepared


def _without_unused(data: TrainingData) -> TrainingData:
    """Return the data without classes that no mask has."""
    if not all(isinstance(image.labels, ClassImage) for image in data.images):
        return data
    used = sorted({value for image in data.images for value in image.labels.counts()})
    images = [
        replace(image, labels=image.labels.only(used))
        for image in data.images
        if isinstance(image.labels, ClassImage)
    ]
    return TrainingData(images, tuple(data.classes[value - 1] for value in used))


def _reader(
    source: TrainingSource, files: Sequence[Path], unnamed: TargetClass
) -> tuple[tuple[TargetClass, ...], Callable[[Path, Slide], Labels]]:
    """Return the classes of files of labels, and what makes labels of a file.

    ``unnamed``: what is labelled where the files do not say.
    """
    masks = label_files.read_classes(Path(source.labels))
    tables = {path: label_files.read_points(path) for path in files if label_files.is_points(path)}
    if masks is not None:
        classes = masks
    elif tables:
        names = sorted({name for table in tables.values() for name in table.names} - {""})
        classes = tuple(TargetClass(name, default_color(name)) for name in names)
        classes = classes or (unnamed,)
    else:
        classes = (unnamed,)
    classes = _wanted(classes, source.classes)
    records = [
        LabelClass(number=n, name=one.name, color=one.color) for n, one in enumerate(classes, 1)
    ]

    def read(path: Path, slide: Slide) -> Labels:
        size = slide.info.width, slide.info.height
        if path in tables:
            table = tables[path]
            if not any(table.names):
                table = replace(table, names=(unnamed.name,) * len(table.names))
            return point_labels(table, records, slide.mpp, size)
        pixels = label_files.read_label_image(path, size)
        slide.mpp  # noqa: B018  raises when it is not known
        return (
            InstanceImage(pixels)
            if masks is None
            else ClassImage(pixels, [one.number for one in classes])
        )

    return classes, read


def _wanted(classes: Sequence[TargetClass], names: Sequence[str] | None) -> tuple[TargetClass, ...]:
    if names is None:
        return tuple(classes)
    known = {one.name: one for one in classes}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            _("There is no class “{name}”.").format(name=unknown[0]),
            _("Known are: {names}.").format(names=", ".join(sorted(known))),
        )
    return tuple(known[name] for name in dict.fromkeys(names))


# -- studies ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A slide of a study with what was drawn on it."""

    slide: Slide
    features: Sequence[Feature]
    group: str


class _StudyReading:
    """Reading what studies say, one slide after the other."""

    def __init__(
        self, source: TrainingSource, spec: MethodSpec, stack: ExitStack, progress: Progress
    ) -> None:
        self._source, self._progress, self._stack = source, progress, stack
        self._target = spec.target
        self._is_synthesis = spec.kind is Kind.SYNTHESIS
        self._classes: dict[str, LabelClass] = {}
        self._left_out: list[LeftOut] = []
        self._study_ids: set[str] = set()
        self._without_scale: MissingScaleError | None = None

    def read(self) -> Prepared:
        if self._source.study:
            with StudyFile.open(Path(self._source.study)) as study:
                self._study_ids.add(study.info.id)
                self._add_classes(study)
                found = self._of_study(study)
        else:
            found = self._of_private_studies()
        if not found and self._without_scale is not None:
            raise self._without_scale
        wanted = self._wanted(found)
        values = {one.name: place for place, one in enumerate(wanted, 1)}
        images = []
        for one in found:
            labels = self._labels(one, values)
            name = one.slide.pseudonym
            self._left_out += _left_out(name, labels, self._target)
            images.append(
                LabelledImage(
                    one.slide, labels, name, group=one.group, licence=self._source.licence
                )
            )
        study_id = self._study_ids.pop() if len(self._study_ids) == 1 else ""
        return Prepared(TrainingData(images, wanted), self._left_out, study_id)

    def _of_study(self, study: StudyFile) -> list[_Labelled]:
        records = study.records(SlideRecord)
        paths: dict[str, str] = {}
        if self._source.slides:
            finder = SlideFinder(records)
            named = {finder.one(said).slide_hash: said for said in self._source.slides}
            paths = {key: said for key, said in named.items() if Path(said).is_file()}
            records = [one for one in records if one.slide_hash in named]
        else:
            counts = study.count_annotations()
            records = [one for one in records if counts.get(one.slide_hash)]
        found = []
        for number, record in enumerate(records):
            self._progress.check()
            self._progress.report(number / len(records), _reading(record.pseudonym))
            slide = self._opened(record, Path(paths.get(record.slide_hash, record.path)))
            if slide is not None:
                features = study.features(record.slide_hash)
                found.append(_Labelled(slide, features, slide_group(study, record.slide_hash)))
        return found

    def _of_private_studies(self) -> list[_Labelled]:
        found = []
        for number, said in enumerate(self._source.slides):
            self._progress.check()
            self._progress.report(number / len(self._source.slides), _reading(Path(said).name))
            slide = self._stack.enter_context(open_scaled(said, self._source.mpp))
            slide.mpp  # noqa: B018  raises when it is not known
            path = private_path(slide.content_hash)
            if not path.exists():
                self._left_out.append(LeftOut(slide.pseudonym, _("It has no labels.")))
                continue
            with StudyFile.open(path) as study:
                self._study_ids.add(study.info.id)
                self._add_classes(study)
                features = study.features(slide.content_hash)
                found.append(_Labelled(slide, features, slide_group(study, slide.content_hash)))
        return found

    def _opened(self, record: SlideRecord, path: Path) -> Slide | None:
        """Return the open slide; None: it is left out, and why is noted."""
        try:
            slide = of_known_scale(open_recorded(record, path, self._source.mpp))
            return self._stack.enter_context(slide)
        except SlideError as error:
            if isinstance(error, MissingScaleError):
                self._without_scale = error
            name = record.pseudonym or record.slide_hash[:8]
            self._left_out.append(LeftOut(name, str(error)))
            return None

    def _add_classes(self, study: StudyFile) -> None:
        for one in study.classes():
            self._classes.setdefault(one.name, one)

    def _labels(self, one: _Labelled, values: Mapping[str, int]) -> FeatureLabels:
        size = one.slide.info.width, one.slide.info.height
        classes = list(self._classes.values())
        return FeatureLabels(one.features, classes, values, mpp=one.slide.mpp, size_l0=size)

    def _wanted(self, found: Sequence[_Labelled]) -> tuple[TargetClass, ...]:
        """Return the classes to learn: those that were named, or all that have labels.

        Among points on nuclei, negative classes say where none is: they are no class of nuclei.
        Beside pathology they are healthy tissue, unless they were named.
        """
        names = self._source.classes
        is_none = self._target == "points" or (self._is_synthesis and names is None)
        learned = ("positive",) if is_none else LEARNED
        known = [
            TargetClass(one.name, one.color, one.number)
            for one in self._classes.values()
            if one.meaning in learned
        ]
        if names is not None:
            return _wanted(known, names)
        values = {one.name: place for place, one in enumerate(known, 1)}
        used = {
            use.class_name
            for one in found
            for use in self._labels(one, values).uses(self._target)
            if use.n_used and use.kind in LABELS
        }
        return tuple(one for one in known if one.name in used)


def _reading(name: str) -> str:
    return _("Reading the labels of {name}").format(name=name)


def _left_out(name: str, labels: FeatureLabels, target: Target) -> list[LeftOut]:
    return [
        LeftOut(name, use.reason, use.n_left_out, use.class_name, use.kind)
        for use in labels.uses(target)
        if use.n_left_out
    ]
